package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
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
    /** Loaded to lower, and to schedule. */
    private static final List<String> COMPILER = List.of(
            "dev.weir.frontend.lower.Session ", "dev.weir.passes.lift.Lift ");

    @TempDir
    private Path folder;

    /**
     * @param ids what it printed
     * @param loadedLlvm whether LLVM was needed
     * @param compiled whether the model was lowered and scheduled
     */
    private record Ran(String ids, boolean loadedLlvm, boolean compiled, String messages) {}

    private Process start(String name, String... options) throws IOException {
        List<String> arguments = new ArrayList<>(List.of(
                TestModel.fixture("llama").toString(), "--prompt-ids", "5,17,3", "-n", "4"));
        arguments.addAll(Arrays.asList(options));
        return start(name, arguments);
    }

    private Process start(String name, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                "-Xlog:class+load:file=" + folder.resolve(name + ".classes"),
                "-cp", System.getProperty("java.class.path"), "dev.weir.cli.Weir",
                "run", "--threads", "1"));
        command.addAll(arguments);
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
        String classes = Files.readString(folder.resolve(name + ".classes"));
        return new Ran(ids, classes.contains(LLVM),
                COMPILER.stream().anyMatch(classes::contains), messages);
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
        assertTrue(first.compiled);
        assertEquals(3, kept.size(), kept.keySet().toString());
        assertEquals(new Ran(first.ids, false, false, ""), run("second"));

        for (String damage : List.of("truncated", "corrupted")) {
            for (Map.Entry<String, byte[]> entry : kept.entrySet()) {
                byte[] damaged = entry.getValue().clone();
                damaged[damaged.length / 2] ^= 1;
                Files.write(folder.resolve("cache/weir").resolve(entry.getKey()),
                        damage.equals("corrupted")
                                ? damaged : Arrays.copyOf(damaged, damaged.length / 2));
            }
            assertEquals(new Ran(first.ids, true, true, ""), run(damage));
            assertEquals(kept.keySet(), entries().keySet());
            assertEquals(new Ran(first.ids, false, false, ""), run("after"));
        }

        assertEquals(new Ran(first.ids, true, true, ""), run("without", "--no-cache"));
    }

    /** A program is kept for what it was made from; a library is for whoever has its kernels. */
    @Test
    void anotherConfigurationSettingOrImportIsAnotherProgram() throws Exception {
        Path model = Files.createDirectory(folder.resolve("model"));
        Files.writeString(model.resolve("m.weir"), """
                import part { Part }

                model M<K = config.factor>() {
                    part: Part<K>
                    forward(x[T]) -> y[T] = part(x)
                }
                """);
        Path inputs = folder.resolve("inputs.safetensors");
        Tensor x = Tensor.zeros(Format.F32, 3);
        x.setReal(1, 5);
        SafeTensors.write(inputs, Map.of("x", x));
        String part = """
                block Part<K> {
                    forward(x[T]) -> y[T] { y[t] = x[t] * K + %d }
                }
                """;
        record Made(int factor, int added, List<String> options, double result) {}

        List<Made> all = List.of(new Made(2, 0, List.of(), 10), new Made(3, 0, List.of(), 15),
                new Made(3, 7, List.of(), 22), new Made(3, 7, List.of("--set", "K=4"), 27));
        for (Made made : all) {
            Files.writeString(model.resolve("config.json"), "{\"factor\": " + made.factor + "}");
            Files.writeString(model.resolve("part.weir"), part.formatted(made.added));
            Path outputs = folder.resolve("outputs.safetensors");
            List<String> arguments = new ArrayList<>(List.of(model.resolve("m.weir").toString(),
                    "--inputs", inputs.toString(), "--outputs", outputs.toString()));
            arguments.addAll(made.options);
            for (boolean isNew : new boolean[] {true, false}) {
                assertEquals(isNew, finish("made", start("made", arguments)).compiled,
                        made.toString());
                try (Arena arena = Arena.ofConfined()) {
                    assertEquals(made.result,
                            SafeTensors.map(outputs, arena).get("y").real(1), made.toString());
                }
            }
        }
    }

    /** What names a model, a method, or what is written down of it, asks for another program. */
    @Test
    void anotherModelEntryTraceOrPassIsAnotherProgram() throws Exception {
        Path program = Files.writeString(folder.resolve("two.weir"), """
                model A<K = 2, L = 5> {
                    forward(x[T]) -> y[T] { y[t] = x[t] * K }
                    more(x[T]) -> y[T] {
                        z[t] = x[t] * L
                        y[t] = z[t] + 1
                    }
                }

                model B {
                    forward(x[T]) -> y[T] { y[t] = x[t] * 3 }
                }
                """);
        Path inputs = folder.resolve("inputs.safetensors");
        Tensor x = Tensor.zeros(Format.F32, 3);
        x.setReal(1, 5);
        SafeTensors.write(inputs, Map.of("x", x));
        record Made(double result, boolean isTraced, List<String> options) {}

        List<Made> all = List.of(
                new Made(15, false, List.of()),
                new Made(10, false, List.of("--model", "A", "--entry", "forward")),
                new Made(26, false, List.of("--model", "A", "--entry", "more")),
                new Made(26, true, List.of("--model", "A", "--entry", "more", "--trace")),
                new Made(26, false, List.of(
                        "--model", "A", "--entry", "more", "--disable", "inline")),
                new Made(36, false, List.of(
                        "--model", "A", "--entry", "more", "--set", "K=4", "--set", "L=7")));
        for (Made made : all) {
            Path outputs = folder.resolve("outputs.safetensors");
            List<String> arguments = new ArrayList<>(List.of(program.toString(),
                    "--inputs", inputs.toString(), "--outputs", outputs.toString()));
            arguments.addAll(made.options);
            for (boolean isNew : new boolean[] {true, false}) {
                assertEquals(isNew, finish("made", start("made", arguments)).compiled,
                        made.toString());
                try (Arena arena = Arena.ofConfined()) {
                    Map<String, Tensor> found = SafeTensors.map(outputs, arena);
                    assertEquals(made.result, found.get("y").real(1), made.toString());
                    assertEquals(made.isTraced, found.size() > 1, found.keySet().toString());
                }
            }
        }
        List<String> odd = List.of(program.toString(), "--model", "A", "--entry", "more",
                "--inputs", inputs.toString(), "--set", "K=4, L=7");
        assertTrue(start("odd", odd).waitFor() != 0, "one setting is not two");
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
