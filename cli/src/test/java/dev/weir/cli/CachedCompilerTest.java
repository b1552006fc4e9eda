package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
