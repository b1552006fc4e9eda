package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code weir run} keeps native code on disk, and LLVM rests where there is some. */
class CodeCacheTest {
    /** Loaded with LLVM's library. */
    private static final String LLVM = "org.bytedeco.llvm.global.LLVM ";

    @TempDir
    private Path folder;

    /**
     * @param ids what it printed
     * @param loadedLlvm whether LLVM was needed
     */
    private record Ran(String ids, boolean loadedLlvm, String messages) {}

    private Process start(String name, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                "-Xlog:class+load:file=" + folder.resolve(name + ".classes"),
                "-cp", System.getProperty("java.class.path"), "dev.weir.cli.Weir",
                "run", TestModel.fixture("llama").toString(), "--prompt-ids", "5,17,3", "-n", "4",
                "--threads", "1"));
        command.addAll(Arrays.asList(options));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(folder.resolve(name + ".messages").toFile());
        builder.environment().put("XDG_CACHE_HOME", folder.resolve("cache").toString());
        return builder.start();
    }

    private Ran finish(String name, Process process) throws Exception {
        String ids = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int code = process.waitFor();
        String messages = Files.readAllLines(folder.resolve(name + ".messages")).stream()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .filter(line -> !line.startsWith("SLF4J"))
                .reduce("", (all, line) -> all + line + "\n");
        assertEquals(0, code, messages);
        return new Ran(ids,
                Files.readString(folder.resolve(name + ".classes")).contains(LLVM), messages);
    }

    private Ran run(String name, String... options) throws Exception {
        return finish(name, start(name, options));
    }

    private Map<String, byte[]> entries() throws IOException {
        Map<String, byte[]> entries = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder.resolve("cache/weir"))) {
            for (Path file : files.toList()) {
                entries.put(file.getFileName().toString(), Files.readAllBytes(file));
            }
        }
        return entries;
    }

    @Test
    void theSecondRunNeedsNoLlvmAndADamagedEntryIsMadeAnew() throws Exception {
        Ran first = run("first");
        assertTrue(first.loadedLlvm);
        assertEquals("", first.messages);
        Map<String, byte[]> kept = entries();
        assertEquals(2, kept.size(), kept.keySet().toString());
        assertEquals(new Ran(first.ids, false, ""), run("second"));

        for (String damage : List.of("truncated", "corrupted")) {
            for (Map.Entry<String, byte[]> entry : kept.entrySet()) {
                byte[] damaged = entry.getValue().clone();
                damaged[damaged.length / 2] ^= 1;
                Files.write(folder.resolve("cache/weir").resolve(entry.getKey()),
                        damage.equals("corrupted")
                                ? damaged : Arrays.copyOf(damaged, damaged.length / 2));
            }
            assertEquals(new Ran(first.ids, true, ""), run(damage));
            assertEquals(kept.keySet(), entries().keySet());
            assertEquals(new Ran(first.ids, false, ""), run("after"));
        }

        assertEquals(new Ran(first.ids, true, ""), run("without", "--no-cache"));
    }

    @Test
    void twoProcessesAtOnceGetAlong() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(start("process" + i));
        }
        Ran one = finish("process0", processes.get(0));
        Ran other = finish("process1", processes.get(1));
        assertEquals(one.ids, other.ids);
        assertEquals(one.messages + other.messages, "");
        assertFalse(run("later").loadedLlvm);
        assertTrue(entries().keySet().stream().noneMatch(name -> name.startsWith("unfinished")));
    }

    @Test
    void aFolderThatCannotBeWrittenIsNoFault() throws Exception {
        Files.writeString(folder.resolve("cache"), "a file, and no folder");
        Ran ran = run("refused");
        assertTrue(ran.messages.contains("cannot be kept for the next time"), ran.messages);
        assertTrue(ran.messages.contains("--no-cache"), ran.messages);
        assertEquals(1, ran.messages.split("warning", -1).length - 1, ran.messages);
    }
}
