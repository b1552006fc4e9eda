package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.cli.Weir;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.passes.pipeline.Passes;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.analysis.ScheduleStep;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The command as users call it: output, exit codes, no stack traces. */
class CommandTest {
    private static final String TINYWORLD = TestModel.tinyworld().toString();

    @TempDir
    private Path folder;

    record Outcome(int code, String out, String err) {}

    static Outcome weir(String... arguments) {
        return weirReading("", arguments);
    }

    static Outcome weirReading(String input, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Weir.run(
                new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                arguments);
        Outcome outcome = new Outcome(code,
                out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        assertFalse(outcome.err.contains("\tat "), "a stack trace: " + outcome.err);
        return outcome;
    }

    /** What only the lowering of a model can tell is told by a check too, where it is possible. */
    @Test
    void aCheckLowersModels() throws IOException {
        Path program = Files.writeString(folder.resolve("whole.weir"), """
                model Scaled<D = config.hidden_size> {
                    param scale[D]
                    precision { scales: bf16 }
                    forward(x[T, D]) -> y[T, D] = scale * x
                }
                """);
        Outcome open = weir("check", program.toString());
        assertEquals("", open.err(), "without a configuration nothing can be said");
        assertEquals(0, open.code());
        Files.writeString(folder.resolve("config.json"), "{\"hidden_size\": 8}");
        Outcome found = weir("check", program.toString());
        assertEquals(1, found.code());
        assertTrue(found.err().contains("E0603"), found.err());
    }

    @Test
    void aCheckTellsOfActivationsThatNothingRounds() throws IOException {
        String text = """
                block Half<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = w @ x
                }

                model Rounded<D = 64> {
                    precision { %s }
                    half: Half<D>
                    forward(x[T, D]) -> y[T, D] = half(x)
                }
                """;
        Path program = folder.resolve("rounded.weir");
        Files.writeString(program, text.formatted("weights: int8, activations: int8(group: 32)"));
        assertEquals(new Outcome(0, "", ""), weir("check", program.toString()));
        Files.writeString(program, text.formatted("weights: bf16, activations: int8(group: 32)"));
        Outcome told = weir("check", program.toString());
        assertEquals(0, told.code());
        assertTrue(told.err().contains("warning[W0204]: `activations: int8(group: 32)` rounds "
                + "nothing"), told.err());
        assertTrue(told.err().contains("rounded.weir:7:32"), told.err());
    }

    @Test
    void aPromptGoesOnAsTheGoldenTokensDo() throws Exception {
        Outcome outcome = weir("run", TINYWORLD, "--prompt", "Mira the fox lived",
                "-n", "48", "--json");
        assertEquals(0, outcome.code, outcome.err);
        JsonNode ids = new ObjectMapper().readTree(outcome.out).path("ids");
        Tensor golden = SafeTensors.map(
                TestModel.tinyworld().resolve("golden.safetensors"), Arena.ofAuto())
                .get("greedy.0");
        assertEquals(golden.elements(), ids.size());
        for (int i = 0; i < ids.size(); i++) {
            assertEquals(golden.whole(i), ids.get(i).longValue(), "token " + i);
        }
    }

    private static List<Long> ids(Outcome outcome) throws Exception {
        assertEquals(0, outcome.code, outcome.err);
        List<Long> ids = new ArrayList<>();
        new ObjectMapper().readTree(outcome.out).path("ids").forEach(i -> ids.add(i.longValue()));
        return ids;
    }

    /** The end is where one of the ids comes that either file names; it is not printed. */
    @ParameterizedTest
    @ValueSource(strings = {
        "config.json ID", "config.json [511, ID]", "generation_config.json ID",
        "generation_config.json [ID, 511]"
    })
    void aStopTokenEndsTheText(String place) throws Exception {
        String[] common = {"run", TINYWORLD, "--prompt", "Mira the fox lived", "--json", "-n"};
        List<Long> whole = ids(weir(Stream.concat(
                Stream.of(common), Stream.of("20")).toArray(String[]::new)));
        assertEquals(20, whole.size());
        int end = 1;
        while (whole.indexOf(whole.get(end)) < end || end < 5) {
            end++;
        }
        try (Stream<Path> files = Files.list(TestModel.tinyworld())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path file = folder.resolve(place.split(" ")[0]);
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode config = Files.exists(file)
                ? (ObjectNode) mapper.readTree(file.toFile()) : mapper.createObjectNode();
        config.set("eos_token_id", mapper.readTree(
                place.substring(place.indexOf(' ')).replace("ID", whole.get(end).toString())));
        mapper.writeValue(file.toFile(), config);
        common[1] = folder.toString();
        assertEquals(whole.subList(0, end), ids(weir(Stream.concat(
                Stream.of(common), Stream.of("20")).toArray(String[]::new))));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7})
    void noMoreTokensThanWanted(int count) throws Exception {
        assertEquals(count, ids(weir("run", TINYWORLD, "--prompt-ids", "5,17,3", "--json",
                "--max-tokens", Integer.toString(count))).size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"native", "jvm"})
    void memoryIsLimited(String target) throws Exception {
        String[] common = {"--prompt-ids", "5,17,3", "-n", "4", "--target", target};
        Outcome free = weir(Stream.concat(
                Stream.of("run", TINYWORLD), Stream.of(common)).toArray(String[]::new));
        for (String command : List.of("run", "bench")) {
            String[] own = command.equals("run") ? common
                    : new String[] {"--random", "3", "-p", "4", "-n", "0", "-r", "1", "--warmup",
                        "0", "--target", target};
            Outcome enough = weir(Stream.concat(
                    Stream.of(command, TINYWORLD, "--memory-limit", "1g"),
                    Stream.of(own)).toArray(String[]::new));
            assertEquals(0, enough.code, enough.err);
            assertTrue(command.equals("bench") || enough.out.equals(free.out), enough.out);
            Outcome refused = weir(Stream.concat(
                    Stream.of(command, TINYWORLD, "--memory-limit", "100K"),
                    Stream.of(own)).toArray(String[]::new));
            assertEquals(1, refused.code, refused.err);
            assertTrue(refused.err.contains("error: the memory limit of 102,400 bytes"),
                    refused.err);
            assertTrue(refused.err.contains("help: raise --memory-limit"), refused.err);
            assertEquals(command.equals("run"), refused.err.contains("--chunk"), refused.err);
        }
    }

    @Test
    void aStockCheckpointRunsByItsFolderAlone() {
        Path fixture = TestModel.fixture("mixtral");
        StringBuilder prompt = new StringBuilder();
        Tensor ids = SafeTensors.map(fixture.resolve("golden.safetensors"), Arena.ofAuto())
                .get("input_ids");
        Tensor greedy = SafeTensors.map(fixture.resolve("golden.safetensors"), Arena.ofAuto())
                .get("greedy");
        for (int i = 0; i < 17; i++) {
            prompt.append(i == 0 ? "" : ",").append(ids.whole(i));
        }
        StringBuilder expected = new StringBuilder();
        for (int i = 0; i < 16; i++) {
            expected.append(i == 0 ? "" : ",").append(greedy.whole(i));
        }
        for (String target : new String[] {"native", "jvm"}) {
            Outcome outcome = weir("run", fixture.toString(), "--prompt-ids", prompt.toString(),
                    "--max-tokens", "16", "--greedy", "--target", target);
            assertEquals(0, outcome.code, outcome.err);
            assertEquals(expected + "\n", outcome.out, target);
        }
    }

    @Test
    void tensorsComeFromAFileAndGoToAFile() throws Exception {
        Path fixture = TestModel.fixture("llama");
        Map<String, Tensor> golden = SafeTensors.map(
                fixture.resolve("golden.safetensors"), Arena.ofAuto());
        Path in = folder.resolve("in.safetensors");
        Path out = folder.resolve("out.safetensors");
        SafeTensors.write(in, Map.of("input_ids", golden.get("input_ids")));
        Outcome outcome = weir("run", fixture.toString(), "--inputs", in.toString(),
                "--outputs", out.toString(), "--trace");
        assertEquals(0, outcome.code, outcome.err);
        Map<String, Tensor> written = SafeTensors.map(out, Arena.ofAuto());
        assertArrayEquals(golden.get("logits").shape(), written.get("logits").shape());
        FixtureTest.assertClose("logits", golden.get("logits"), written.get("logits"));
        assertTrue(written.containsKey("layers.0.attention"), written.keySet().toString());
    }

    @Test
    void inputsThatDoNotFitAreRefused() throws Exception {
        Path program = folder.resolve("two.weir");
        Files.writeString(program, """
                model Two<D = 3> {
                    forward(ids[T]: int, a[T, D]) -> y[T, D] {
                        y[t, d] = a[t, d] + float(ids[t])
                    }
                }
                """);
        Tensor ids = Tensor.zeros(dev.weir.ir.type.Format.F32, 3);
        Tensor shorter = Tensor.zeros(dev.weir.ir.type.Format.F32, 2, 3);
        Tensor fitting = Tensor.zeros(dev.weir.ir.type.Format.F32, 3, 3);
        Outcome lengths = onTensors(program, Map.of("ids", ids, "a", shorter));
        assertEquals(1, lengths.code, lengths.err);
        assertTrue(lengths.err.contains("a has 2 elements of the stream where ids has 3"),
                lengths.err);
        assertEquals(0, onTensors(program, Map.of("ids", ids, "a", fitting)).code);
        ids.setReal(1, 3.5);
        Outcome fraction = onTensors(program, Map.of("ids", ids, "a", fitting));
        assertEquals(1, fraction.code, fraction.err);
        assertTrue(fraction.err.contains("ids holds 3.5, expected whole numbers"),
                fraction.err);
    }

    /** The stream is called what the program calls it. */
    @ParameterizedTest
    @ValueSource(strings = {"native", "jvm", "interpreter"})
    void anInputThatIsNotThereIsNamedOnEachTargetAlike(String target) throws Exception {
        Path program = Files.writeString(folder.resolve("one.weir"),
                "model One<D = 3> { forward(x[T, D]) -> y[T, D] = exp(x) }\n");
        Path in = folder.resolve("in.safetensors");
        SafeTensors.write(in, Map.of("y", Tensor.zeros(dev.weir.ir.type.Format.F32, 2, 3)));
        Outcome outcome = weir("run", program.toString(), "--target", target,
                "--inputs", in.toString(), "--outputs", folder.resolve("out").toString());
        assertEquals(new Outcome(1, "", "error: " + in + " has no tensor x: expected f32[T, 3], "
                + "with one more axis in front for a batch\n"), outcome);
    }

    @Test
    void weightsWithoutElementsAreNoMistake() throws Exception {
        Files.writeString(folder.resolve("config.json"), "{}");
        SafeTensors.write(folder.resolve("model.safetensors"),
                Map.of("w", Tensor.zeros(dev.weir.ir.type.Format.F32, 3, 0)));
        for (String precision : List.of("weights: f32", "weights: int4(group: 32)",
                "weights: int8, activations: int8")) {
            Path program = Files.writeString(folder.resolve("none.weir"), """
                    model None<D = 0> {
                        param w[3, D]
                        precision { %s }
                        forward(x[T, D]) -> y[T, 3] { y[t, i] = sum[d] w[i, d] * x[t, d] }
                    }
                    """.formatted(precision));
            Outcome outcome = onTensors(
                    program, Map.of("x", Tensor.zeros(dev.weir.ir.type.Format.F32, 2, 0)));
            assertEquals(0, outcome.code, precision + ": " + outcome.err);
        }
    }

    private Outcome onTensors(Path program, Map<String, Tensor> inputs) throws Exception {
        Path in = folder.resolve("in.safetensors");
        SafeTensors.write(in, inputs);
        return weir("run", program.toString(), "--inputs", in.toString(), "--outputs",
                folder.resolve("out.safetensors").toString());
    }

    @Test
    void twoRunsGiveTheSameBytes() throws Exception {
        Tensor ids = Tensor.zeros(dev.weir.ir.type.Format.I64, 1, 40);
        for (int i = 0; i < 40; i++) {
            ids.setWhole(i, i * 11 % 512);
        }
        Path in = folder.resolve("in.safetensors");
        SafeTensors.write(in, Map.of("input_ids", ids));
        byte[][] bytes = new byte[2][];
        for (int run = 0; run < 2; run++) {
            Path out = folder.resolve("out" + run + ".safetensors");
            Outcome outcome = weir("run", TINYWORLD, "--inputs", in.toString(), "--outputs",
                    out.toString(), "--threads", Integer.toString(run + 1));
            assertEquals(0, outcome.code, outcome.err);
            bytes[run] = Files.readAllBytes(out);
        }
        assertArrayEquals(bytes[0], bytes[1]);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "source", "tensor", "lift", "split-elementary", "factor-sums", "demand", "common-code",
        "inline", "kernels", "host", "code"
    })
    void everyStageCanBeDumped(String stage) {
        Outcome outcome = weir("dump", TINYWORLD, "--stage", stage);
        assertEquals(0, outcome.code, outcome.err);
        assertFalse(outcome.out.isBlank());
    }

    @ParameterizedTest
    @ValueSource(strings = {"tensor", "lift", "inline"})
    void aDumpedTensorProgramIsAcceptedAsInput(String stage) throws Exception {
        Path dump = folder.resolve("model.tensor");
        Files.writeString(dump, weir("dump", TINYWORLD, "--stage", stage).out);
        String[] rest = {"--weights", TINYWORLD, "--prompt-ids", "5,17,3", "-n", "8"};
        String[] arguments = Stream.concat(
                Stream.of("run", dump.toString()), Stream.of(rest)).toArray(String[]::new);
        Outcome dumped = weir(arguments);
        arguments[1] = TINYWORLD;
        assertEquals(0, dumped.code, dumped.err);
        assertEquals(weir(arguments).out, dumped.out);
    }

    /** Inputs and outputs too, whatever the stage: the same bytes. */
    @ParameterizedTest
    @ValueSource(strings = {"tensor", "lift", "inline", "kernels", "host"})
    void aDumpedStageGivesTheBytesOfTheModel(String stage) throws Exception {
        boolean kernels = stage.equals("kernels") || stage.equals("host");
        Path dump = folder.resolve(kernels ? "model.kernels" : "model.tensor");
        Files.writeString(dump, weir("dump", TINYWORLD, "--stage", stage).out);
        Tensor ids = Tensor.zeros(dev.weir.ir.type.Format.I64, 2, 7);
        for (int i = 0; i < 14; i++) {
            ids.setWhole(i, i * 11 % 512);
        }
        Path in = folder.resolve("in.safetensors");
        SafeTensors.write(in, Map.of("input_ids", ids));
        List<byte[]> bytes = new ArrayList<>();
        for (String model : List.of(TINYWORLD, dump.toString())) {
            Path out = folder.resolve("out.safetensors");
            Outcome outcome = weir("run", model, "--weights", TINYWORLD, "--inputs",
                    in.toString(), "--outputs", out.toString());
            assertEquals(0, outcome.code, outcome.err);
            bytes.add(Files.readAllBytes(out));
        }
        assertArrayEquals(bytes.getFirst(), bytes.getLast());
        if (kernels) {
            assertEquals(weir("run", TINYWORLD, "--prompt-ids", "5,17", "-n", "4").out,
                    weir("run", dump.toString(), "--weights", TINYWORLD,
                            "--prompt-ids", "5,17", "-n", "4", "--target", "jvm").out);
        }
    }

    @Test
    void aMalformedDumpIsADiagnostic() throws Exception {
        String text = weir("dump", TINYWORLD, "--stage", "kernels").out;
        Path dump = folder.resolve("model.kernels");
        for (String wrong : List.of(
                "", text.substring(0, text.length() / 2), text.replaceFirst("launch", "lunch"),
                text.replaceFirst("allocate %\\d+", "allocate %x"),
                text.replaceFirst("(launch \"k\\d+\\w*\" tiles .*?\\()[^,)]*", "$1"))) {
            Files.writeString(dump, wrong);
            Outcome outcome = weir("run", dump.toString(), "--weights", TINYWORLD,
                    "--prompt-ids", "5");
            assertEquals(1, outcome.code);
            assertTrue(outcome.err.contains("error[E1001]"), outcome.err);
        }
    }

    @Test
    void onlyOptionalPassesCanBeLeftOut() {
        for (String pass : List.of("nosuch", "lift")) {
            Outcome outcome = weir("explain", TINYWORLD, "--disable", pass);
            assertEquals(2, outcome.code);
            assertTrue(outcome.err.contains("split-elementary, factor-sums"), outcome.err);
        }
        Outcome timed = weir("dump", TINYWORLD, "--time-passes", "--disable", "demand");
        assertEquals(0, timed.code, timed.err);
        Outcome passes = weir("explain", TINYWORLD, "--time-passes", "--disable", "demand");
        assertTrue(passes.err.contains("inline"), passes.err);
        assertFalse(passes.err.contains("demand"), passes.err);
    }

    /** Every optional pass and step, alone and all together: the same tokens. */
    @Test
    void withoutAPassAModelSaysTheSame() {
        List<String> optional = new ArrayList<>();
        Passes.ALL.stream().filter(Pass::optional).forEach(p -> optional.add(p.name()));
        Arrays.stream(ScheduleStep.values()).filter(ScheduleStep::optional)
                .forEach(s -> optional.add(s.text()));
        assertEquals(13, optional.size());
        String all = String.join(",", optional);
        String fixture = TestModel.fixture("mixtral").toString();
        Outcome whole = weir("run", fixture, "--prompt-ids", "5,17,3", "-n", "8", "--greedy");
        assertEquals(0, whole.code, whole.err);
        Outcome times = weir("run", fixture, "--prompt-ids", "5,17,3", "-n", "1", "--time-passes");
        optional.add(all);
        for (String pass : optional) {
            Outcome without = weir("run", fixture, "--prompt-ids", "5,17,3", "-n", "8",
                    "--greedy", "--disable", pass);
            assertEquals(0, without.code, pass + ": " + without.err);
            assertEquals(whole.out, without.out, pass);
            assertTrue(pass.equals(all) || times.err.contains(pass), times.err);
        }
    }

    @Test
    void explainNamesTheSourceOfEachKernel() throws Exception {
        Outcome outcome = weir("explain", TINYWORLD, "--json");
        assertEquals(0, outcome.code, outcome.err);
        JsonNode kernels = new ObjectMapper().readTree(outcome.out).path("kernels");
        assertTrue(kernels.size() > 10);
        assertTrue(outcome.out.contains("softmax[s]") || outcome.out.contains("z[t, h, c]"));
        assertTrue(outcome.out.contains("kept apart"), "what did not fuse has its reason");
    }

    @Test
    void explainShowsWorkBytesAndTheLedgerOfAStep() throws Exception {
        Outcome outcome = weir(
                "explain", TINYWORLD, "--json", "--prompt-ids", "5,17,3", "--threads", "1");
        assertEquals(0, outcome.code, outcome.err);
        JsonNode node = new ObjectMapper().readTree(outcome.out);
        long launches = 0;
        long bytes = 0;
        for (JsonNode kernel : node.path("kernels")) {
            launches += kernel.path("ran").path("launches").asLong();
            bytes += kernel.path("ran").path("weightBytes").asLong();
            if (kernel.path("source").toString().contains("sum[h, c] wo[d, h, c]")) {
                // 128 products of 128 terms each, two operations a term, and the residual.
                assertEquals("32,896 · N", kernel.path("operations").asText());
                assertEquals("1,024 · N", kernel.path("bytesRead").asText());
                assertEquals("512 · N", kernel.path("bytesWritten").asText());
                assertEquals(128 * 128 * 2, kernel.path("weightBytes").asLong());
            }
        }
        assertEquals(node.path("ledger").path("launches").asLong(), launches);
        assertEquals(node.path("ledger").path("weightBytes").asLong(), bytes);
        assertTrue(launches > 0);
        assertEquals(4, node.path("ledger").path("routes").size());
        assertTrue(weir("explain", TINYWORLD, "--prompt", "Mira").out.contains("route  layers.3"));
    }

    @Test
    void usersFaultsAreOneWrongCommandLinesTwo() {
        assertEquals(1, weir("run", "no/such/model", "--prompt", "x").code);
        assertEquals(1, weir("run", TINYWORLD, "--prompt-ids", "5,900", "-n", "1").code);
        assertEquals(2, weir("run", TINYWORLD, "--no-such-option").code);
        assertEquals(2, weir("no-such-command").code);
        assertEquals(2, weir().code);
        assertEquals(0, weir("--help").code);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "--prompt-ids 5 --prompt x", "--prompt-ids 5 -n -3", "--prompt-ids 5 --threads 0",
        "--prompt-ids 5 --chunk -1", "--prompt-ids 5 --temperature -1",
        "--prompt-ids 5 --temperature NaN", "--prompt-ids 5 --top-p 0", "--prompt-ids 5 --top-p 2",
        "--prompt-ids 5 --top-k -1", "--prompt-ids 5 --trace", "--prompt-ids 5 --outputs x",
        "--prompt-ids 5 --memory-limit much", "--prompt-ids 5 --memory-limit 4X",
        "--prompt-ids 5 --memory-limit -1", "--prompt-ids 5 --memory-limit 99999999999G",
        "--prompt-ids 5 --target interpreter --memory-limit 4G"
    })
    void aSenselessCommandLineIsTold(String rest) {
        String[] arguments = ("run " + TINYWORLD + " " + rest).strip().split(" ");
        Outcome outcome = weir(arguments);
        assertEquals(2, outcome.code, outcome.err);
        List<String> given = Stream.of(arguments).filter(a -> a.matches("--\\w.*|-n")).toList();
        String option = given.isEmpty() ? "--prompt" : given.getLast().replace("-n", "--max-tok");
        assertTrue(outcome.err.lines().findFirst().orElseThrow().contains(option), outcome.err);
        assertEquals("", outcome.out);
    }

    /** The configuration of the fixture says 128: as a prompt, and on the way. */
    @Test
    void textsLongerThanTheModelWasMadeForAreAWarning() {
        String fixture = TestModel.fixture("mixtral").toString();
        for (int prompt : new int[] {129, 127}) {
            String ids = "5" + ",5".repeat(prompt - 1);
            Outcome outcome = weir("run", fixture, "--prompt-ids", ids, "-n", "2", "--greedy");
            assertEquals(0, outcome.code, outcome.err);
            assertTrue(outcome.err.contains("warning: the text has 129 tokens, and the model was "
                    + "made for at most 128 (max_position_embeddings in config.json)"),
                    outcome.err);
            assertEquals(1, outcome.err.split("warning", -1).length - 1, outcome.err);
        }
        Outcome fits = weir("run", fixture, "--prompt-ids", "5,17,3", "-n", "2");
        assertFalse(fits.err.contains("warning"), fits.err);
    }

    @Test
    void anEmptyNameOfAFileIsTold() {
        Outcome outcome = weir("run", TINYWORLD, "--inputs", "x", "--outputs", "");
        assertEquals(2, outcome.code, outcome.err);
        assertTrue(outcome.err.startsWith("--outputs is empty"), outcome.err);
    }

    @Test
    void checkSaysInJsonWhatCannotBeRead() throws Exception {
        Path bytes = Files.write(folder.resolve("bytes.weir"), new byte[] {(byte) 0xff, 'a'});
        Outcome outcome = weir("check", "--json", "no/such/file.weir", bytes.toString());
        assertEquals(1, outcome.code());
        JsonNode found = new ObjectMapper().readTree(outcome.out());
        assertEquals(List.of("E0106", "E0106"), List.of(
                found.get(0).get("code").asText(), found.get(1).get("code").asText()));
        assertEquals("no/such/file.weir",
                found.get(0).get("span").get("file").asText());
        assertEquals(bytes + " is not UTF-8 text", found.get(1).get("message").asText());
    }

    @Test
    void checkGoesOnBehindAFileThatIsNotThere() throws Exception {
        Path wrong = Files.writeString(folder.resolve("wrong.weir"), "block A<D> {");
        Outcome outcome = weir("check", "no/such/file.weir", wrong.toString());
        assertEquals(1, outcome.code);
        assertTrue(outcome.err.contains("no/such/file.weir"), outcome.err);
        assertTrue(outcome.err.contains("wrong.weir:1"), outcome.err);
    }

    @Test
    void anIdOutsideTheVocabularyIsNamed() {
        for (String target : new String[] {"native", "jvm", "interpreter"}) {
            Outcome outcome = weir("run", TINYWORLD, "--prompt-ids", "5,900", "-n", "1",
                    "--target", target);
            assertEquals(1, outcome.code);
            assertEquals("error: the token id 900 is outside of the vocabulary, whose ids go from "
                    + "0 to 511: index 900 is outside axis 0 of table, which has 512 elements\n",
                    outcome.err);
        }
    }

    @Test
    void allThatIsWrongWithWeightsIsListedAtOnce() throws Exception {
        Files.copy(TestModel.tinyworld().resolve("config.json"), folder.resolve("config.json"));
        Map<String, Tensor> weights = new java.util.LinkedHashMap<>(SafeTensors.map(
                TestModel.tinyworld().resolve("model.safetensors"), Arena.ofAuto()));
        weights.remove("model.norm.weight");
        weights.put("lm_head.weight", Tensor.zeros(dev.weir.ir.type.Format.BF16, 3, 5));
        SafeTensors.write(folder.resolve("model.safetensors"), weights);
        Outcome outcome = weir("run", TINYWORLD, "--weights", folder.toString(),
                "--prompt-ids", "1", "-n", "1");
        assertEquals(1, outcome.code);
        assertTrue(outcome.err.contains("model.norm.weight"), outcome.err);
        assertTrue(outcome.err.contains("lm_head.weight"), outcome.err);
        assertTrue(outcome.err.contains("[3, 5]"), outcome.err);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0000", "{}"})
    void brokenWeightsAreAMessage(String content) throws Exception {
        Files.copy(TestModel.tinyworld().resolve("config.json"), folder.resolve("config.json"));
        Files.writeString(folder.resolve("model.safetensors"), content);
        Outcome outcome = weir("run", TINYWORLD, "--weights", folder.toString(),
                "--prompt-ids", "1", "-n", "1");
        assertEquals(1, outcome.code);
        assertTrue(outcome.err.contains("safetensors"), outcome.err);
    }
}
