package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.llvm.ObjectLinker;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.runtime.artefact.ArtefactCache;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Native code that is kept, where something links it and where nothing does. */
class CachedCompilerTest {
    @TempDir
    private Path folder;

    private int linked;

    private static Kernel kernel(String value) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel k {
                    buffer x f32
                    tile t i64
                    do {
                        store(x, t, VALUE:f32)
                    }
                }
                """.replace("VALUE", value)));
    }

    private CachedCompiler compiler(boolean links) {
        return new CachedCompiler(new ArtefactCache(folder, ArtefactCache.ROOM),
                warning -> {
                    throw new AssertionError(warning);
                },
                object -> {
                    linked++;
                    return links ? ObjectLinker.link(object, "kernels.so", false)
                            : new ObjectLinker.Outcome.None(List.of("there is no linker"));
                });
    }

    private float run(boolean links, String value) {
        try (CachedCompiler compiler = compiler(links); Arena arena = Arena.ofConfined()) {
            MemorySegment x = arena.allocate(16, 8);
            MemorySegment arguments = arena.allocate(16, 8);
            arguments.set(ValueLayout.JAVA_LONG, 0, x.address());
            compiler.compile(List.of(kernel(value))).getFirst()
                    .run(0, 1, arguments.address(), 0);
            return x.getAtIndex(ValueLayout.JAVA_FLOAT, 0);
        }
    }

    private List<Path> kept(String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return new ArrayList<>(
                    files.filter(f -> f.toString().endsWith(ending)).sorted().toList());
        }
    }

    @Test
    void codeIsLinkedOnceForEachText() throws IOException {
        assertEquals(1.5f, run(true, "1.5"));
        assertEquals(1.5f, run(true, "1.5"));
        assertEquals(1, linked);
        assertEquals(2.5f, run(true, "2.5"));
        assertEquals(2, linked);
        assertEquals(2, kept(".so").size());
        assertEquals(List.of(), kept(".o"));
    }

    /** The object is not asked to be linked again, which would fail again. */
    @Test
    void withoutALinkerTheObjectIsKept() throws IOException {
        assertEquals(1.5f, run(false, "1.5"));
        assertEquals(1.5f, run(false, "1.5"));
        assertEquals(1, linked);
        assertEquals(List.of(), kept(".so"));
        Path object = kept(".o").getFirst();
        byte[] bytes = Files.readAllBytes(object);
        Files.write(object, Arrays.copyOf(bytes, bytes.length - 100));
        assertEquals(1.5f, run(false, "1.5"));
        assertEquals(2, linked, "a damaged one is made anew");
        assertEquals(bytes.length, Files.size(object));
    }

    private String programKey(String... given) {
        try (CachedCompiler compiler = compiler(true)) {
            return compiler.programs().key(List.of(given)).orElseThrow();
        }
    }

    /** Programs are made from what is given, for a processor, by a compiler. */
    @Test
    void programsHaveAKeyForAllThatMakesThem() throws Exception {
        String key = programKey("a", "b");
        assertEquals(key, programKey("a", "b"));
        assertNotEquals(key, programKey("ab"));
        Path classes = Path.of(ProgramCache.class.getProtectionDomain().getCodeSource()
                .getLocation().toURI());
        Path file = Files.isDirectory(classes)
                ? classes.resolve("dev/weir/cli/ProgramCache.class") : classes;
        FileTime time = Files.getLastModifiedTime(file);
        try {
            Files.setLastModifiedTime(file, FileTime.fromMillis(time.toMillis() - 5000));
            assertNotEquals(key, programKey("a", "b"), "another compiler");
        } finally {
            Files.setLastModifiedTime(file, time);
        }
        assertEquals(key, programKey("a", "b"));
        Path processor = kept(".processor").getFirst();
        new ArtefactCache(folder, ArtefactCache.ROOM).store(processor.getFileName().toString(),
                "x86_64-unknown-linux-gnu\nx86-64-v3\n+avx2,+fma".getBytes(
                        StandardCharsets.UTF_8));
        assertNotEquals(key, programKey("a", "b"), "another processor");
    }

    /** Entries that are whole, but hold no program. */
    @Test
    void anEntryWithoutAProgramIsNone() throws IOException {
        ArtefactCache cache = new ArtefactCache(folder, ArtefactCache.ROOM);
        String key = programKey("a");
        for (String content : List.of("", "import m -\n", "program", "program x 5\n", "\n")) {
            cache.store(key, content.getBytes(StandardCharsets.UTF_8));
            try (CachedCompiler compiler = compiler(true)) {
                assertEquals(Optional.empty(),
                        compiler.programs().find(key, module -> Optional.empty()), content);
            }
            assertEquals(Optional.empty(), cache.content(key), "it is dropped");
        }
    }

    /** An entry that is whole, but no library: somebody else's rubbish under our name. */
    @Test
    void whatCannotBeLoadedIsMadeAnew() throws IOException {
        assertEquals(1.5f, run(true, "1.5"));
        Path library = kept(".so").getFirst();
        new ArtefactCache(folder, ArtefactCache.ROOM)
                .store(library.getFileName().toString(), new byte[] {1, 2, 3});
        assertEquals(1.5f, run(true, "1.5"));
        assertEquals(2, linked);
        assertTrue(Files.size(library) > 1000);
    }
}
