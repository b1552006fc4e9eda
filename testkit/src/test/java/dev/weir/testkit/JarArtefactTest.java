package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code weir compile --target jvm}: a plain Java program runs the jar, with and without vectors. */
class JarArtefactTest {
    /** Two sequences in one step; then the first one again in chunks of 5, and greedy steps. */
    private static final String PROGRAM = """
            import com.example.MODEL;
            import java.io.DataOutputStream;
            import java.nio.file.Files;
            import java.nio.file.Path;
            import java.util.Arrays;
            import java.util.List;

            public final class Plain {
                public static void main(String[] arguments) throws Exception {
                    long[] first = ids(arguments[1]);
                    long[] second = ids(arguments[2]);
                    long[] both = Arrays.copyOf(first, first.length + second.length);
                    System.arraycopy(second, 0, both, first.length, second.length);
                    try (MODEL model = MODEL.load(Path.of(arguments[0]));
                            DataOutputStream out = new DataOutputStream(
                                    Files.newOutputStream(Path.of(arguments[3])))) {
                        System.out.println("lanes " + model.lanes());
                        MODEL.Session a = model.start();
                        MODEL.Session b = model.start();
                        write(out, model.step(List.of(a, b),
                                new long[] {first.length, second.length}, both).logits());
                        a.close();
                        b.close();
                        try (MODEL.Session session = model.start()) {
                            float[] last = {};
                            for (int from = 0; from < first.length; from += 5) {
                                try {
                                    session.step(new long[] {1, 2, 1_000_000});
                                    System.out.println("no fault");
                                } catch (RuntimeException fault) {
                                    System.out.println(fault.getMessage());
                                }
                                last = session.step(Arrays.copyOfRange(
                                        first, from, Math.min(first.length, from + 5))).logits();
                                write(out, last);
                            }
                            System.out.println("position " + session.position());
                            int vocabulary = Integer.parseInt(arguments[4]);
                            StringBuilder greedy = new StringBuilder("greedy");
                            for (int i = 0; i < 16; i++) {
                                int best = last.length - vocabulary;
                                for (int j = best; j < last.length; j++) {
                                    best = last[j] > last[best] ? j : best;
                                }
                                long id = best % vocabulary;
                                greedy.append(' ').append(id);
                                last = session.step(new long[] {id}).logits();
                            }
                            System.out.println(greedy);
                        }
                    }
                }

                private static void write(DataOutputStream out, float[] values)
                        throws Exception {
                    for (float value : values) {
                        out.writeFloat(value);
                    }
                }

                private static long[] ids(String text) {
                    return Arrays.stream(text.split(",")).mapToLong(Long::parseLong).toArray();
                }
            }
            """;

    @TempDir
    private Path folder;

    /** What the plain program said and wrote. */
    private record Ran(String out, String err, float[] logits) {}

    private Path jar(Path model) throws IOException {
        Path jar = folder.resolve("model.jar");
        Outcome outcome = weir("compile", model.toString(), "--target", "jvm", "-o",
                jar.toString(), "--package", "com.example");
        assertEquals(0, outcome.code(), outcome.err());
        return jar;
    }

    /** The name of the typed class, from the jar. */
    private static String face(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream().map(e -> e.getName())
                    .filter(n -> n.matches("com/example/[^/$]+\\.class"))
                    .map(n -> n.substring("com/example/".length(), n.length() - 6))
                    .collect(Collectors.joining());
        }
    }

    private void compile(Path jar, String source) throws IOException {
        Path file = Files.writeString(folder.resolve("Plain.java"), source);
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null,
                "-cp", jar.toString(), "-d", folder.toString(), file.toString()));
    }

    private Ran run(Path jar, List<String> flags, String... arguments) throws Exception {
        Path written = folder.resolve("logits");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED"));
        command.addAll(flags);
        command.addAll(List.of("-cp", jar + java.io.File.pathSeparator + folder, "Plain"));
        command.addAll(Arrays.asList(arguments));
        Path said = folder.resolve("said");
        Process process = new ProcessBuilder(command).redirectError(said.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = Files.readString(said);
        assertEquals(0, process.waitFor(), err);
        byte[] bytes = Files.exists(written) ? Files.readAllBytes(written) : new byte[0];
        float[] logits = new float[bytes.length / 4];
        java.nio.ByteBuffer.wrap(bytes).asFloatBuffer().get(logits);
        return new Ran(out, err, logits);
    }

    private static Tensor tensor(float[] values, int from, int to) {
        return new Tensor(Format.F32, new long[] {to - from}, MemorySegment.ofArray(
                Arrays.copyOfRange(values, from, to)));
    }

    private static String ids(Tensor ids, int row) {
        long n = ids.shape()[1];
        return LongStream.range(0, n).mapToObj(i -> Long.toString(ids.whole(row * n + i)))
                .collect(Collectors.joining(","));
    }

    @ParameterizedTest
    @CsvSource({"mixtral, mixtral", "gpt_oss, gpt_oss", "deepseek_v3, deepseek_v3",
        "llama_bf16, llama"})
    void aPlainProgramGetsTheGoldenLogits(String fixture, String type) throws Exception {
        Path model = TestModel.fixture(fixture);
        Map<String, Tensor> golden =
                SafeTensors.map(model.resolve("golden.safetensors"), Arena.ofAuto());
        Tensor ids = golden.get("input_ids");
        Tensor logits = golden.get("logits");
        int rows = (int) ids.shape()[1];
        int vocabulary = (int) logits.shape()[2];
        Path jar = jar(model);
        compile(jar, PROGRAM.replace("MODEL", face(jar)));
        String[] arguments = {
            model.toString(), ids(ids, 0), ids(ids, 1), folder.resolve("logits").toString(),
            Integer.toString(vocabulary)
        };
        Ran vectors = run(jar, List.of("--add-modules=jdk.incubator.vector"), arguments);
        Ran scalar = run(jar, List.of(), arguments);

        assertFalse(vectors.out.startsWith("lanes 1\n"), vectors.out);
        assertFalse(vectors.err.contains("without vectors"), vectors.err);
        assertTrue(scalar.out.startsWith("lanes 1\n"), scalar.out);
        assertEquals(2, scalar.err.split("without vectors", -1).length, scalar.err);
        for (Ran ran : List.of(vectors, scalar)) {
            FixtureTest.assertClose("two sequences", logits,
                    tensor(ran.logits, 0, 2 * rows * vocabulary));
            // The bytes of one sequence in chunks are those of two in one step.
            assertArrayEquals(Arrays.copyOf(ran.logits, rows * vocabulary),
                    Arrays.copyOfRange(ran.logits, 2 * rows * vocabulary, ran.logits.length));
            String fault = "index 1000000 is outside axis 0 of table, which has " + vocabulary
                    + " elements\n";
            assertEquals(ran.out.replaceFirst("lanes \\d+\n", ""),
                    fault.repeat(Math.ceilDiv(rows, 5)) + "position " + rows + "\ngreedy"
                            + LongStream.range(0, 16).mapToObj(
                                    i -> " " + golden.get("greedy").whole(i))
                                    .collect(Collectors.joining()) + "\n");
        }
    }

    /** Codes, scales and zero points are made of the stored floats when the jar loads them. */
    @Test
    void quantisedWeightsAreRoundedAtLoad() throws Exception {
        Path model = Files.createDirectory(folder.resolve("small"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(TestModel.fixture("llama").resolve(name), model.resolve(name));
        }
        Files.writeString(model.resolve("model.weir"), """
                import stdlib.models.llama { Llama }
                model Small = Llama with {
                    precision {
                        weights: int4(group: 16), embed: int8(zero_point: true), norm: f8e4m3
                    }
                }
                """);
        Path jar = jar(model);
        compile(jar, PROGRAM.replace("MODEL", face(jar)));
        Outcome expected = weir("run", model.toString(), "--prompt-ids", "5,17,3,88,9,41",
                "--max-tokens", "16", "--target", "interpreter");
        assertEquals(0, expected.code(), expected.err());
        Ran ran = run(jar, List.of("--add-modules=jdk.incubator.vector"), model.toString(),
                "5,17,3,88,9,41", "1,2", folder.resolve("logits").toString(), "128");
        assertTrue(ran.out.contains("greedy " + expected.out().strip().replace(',', ' ')),
                ran.out + expected.out());
    }

    /** Everything that the jar's classes name is in it, or in Java. */
    @Test
    void theJarNeedsNothingElse() throws Exception {
        Path jar = jar(TestModel.fixture("mixtral"));
        Pattern type = Pattern.compile("L?((?:[a-z][a-z0-9_]*/)+[A-Z][A-Za-z0-9_$]*)");
        try (JarFile file = new JarFile(jar.toFile())) {
            List<String> names = file.stream().map(e -> e.getName()).toList();
            assertTrue(names.contains("com/example/" + face(jar) + ".java"), names.toString());
            assertTrue(names.stream().noneMatch(n -> n.endsWith(".so")), names.toString());
            assertTrue(names.stream().allMatch(
                    n -> n.startsWith("com/example/") || n.startsWith("META-INF/")));
            for (String name : names.stream().filter(n -> n.endsWith(".class")).toList()) {
                String text = new String(file.getInputStream(file.getEntry(name)).readAllBytes(),
                        StandardCharsets.ISO_8859_1);
                assertFalse(text.contains("dev/weir"), name);
                type.matcher(text).results().map(m -> m.group(1))
                        .filter(t -> !t.matches("(java|jdk)/.*"))
                        .forEach(t -> assertTrue(names.contains(t + ".class"), name + ": " + t));
            }
        }
    }

    @Test
    void equalModelsGiveEqualJars() throws Exception {
        byte[] first = Files.readAllBytes(jar(TestModel.fixture("mixtral")));
        assertArrayEquals(first, Files.readAllBytes(jar(TestModel.fixture("mixtral"))));
    }

    private static final String LOADS = """
            public final class Plain {
                public static void main(String[] arguments) {
                    try (var model = com.example.MODEL.load(java.nio.file.Path.of(arguments[0]))) {
                        System.out.println("loaded");
                    } catch (RuntimeException wrong) {
                        System.out.println(wrong.getMessage());
                    }
                }
            }
            """;

    @Test
    void weightsThatDoNotFitAreListed() throws Exception {
        Path model = TestModel.fixture("mixtral");
        Path jar = jar(model);
        compile(jar, LOADS.replace("MODEL", face(jar)));
        assertEquals("loaded\n", run(jar, List.of(), model.toString()).out);
        // A file alone does as well as its folder.
        assertEquals("loaded\n",
                run(jar, List.of(), model.resolve("model.safetensors").toString()).out);

        String other = run(jar, List.of(), TestModel.fixture("llama").toString()).out;
        assertTrue(other.contains("describes another model"), other);
        String missing = run(jar, List.of(),
                TestModel.fixture("llama").resolve("model.safetensors").toString()).out;
        assertTrue(missing.contains("do not fit the model"), missing);
        assertTrue(missing.lines().filter(line -> line.startsWith("  missing: ")).count() > 5,
                missing);
        String nothing = run(jar, List.of(), folder.resolve("nothing").toString()).out;
        assertTrue(nothing.contains("there is no such file"), nothing);

        Map<String, Tensor> kinds = new java.util.LinkedHashMap<>(SafeTensors.map(
                model.resolve("model.safetensors"), Arena.ofAuto()));
        kinds.put("model.norm.weight", Tensor.zeros(Format.I64, 64));
        Path whole64 = folder.resolve("kinds.safetensors");
        SafeTensors.write(whole64, kinds);
        String kind = run(jar, List.of(), whole64.toString()).out;
        assertTrue(kind.contains("model.norm.weight holds whole numbers (i64), expected floating"),
                kind);
        Path listed = Files.createDirectory(folder.resolve("listed"));
        Files.writeString(listed.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"x\\u0000y\"}}");
        String named = run(jar, List.of(), listed.toString()).out;
        assertTrue(named.contains("no name of one"), named);
        Files.writeString(listed.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \".\"}}");
        assertTrue(run(jar, List.of(), listed.toString()).out.contains("is no file"));

        byte[] whole = Files.readAllBytes(model.resolve("model.safetensors"));
        Path half = folder.resolve("half.safetensors");
        Files.write(half, Arrays.copyOf(whole, whole.length / 2));
        assertTrue(run(jar, List.of(), half.toString()).out.contains("not a sound safetensors"));
        whole[20] = '}';
        Files.write(half, whole);
        assertTrue(run(jar, List.of(), half.toString()).out.contains("not a sound safetensors"));
    }

    /** Names of types that the jar's class uses, of Java's words, and of its own package. */
    @ParameterizedTest
    @ValueSource(strings = {"String", "Object", "Override", "AutoCloseable", "List", "Path",
        "IOException", "ArtefactModel", "HostProgram", "Session", "Step", "Model", "Memory",
        "Lanes", "Java", "Integer", "Program16", "Record", "small", "session", "var", "_"})
    void aModelMayBeCalledAsTypesAre(String name) throws Exception {
        Path model = Files.writeString(folder.resolve("m.weir"), """
                model %s {
                    param w[2]
                    forward(x[T, 2]) -> y[T, 2] { y[t, d] = w[d] * x[t, d] }
                }
                """.formatted(name));
        Path jar = folder.resolve("model.jar");
        Outcome outcome = weir("compile", model.toString(), "--target", "jvm", "-o",
                jar.toString());
        assertEquals(0, outcome.code(), outcome.err());
        String type = outcome.out().replaceFirst("(?s).*: the class (\\S+)\\s*", "$1");
        Path weights = folder.resolve("w.safetensors");
        Tensor w = Tensor.zeros(Format.F32, 2);
        w.setReal(1, 3);
        SafeTensors.write(weights, Map.of("w", w));
        compile(jar, """
                public final class Plain {
                    public static void main(String[] arguments) {
                        try (var loaded = TYPE.load(java.nio.file.Path.of(arguments[0]));
                                var one = loaded.start()) {
                            System.out.println(one.step(new float[] {5, 7}).y()[1]);
                        }
                    }
                }
                """.replace("TYPE", type));
        assertEquals("21.0\n", run(jar, List.of(), weights.toString()).out);
    }

    /** Where equations say what is read, a tensor that is larger is another model's. */
    @Test
    void weightsThatAreReadInPartAreMisshapen() throws Exception {
        Path model = Files.writeString(folder.resolve("m.weir"), """
                model Parts<D = 2> {
                    param even[d: D] = stored("both")[2 * d]
                    param odd[d: D] = stored("both")[2 * d + 1]
                    forward(x[T, D]) -> y[T, D] { y[t, d] = even[d] * x[t, d] + odd[d] }
                }
                """);
        Path jar = jar(model);
        compile(jar, LOADS.replace("MODEL", face(jar)));
        Path weights = folder.resolve("w.safetensors");
        SafeTensors.write(weights, Map.of("both", Tensor.zeros(Format.F32, 4)));
        assertEquals("loaded\n", run(jar, List.of(), weights.toString()).out);
        SafeTensors.write(weights, Map.of("both", Tensor.zeros(Format.F32, 6)));
        String larger = run(jar, List.of(), weights.toString()).out;
        assertTrue(larger.contains("both has the shape [6], expected [4]"), larger);
    }

    @Test
    void aCommandLineThatMakesNoSenseIsRefused() {
        String model = TestModel.tinyworld().toString();
        assertEquals(2, weir("compile", model, "--target", "jvm").code());
        Outcome badPackage = weir("compile", model, "--target", "jvm", "-o",
                folder.resolve("x.jar").toString(), "--package", "no-package");
        assertEquals(2, badPackage.code());
        assertTrue(badPackage.err().contains("com.example"), badPackage.err());
        Outcome ofJava = weir("compile", model, "--target", "jvm", "-o",
                folder.resolve("x.jar").toString(), "--package", "java.models");
        assertEquals(2, ofJava.code());
        assertTrue(ofJava.err().contains("java.models"), ofJava.err());
        assertEquals(2, weir("compile", model, "--target", "interpreter", "-o", "x").code());
        assertNotEquals(0, weir("compile", "nothing", "--target", "jvm", "-o", "x").code());
    }
}
