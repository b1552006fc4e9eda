package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.IndexRanges;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Size;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import dev.weir.testkit.CommandTest.Outcome;
import dev.weir.testkit.TestModel.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Ideas beside their baselines: every folder in {@code examples} with an {@code example.json}. */
class ExamplesTest {
    private static final int TOKENS = 29;
    private static final int SEED = 5;
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private Path folder;

    static List<Path> examples() throws IOException {
        try (Stream<Path> folders = Files.list(TestModel.ROOT.resolve("examples"))) {
            return folders.filter(f -> Files.exists(f.resolve("example.json"))).sorted().toList();
        }
    }

    private static JsonNode description(Path example) throws IOException {
        return JSON.readTree(TestModel.text(example.resolve("example.json")));
    }

    /** What a program gave and did. */
    private record Outcomes(List<Tensor> results, Ledger ledger) {}

    private static Outcomes run(Path example, String program, Target target) throws IOException {
        Map<String, String> small = new TreeMap<>();
        description(example).path("small").properties().forEach(
                e -> small.put(e.getKey(), e.getValue().asText()));
        // A size that only one of the two has is no setting of the other.
        String text = TestModel.text(example.resolve(program));
        small.keySet().removeIf(name -> !text.contains(" " + name + " =")
                && !text.contains("<" + name + " ="));
        List<TensorProgram> entries = Compiler.entries(
                new Source(program, text), TestModel.LIBRARY,
                new LowerOptions(Optional.empty(), Configuration.empty(), small, false));
        Map<Parameter, List<Tensor>> weights = new HashMap<>();
        Map<String, Long> ranges = IndexRanges.of(entries);
        entries.forEach(e -> e.parameters().forEach(p -> weights.putAll(
                RandomWeights.of(List.of(p), SEED + p.path().hashCode(), ranges))));
        if (target == Target.INTERPRETER) {
            return run(example, new InterpretedModel(entries, weights), entries);
        }
        // What runs, and what it gives, do not depend on how hard LLVM tries.
        try (KernelCompiler compiler =
                        TestModel.compiler(target, LlvmCompiler.Effort.LEAST);
                Model model = new Model(entries.stream().map(e -> Compiler.schedule(
                        Compiler.optimise(e), compiler.target())).toList(), compiler, weights, 2,
                        Pool.UNLIMITED)) {
            return run(example, model, entries);
        }
    }

    /** The entry that is measured, behind those that the description says ran before. */
    private static Outcomes run(Path example, Engine engine, List<TensorProgram> entries)
            throws IOException {
        Map<String, Signature> signatures = new HashMap<>();
        entries.forEach(e -> signatures.put(e.entry().name(), Signature.of(e)));
        JsonNode description = description(example);
        String own = entries.getFirst().entry().name();
        List<String> before = new ArrayList<>();
        description.path("context").fieldNames().forEachRemaining(
                e -> before.add(entries.size() == 1 ? own : e));
        Engine.Session session = engine.start();
        Random random = new Random(SEED);
        int ids = description.path("ids").asInt(16);
        for (String entry : before) {
            step(engine, session, entry, signatures.get(entry), random, ids);
        }
        String entry = entries.size() == 1 ? own : description.path("entry").asText(own);
        return new Outcomes(
                step(engine, session, entry, signatures.get(entry), random, ids),
                engine.ledger());
    }

    private static List<Tensor> step(
            Engine engine, Engine.Session session, String entry, Signature signature,
            Random random, int ids) {
        long[] rows = {signature.arguments().stream().anyMatch(Signature.Slot::isStream)
            ? TOKENS : 1};
        List<Tensor> inputs = new ArrayList<>();
        for (Signature.Slot argument : signature.arguments()) {
            inputs.add(argument.isPositions()
                    ? Engine.positions(entry, List.of(session), rows)
                    : random(argument, random, ids));
        }
        return engine.step(entry, List.of(session), rows, inputs, Engine.Tracer.NONE).stream()
                .map(Tensor::copy).toList();
    }

    private static Tensor random(Signature.Slot argument, Random random, int ids) {
        List<Size> own = argument.type().shape();
        long[] shape = new long[own.size() + (argument.isStream() ? 0 : 1)];
        shape[0] = argument.isStream() ? TOKENS : 1;
        for (int axis = argument.isStream() ? 1 : 0; axis < own.size(); axis++) {
            shape[shape.length - own.size() + axis] = own.get(axis).constant().orElseThrow();
        }
        Tensor tensor = Tensor.zeros(argument.format(), shape);
        for (long i = 0; i < tensor.elements(); i++) {
            if (argument.format().isFloat()) {
                tensor.setReal(i, random.nextGaussian());
            } else {
                tensor.setWhole(i, random.nextInt(ids));
            }
        }
        return tensor;
    }

    /** The idea itself is held against its textbook form, in the package {@code ideas}. */
    @ParameterizedTest
    @MethodSource("examples")
    void theBaselineAgreesWithTheInterpreter(Path example) throws IOException {
        agreesWithTheInterpreter(example, "baseline.weir");
    }

    private static void agreesWithTheInterpreter(Path example, String program)
            throws IOException {
        Outcomes expected = run(example, program, Target.INTERPRETER);
        for (Target target : List.of(Target.JVM, Target.NATIVE)) {
            Outcomes actual = run(example, program, target);
            for (int r = 0; r < expected.results().size(); r++) {
                FixtureTest.assertClose(example + "/" + program + " on " + target,
                        expected.results().get(r), actual.results().get(r));
            }
        }
    }

    /** An example counts only beside a textbook form of its own. */
    @Test
    void eachIsComparedWithATextbookForm() throws IOException {
        StringBuilder tests = new StringBuilder();
        try (Stream<Path> files = Files.list(Path.of("src/test/java/dev/weir/testkit/ideas"))) {
            files.forEach(f -> tests.append(TestModel.text(f)));
        }
        for (Path example : examples()) {
            assertTrue(tests.indexOf("Idea.example(\"" + example.getFileName() + "\")") >= 0,
                    example + " has no test in the package ideas");
        }
    }

    /**
     * What the folder promises in {@code ledger} to leave out is left out, and only this: work
     * behind gates and routes, rounds of loops, weights that the baseline reads, operations,
     * parameters or cache that the baseline has more of, tiles of a mask, or, for a reason and where
     * its paper claims no ratio, nothing. How much is left is stated as a share of the baseline's,
     * so that half of a saving is none; what a gate or an early end leaves out is less than what
     * all have.
     */
    @ParameterizedTest
    @MethodSource("examples")
    void theLedgerShowsThatThePromisedWorkIsNotDone(Path example) throws IOException {
        JsonNode promised = description(example).path("ledger");
        Ledger ledger = run(example, "idea.weir", Target.NATIVE).ledger();
        Steps steps = Steps.of(example);
        List<String> gates = new ArrayList<>();
        promised.path("gates").forEach(g -> gates.add(g.asText()));
        for (String path : gates) {
            Ledger.Gate gate = ledger.gates().stream().filter(g -> g.path().equals(path))
                    .findFirst().orElseThrow(() -> new AssertionError(
                            path + " is not among " + ledger.gates()));
            assertTrue(0 < gate.entered() && gate.entered() < gate.all(), gate.toString());
        }
        JsonNode routes = promised.path("routes");
        for (Map.Entry<String, JsonNode> entry : routes.properties()) {
            Ledger.Route route = ledger.routes().stream()
                    .filter(r -> r.path().equals(entry.getKey())).findFirst()
                    .orElseThrow(() -> new AssertionError(
                            entry.getKey() + " is not among " + ledger.routes()));
            long chosen = entry.getValue().asLong();
            assertTrue(chosen < route.served().size(), route.toString());
            assertEquals(chosen * TOKENS,
                    route.served().stream().mapToLong(n -> n).sum(), route.toString());
        }
        JsonNode rounds = promised.path("rounds");
        for (Map.Entry<String, JsonNode> entry : rounds.properties()) {
            Long ran = ledger.loops().get(entry.getKey());
            assertTrue(ran != null && 0 < ran && ran < entry.getValue().asLong(),
                    entry.getKey() + " of " + ledger.loops());
        }
        boolean less = isLess(steps, promised);
        // Tiles are counted in MaskTilesTest.
        boolean tiles = promised.path("tiles").asDouble(1) < 1;
        boolean none = description(example).path("claim").asText().startsWith("no ratio")
                && promised.path("nothing").asText().length() > 20;
        assertTrue(!gates.isEmpty() || !routes.isEmpty() || !rounds.isEmpty()
                || promised.has("weights") || less || tiles || none, example + " promises nothing");
        isLeft(steps, promised, "left", !routes.isEmpty() || promised.has("fewer")
                || promised.has("weights"), steps.asked(1, Optional.empty()));
        isLeft(steps, promised, "shut", !gates.isEmpty(), steps.asked(0, Optional.empty()));
        isLeft(steps, promised, "once", !rounds.isEmpty(), steps.asked(1, Optional.of(1.0)));
        savesSomething(steps, promised, "shut");
        savesSomething(steps, promised, "once");
        for (String gate : gates) {
            assertTrue(steps.isWorkBehind(gate), example + ": nothing is behind " + gate);
        }
        if (promised.has("weights")) {
            double whole = run(example, "baseline.weir", Target.NATIVE).ledger().weightBytes();
            assertStated(example + " \"read\"", promised.path("read"),
                    ledger.weightBytes() / whole);
        }
    }

    /**
     * What a step of the idea has, as a share of what the baseline's has: with all gates open and
     * loops to their ends ({@code left}), with all gates shut ({@code shut}), with one round of
     * each loop that can be left early ({@code once}). Routes serve equally many in each block.
     */
    private static void isLeft(
            Steps steps, JsonNode promised, String when, boolean needed, Question question) {
        JsonNode stated = promised.path(when);
        assertTrue(!needed || !stated.isEmpty(), steps.example + " does not say how much of the "
                + "baseline's operations or weights is \"" + when + "\", as in \"" + when
                + "\": {\"operations\": 0.25}; here it is "
                + steps.share("operations", question) + " of the operations and "
                + steps.share("weights", question) + " of the weights");
        for (Map.Entry<String, JsonNode> amount : stated.properties()) {
            assertStated(steps.example + " \"" + when + "\" of " + amount.getKey(),
                    amount.getValue(), steps.share(amount.getKey(), question));
        }
    }

    /** Of what is said to be left then, something is less than with all gates and rounds. */
    private static void savesSomething(Steps steps, JsonNode promised, String when) {
        assertTrue(promised.path(when).isEmpty() || promised.path(when).propertyStream().anyMatch(
                amount -> amount.getValue().asDouble() < 0.99 * steps.share(
                        amount.getKey(), steps.asked(1, Optional.empty()))),
                steps.example + " saves nothing when " + when + ": " + promised.path(when));
    }

    private static void assertStated(String what, JsonNode stated, double share) {
        assertTrue(stated.isNumber(), what + " has to be a number; here it is " + share);
        assertEquals(stated.asDouble(), share, 0.002 + 0.02 * stated.asDouble(), what);
    }

    /**
     * What a step, at the sizes that are measured, has {@code fewer} of than the baseline's, has as
     * much of within a hundredth ({@code equal}), or what grows no faster than its tokens ({@code
     * linear}) where the baseline's grows faster.
     *
     * @return whether something of this is promised
     */
    private static boolean isLess(Steps steps, JsonNode promised) {
        Question question = steps.asked(1, Optional.empty());
        for (JsonNode name : promised.path("fewer")) {
            double share = steps.share(name.asText(), question);
            assertTrue(share < 1, name.asText() + ": " + share + " of the baseline's");
            assertTrue(promised.path("left").has(name.asText()),
                    steps.example + " does not say how much is \"left\" of " + name);
        }
        for (JsonNode name : promised.path("equal")) {
            assertEquals(1, steps.share(name.asText(), question), 0.01, name.asText());
        }
        for (JsonNode name : promised.path("linear")) {
            double idea = steps.growth(steps.idea, name.asText());
            double baseline = steps.growth(steps.baseline, name.asText());
            assertTrue(idea <= 2.0 + 1e-6, name.asText() + " of twice the tokens: " + idea);
            assertTrue(baseline > 2.1, name.asText() + " of the baseline: " + baseline);
        }
        return promised.has("fewer") || promised.has("equal") || promised.has("linear");
    }

    /** The step that an example measures, as kernels of both programs. */
    private record Steps(
            Path example,
            KernelProgram idea,
            List<TensorProgram> others,
            KernelProgram baseline,
            long tokens,
            List<Question.Context> context) {

        static Steps of(Path example) throws IOException {
            JsonNode description = description(example);
            JsonNode context = description.path("context");
            List<TensorProgram> entries = entries(example, "idea.weir");
            return new Steps(example, kernels(entries.getFirst()),
                    entries.subList(1, entries.size()),
                    kernels(entries(example, "baseline.weir").getFirst()),
                    description.path("tokens").asLong(128),
                    context.isObject()
                            ? context.propertyStream().map(e -> new Question.Context(
                                    Optional.of(e.getKey()), e.getValue().asLong())).toList()
                            : List.of(new Question.Context(Optional.empty(), context.asLong())));
        }

        Question asked(double open, Optional<Double> rounds) {
            return new Question(tokens, context, open, Map.of(), rounds, Map.of());
        }

        /** Of the baseline's amount. */
        double share(String name, Question question) {
            return amount(name, idea, question)
                    / amount(name, baseline, asked(1, Optional.empty()));
        }

        /** By what factor an amount grows if the step has twice the tokens. */
        double growth(KernelProgram program, String name) {
            return amount(name, program, new Question(2 * tokens, context, 1, Map.of()))
                    / amount(name, program, new Question(tokens, context, 1, Map.of()));
        }

        /**
         * A gate in front of nothing would be counted all the same: shut by itself, it has to leave
         * something out of the step, or of a step of another entry.
         */
        boolean isWorkBehind(String gate) {
            Question open = asked(1, Optional.empty());
            Question shut = open.with(Map.of(gate, 0.0), Map.of());
            return Stream.concat(Stream.of(idea), others.stream().map(ExamplesTest::kernels))
                    .anyMatch(entry -> Stream.of("operations", "cache").anyMatch(name ->
                            amount(name, entry, shut) < 0.999 * amount(name, entry, open)));
        }

        private double amount(String name, KernelProgram program, Question question) {
            Cost cost = CostOf.program(program, question, Optional.empty());
            return switch (name) {
                case "operations" -> cost.total().operations();
                case "weights" -> cost.total().weights();
                case "parameters" -> cost.parameters();
                case "cache" -> cost.cache();
                default -> throw new AssertionError(example + " says something of " + name);
            };
        }
    }

    /** First the one that is measured. */
    private static List<TensorProgram> entries(Path example, String program) throws IOException {
        List<TensorProgram> entries = new ArrayList<>(Compiler.entries(
                new Source(program, TestModel.text(example.resolve(program))), TestModel.LIBRARY,
                LowerOptions.of(Configuration.empty())));
        String entry = description(example).path("entry").asText("");
        entries.sort(Comparator.comparing(e -> !e.entry().name().equals(entry)));
        return entries;
    }

    private static KernelProgram kernels(TensorProgram entry) {
        return Compiler.schedule(Compiler.optimise(entry), TargetDescription.AVX512);
    }

    @ParameterizedTest
    @MethodSource("examples")
    void eachHasAPageWithItsSourceClaimAndGap(Path example) {
        String page = TestModel.text(example.resolve("README.md"));
        for (String part : List.of("**Source.**", "**Claim.**", "**Equations.**", "**Sizes.**",
                "**What is compared.**", "**The gap.**")) {
            assertTrue(page.contains(part), example + " lacks " + part);
        }
        assertTrue(TestModel.text(TestModel.ROOT.resolve("examples/README.md")).contains(
                "(" + example.getFileName() + ")"), example + " is not in the gallery");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\'', value = {
        "\"open\": -1 | \"open\" has to be a number from 0 to 1, here it is -1",
        "\"open\": [0.5] | \"open\" has to be a number from 0 to 1",
        "\"tokens\": \"many\" | \"tokens\" has to be a whole number, here it is \"many\"",
        "\"tokens\": 1.5 | \"tokens\" has to be a whole number",
        "\"tokens\": 0 | \"tokens\" has to be at least 1",
        "\"rounds\": 3 | \"rounds\" has to be an object",
        "\"rounds\": {\"nope\": 2} | no loop nope can be left early; none can",
        "\"small\": 3 | \"small\" has to be an object with a number or a text for each size",
        "\"small\": {\"D\": []} | \"small\" has to be an object with a number or a text",
        "\"ledger\": [] | \"ledger\" has to be an object, here it is []",
        "\"ledger\": {\"gates\": \"x\"} | \"gates\" has to be a list of names, here it is \"x\"",
        "\"ledger\": {\"routes\": {\"a\": 0}} | \"routes\" has to be an object with a whole number",
        "\"ledger\": {\"rounds\": 2} | \"rounds\" has to be an object with a whole number",
        "\"ledger\": {\"fewer\": [\"beauty\"]} | \"fewer\" has to be a list of operations, weights",
        "\"ledger\": {\"shut\": {\"operations\": -1}} | \"shut\" has to be an object with the share",
        "\"ledger\": {\"left\": {\"time\": 1}} | for some of operations, weights, parameters, cache",
        "\"ledger\": {\"tiles\": \"few\"} | \"tiles\" has to be the share of tiles, a number",
        "\"ledger\": {\"doors\": []} | \"ledger\" says \"doors\", which means nothing",
        "\"compare\": \"cache\" | compares \"cache\", of which the baseline has none",
        "\"tokns\": 4 | says \"tokns\", which means nothing",
    })
    void aDescriptionThatMakesNoSenseIsRefused(String field, String problem) throws IOException {
        Path example = folder.resolve("wrong");
        assertEquals(0, weir("new", "--example", example.toString()).code());
        Path file = example.resolve("example.json");
        String text = Files.readString(file);
        Files.writeString(file, text.substring(0, text.lastIndexOf('}')) + ", " + field + "}");
        Outcome outcome = weir("bench", example.toString(), "-r", "1", "--warmup", "0", "-t", "1",
                "--set", "D=16");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains(problem), outcome.err());
    }

    /** Rounds that the loop of the idea cannot have. */
    @ParameterizedTest
    @CsvSource({"0, 8", "0.5, 8", "9, 8"})
    void roundsThatALoopCannotHaveAreRefused(String rounds, int most) throws IOException {
        Path example = Files.createDirectories(folder.resolve("halting"));
        for (String file : List.of("idea.weir", "baseline.weir", "example.json")) {
            String text = TestModel.text(
                    TestModel.ROOT.resolve("examples/halting_quantile").resolve(file));
            Files.writeString(example.resolve(file),
                    text.replace("\"rounds\": {\"loop_i\": 2}",
                            "\"rounds\": {\"loop_i\": " + rounds + "}"));
        }
        Outcome outcome = weir("bench", example.toString(), "-r", "1", "--warmup", "0", "-t", "1",
                "--set", "D=16", "--set", "F=16");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("example.json: loop_i has from 1 to " + most
                + " rounds, here " + rounds + " are said"), outcome.err());
    }

    /** What says how a language model is measured says nothing of an example. */
    @ParameterizedTest
    @CsvSource({"-p 5, --n-prompt", "-n 2, --n-gen", "-b 2, --batch-size",
        "--memory-limit 4G, --memory-limit", "--model X, --model", "--weights ., --weights"})
    void anOptionThatMeansNothingForAnExampleIsRefused(String given, String name) {
        for (String what : List.of("examples/shrinking_gate", "--gallery examples")) {
            String path = TestModel.ROOT.resolve(what.replace("--gallery ", "")).toString();
            Outcome outcome = weir(Stream.concat(Stream.of("bench", path),
                    Stream.of(((what.startsWith("--") ? "--gallery " : "") + given).split(" ")))
                    .toArray(String[]::new));
            assertEquals(2, outcome.code(), outcome.err());
            assertTrue(outcome.err().contains(name + " is for a single model"), outcome.err());
        }
    }

    @Test
    void aGateThatIsNotThereIsRefused() {
        Outcome outcome = weir("cost", TestModel.ROOT.resolve("examples/shrinking_gate/idea.weir")
                .toString(), "--open", "nogate=0.5");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("there is no gate nogate"), outcome.err());
        assertTrue(outcome.err().contains("if idea.weir:15:13"), outcome.err());
    }

    /** What a new example begins with holds all that is asked of an example. */
    @Test
    void theTemplateIsAnExample() throws IOException {
        Path example = folder.resolve("tried_idea");
        Outcome made = weir("new", "--example", example.toString());
        assertEquals(0, made.code(), made.err());
        agreesWithTheInterpreter(example, "baseline.weir");
        agreesWithTheInterpreter(example, "idea.weir");
        theLedgerShowsThatThePromisedWorkIsNotDone(example);
        Outcome formatted = weir("fmt", "--check", example.toString());
        assertEquals(0, formatted.code(), formatted.out());
        Outcome bench = weir("bench", example.toString(), "-r", "1", "--warmup", "0",
                "-t", "1", "-o", "json", "--set", "D=16");
        assertEquals(0, bench.code(), bench.err());
        JsonNode node = JSON.readTree(bench.out());
        assertEquals("operations", node.get("compare").asText());
        assertTrue(node.get("predicted").asDouble() > 1, node.toString());
        assertTrue(node.get("measuredTime").asDouble() > 0, node.toString());
        Outcome again = weir("new", "--example", example.toString());
        assertEquals(1, again.code());
        Outcome gallery = weir("bench", "--gallery", folder.toString(), "-r", "1",
                "--warmup", "0", "-t", "1", "--set", "D=16");
        assertEquals(0, gallery.code(), gallery.err());
        assertTrue(gallery.out().contains("[tried_idea](tried_idea)"), gallery.out());
    }

    /** Among Weir's own examples the template comes with its test, which compiles as it is. */
    @Test
    void theTemplateHasATest() throws IOException {
        Path tests = Files.createDirectories(
                folder.resolve("testkit/src/test/java/dev/weir/testkit/ideas"));
        Path examples = Files.createDirectories(folder.resolve("examples"));
        Outcome made = weir("new", "--example", examples.resolve("tried_idea").toString());
        assertEquals(0, made.code(), made.err());
        Path test = tests.resolve("TriedIdeaTest.java");
        assertTrue(made.out().contains("TriedIdeaTest.java"), made.out());
        assertTrue(Files.readString(test).contains("Idea.example(\"tried_idea\")"));
        assertEquals(0, ToolProvider.getSystemJavaCompiler().run(null, null, null,
                "-cp", System.getProperty("java.class.path"), "-proc:none",
                "-d", folder.toString(), test.toString()));
    }

    /** A prompt by one entry, then a token by the other; the baseline takes both by its only one. */
    @Test
    void anIdeaMayHaveSeveralEntries() throws IOException {
        Outcome bench = weir("bench", TestModel.ROOT.resolve("examples/routed_prompt").toString(),
                "-r", "1", "--warmup", "0", "-t", "1", "-o", "json", "--set", "D=16",
                "--set", "F=16", "--set", "L=4", "--set", "H=2", "--set", "C=8");
        assertEquals(0, bench.code(), bench.err());
        JsonNode models = JSON.readTree(bench.out()).get("models");
        assertEquals("Dense", models.get("a").get("cost").get("model").asText());
        assertEquals("First.forward", models.get("b").get("cost").get("model").asText());
        for (String side : List.of("a", "b")) {
            JsonNode cost = models.get(side).get("cost");
            assertEquals(1, cost.get("tokens").asInt());
            assertEquals(128, cost.get("contextByEntry").get("prefill").asInt());
            assertTrue(models.get(side).get("measuredSeconds").asDouble() > 0);
        }
        double all = models.get("a").get("cost").get("total").get("weightBytes").asDouble();
        double open = models.get("b").get("cost").get("total").get("weightBytes").asDouble();
        assertTrue(open < all, "layers that the prompt shuts are not read: " + open);
        Outcome option = weir("bench", TestModel.ROOT.resolve("examples/routed_prompt").toString(),
                "--context", "3");
        assertEquals(2, option.code());
        assertTrue(option.err().contains("example.json"), option.err());
    }

    @Test
    void wrongDescriptionsAreExplained() throws IOException {
        Path example = folder.resolve("wrong");
        assertEquals(0, weir("new", "--example", example.toString()).code());
        Path file = example.resolve("example.json");
        String good = Files.readString(file);
        Files.writeString(file, good.replace("\"operations\"", "\"beauty\""));
        Outcome quantity = weir("bench", example.toString());
        assertEquals(1, quantity.code());
        assertTrue(quantity.err().contains("time, operations, weights"), quantity.err());
        Files.writeString(file, good.replace("\"claim\"", "\"boast\""));
        assertTrue(weir("bench", example.toString()).err().contains("\"claim\""));
        Files.writeString(file, good.replace("128", "0"));
        assertTrue(weir("bench", example.toString()).err().contains("\"tokens\""));
        Files.writeString(file, good);
        Files.delete(example.resolve("idea.weir"));
        assertTrue(weir("bench", example.toString()).err().contains("idea.weir"));
        Outcome none = weir("bench", "--gallery", example.toString());
        assertEquals(1, none.code());
        assertTrue(none.err().contains("weir new --example"), none.err());
    }

    @Test
    void twoModelsAreComparedAsTableAndAsJson() throws IOException {
        Path example = folder.resolve("compared");
        assertEquals(0, weir("new", "--example", example.toString()).code());
        String[] common = {"diff", example.resolve("baseline.weir").toString(),
            example.resolve("idea.weir").toString(), "--random", "1", "-r", "2", "--warmup", "0",
            "-t", "1", "--tokens", "9", "--set", "D=16"};
        Outcome table = weir(common);
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("| measured time"), table.out());
        assertTrue(table.out().contains("| spread"), table.out());
        Outcome json = weir(Stream.concat(Stream.of(common), Stream.of("--json"))
                .toArray(String[]::new));
        assertEquals(0, json.code(), json.err());
        JsonNode node = JSON.readTree(json.out());
        JsonNode samples = node.get("a").get("samples_ns");
        assertEquals(2, samples.size());
        JsonNode others = node.get("b").get("samples_ns");
        // The median of two quotients lies halfway.
        assertEquals((samples.get(0).asDouble() / others.get(0).asDouble()
                + samples.get(1).asDouble() / others.get(1).asDouble()) / 2,
                node.get("measuredRatio").get("median").asDouble(), 1e-9);
        double dense = node.get("a").get("cost").get("total").get("operations").asDouble();
        double gated = node.get("b").get("cost").get("total").get("operations").asDouble();
        assertFalse(dense <= gated, "those who pass by cost nothing: " + gated);
        assertEquals(2, weir("diff", example.toString()).code(), "a model is missing");
    }
}
