package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Machine;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.memory.Tensor;
import dev.weir.ir.type.Format;
import dev.weir.testkit.CommandTest.Outcome;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a model is predicted to cost, against what the ledger says that it did. */
class CostTest {
    private static final Question ONE = new Question(1, 0, 1, Map.of());

    private static Cost cost(KernelProgram program, Question question) {
        return CostOf.program(program, question, Optional.empty());
    }

    /** Two of eight experts, whichever they are: the expectation is exact for one token. */
    @Test
    void oneTokenCostsWhatTheLedgerSays() throws Exception {
        try (TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), Target.NATIVE, 1, false)) {
            Cost cost = cost(model.kernels(), ONE);
            model.feed(model.engine().start(), 17);
            Ledger ledger = model.engine().ledger();
            assertEquals(ledger.launches(), cost.total().launches(), 1e-6);
            assertEquals(ledger.weightBytes(), cost.total().weights(), 1e-3);
            // All weights are bf16, and a token reads each of its weights once.
            assertEquals(ledger.weightBytes() / 2.0, cost.active(), 1e-3);
            // Keys and values of 2 heads of 32 in f32, and a position, in each of 4 layers.
            assertEquals(4 * (2 * 2 * 32 * 4 + 8), cost.cache());
            assertEquals(0, cost.bounded());
        }
    }

    @Test
    void manyTokensReadAllExpertsOfARouteOnce() throws Exception {
        try (TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), Target.NATIVE, 1, false)) {
            Cost few = cost(model.kernels(), new Question(1, 0, 1, Map.of()));
            Cost many = cost(model.kernels(), new Question(1000, 0, 1, Map.of()));
            long experts = 4L * 8 * 3 * 160 * 128 * 2;
            // One row of the embedding, and all 512 of them, however often.
            long embedding = 511 * 128 * 2;
            assertEquals(few.total().weights() - experts / 4.0 + experts + embedding,
                    many.total().weights(), 1);
            assertEquals(few.parameters(), many.parameters());
            assertEquals(few.active(), many.active(), "one token's, whatever the step");
        }
    }

    /** Of the product; what follows it is part of the scatter behind the gate. */
    private static double heavy(double share, long tokens) throws Exception {
        try (TestModel model = TestModel.random(LedgerTest.GUARDED, 1, Target.JVM, 1)) {
            return cost(model.kernels(), new Question(tokens, 0, share, Map.of())).blocks()
                    .stream().filter(b -> b.path().equals("guarded.heavy"))
                    .mapToDouble(b -> b.amounts().operations()).sum();
        }
    }

    /** Each of 16 sums has 16 products. */
    @ParameterizedTest
    @CsvSource({"1, 64", "0.5, 32", "0.25, 16", "0, 0"})
    void whatAGateKeepsOutCostsNothing(double share, long entrants) throws Exception {
        assertEquals(entrants * 16 * 16 * 2, heavy(share, 64));
    }

    @Test
    void singleGatesHaveSharesOfTheirOwn() throws Exception {
        try (TestModel model = TestModel.random(LedgerTest.GUARDED, 1, Target.JVM, 1)) {
            Cost cost = cost(model.kernels(),
                    new Question(64, 0, 1, Map.of("if test.weir:10:9", 0.5)));
            assertEquals("if test.weir:10:9", cost.assumptions().getFirst().path());
            assertTrue(cost.blocks().stream().anyMatch(b -> b.path().equals("guarded.heavy")
                    && b.amounts().operations() == 32 * 16 * 16 * 2),
                    cost.blocks().toString());
        }
    }

    /** What several tokens choose is known behind the step only. */
    @Test
    void withTheRoutesThatWereTakenSeveralTokensCostWhatTheLedgerSays() throws Exception {
        try (TestModel model = TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), Target.NATIVE, 1, false)) {
            model.feed(model.engine().start(), 17, 5, 200);
            Ledger ledger = model.engine().ledger();
            Map<String, List<Long>> served = ledger.routes().stream()
                    .collect(Collectors.toMap(Ledger.Route::path, Ledger.Route::served));
            assertTrue(served.values().stream().anyMatch(r -> r.contains(0L)), "" + served);
            Question question = new Question(3, 0, 1, Map.of());
            assertEquals(ledger.weightBytes(),
                    cost(model.kernels(), question.withRoutes(served)).total().weights(), 1e-3);
            assertNotEquals(ledger.weightBytes(),
                    cost(model.kernels(), question).total().weights(), 1e-3);
        }
    }

    /** All rounds are one launch, and each reads weights of its own. */
    @Test
    void roundsInOneKernelReadTheirOwnWeights() throws Exception {
        try (TestModel model = TestModel.random("""
                model M<D = 8, L = 5> {
                    param scale[L, D]

                    forward(x[D]) -> y[D] {
                        y = x
                        for i in 0..L {
                            y[d] = tanh(y[d] * scale[i, d])
                        }
                    }
                }
                """, 1, Target.JVM, 1)) {
            Cost cost = cost(model.kernels(), ONE);
            model.engine().step(List.of(model.engine().start()), new long[] {1},
                    List.of(Tensor.zeros(Format.F32, 1, 8)), Engine.Tracer.NONE);
            assertEquals(5 * 8 * 4, model.engine().ledger().weightBytes());
            assertEquals(5 * 8 * 4, cost.total().weights());
            assertEquals(5 * 8, cost.active());
        }
    }

    /** Blocks of a list that one kernel brings together are each read. */
    @Test
    void blocksOfAListInOneKernelAreAllRead() throws Exception {
        try (TestModel model = TestModel.random("""
                block Scale<D> {
                    param w[D]
                    forward(x[D]) -> y[D] { y[d] = w[d] * x[d] }
                }
                model M<D = 16> {
                    scales: Scale<D> * 3
                    forward(x[T, D]) -> y[T, D] {
                        y = scales[0](x) + scales[1](x) - scales[2](scales[1](x))
                    }
                }
                """, 1, Target.JVM, 1)) {
            assertEquals(1, model.kernels().kernels().size());
            Cost cost = cost(model.kernels(), ONE);
            assertEquals(3 * 16, cost.active());
            assertEquals(cost.active() * 4, cost.total().weights());
        }
    }

    /** Of unlike blocks, a token is expected to read the share that it is sent to. */
    @Test
    void aRouteAmongUnlikeBlocksReadsTheBlocksThatAreChosen() throws Exception {
        try (TestModel model = TestModel.random("""
                block Wide<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = w @ x
                }
                block Scale<D> {
                    param w[D]
                    forward(x[D]) -> y[D] { y[d] = w[d] * x[d] }
                }
                block Routed<D> {
                    param router[2, D]
                    blocks: [Wide<D>, Scale<D>]
                    forward(x[D]) -> y[D] {
                        one[n in 0..2] = 1.0
                        y = route x to blocks by top(1, router @ x, weights: one)
                    }
                }
                model M<D = 16> {
                    routed: Routed<D>
                    forward(x[T, D]) -> y[T, D] = routed(x)
                }
                """, 1, Target.JVM, 1)) {
            Question many = new Question(64, 0, 1, Map.of());
            assertEquals(2 * 16 + (16 * 16 + 16) / 2.0,
                    cost(model.kernels(), ONE).active(), 1e-9);
            assertEquals(4 * (2 * 16 + 16 * 16 + 16),
                    cost(model.kernels(), many).total().weights(), 1e-3);
        }
    }

    /** One layer at four depths has its weights once, and reads them four times. */
    @Test
    void aSharedLayerIsActiveOnce() throws Exception {
        try (TestModel model = TestModel.random("""
                block Layer<D> {
                    param w[D, D]
                    forward(x[D]) -> y[D] = x + w @ x
                }
                model M<D = 16> {
                    layer: Layer<D>
                    forward(x[T, D]) -> y[T, D] {
                        y = x
                        for i in 0..4 { y = layer(y) }
                    }
                }
                """, 1, Target.JVM, 1)) {
            Cost cost = cost(model.kernels(), ONE);
            assertEquals(256, cost.parameters());
            assertEquals(256, cost.active());
            assertEquals(4 * 256 * 4, cost.total().weights());
        }
    }

    private static final String RECURSION = """
            block Turn<D> {
                param w[D, D], halt[D]
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..6 {
                        y = y + w @ y
                        middle[d] = mean[t] y[t, d]
                        if middle @ halt > 0.0 { break }
                    }
                }
            }
            model M<D = 16> {
                turn: Turn<D>
                forward(x[T, D]) -> y[T, D] = turn(x)
            }
            """;

    /** All six are predicted where nobody says better, and this is said. */
    @ParameterizedTest
    @CsvSource({"6, 6", "3, 3", "2.5, 2.5", "9, 6", "0, 0"})
    void aLoopThatIsLeftEarlyHasTheRoundsThatAreStated(double stated, double rounds)
            throws Exception {
        try (TestModel model = TestModel.random(RECURSION, 1, Target.JVM, 1)) {
            Cost all = cost(model.kernels(), new Question(9, 0, 1, Map.of()));
            Cost.Loop loop = all.loops().getFirst();
            assertEquals(new Cost.Loop(loop.path(), true, 1, 6, 1, 6), loop);
            assertTrue(all.assumptions().contains(
                    new Cost.Assumption(loop.path(), "left behind 6.00 of 6 rounds")),
                    all.assumptions().toString());
            Cost some = cost(model.kernels(), new Question(9, List.of(), 1, Map.of(),
                    Optional.empty(), Map.of(loop.path(), stated)));
            assertEquals(rounds, some.loops().getFirst().iterations(), 1e-9);
            assertEquals(all.total().weights() * rounds / 6, some.total().weights(), 1e-6);
            assertEquals(cost(model.kernels(), new Question(9, List.of(), 1, Map.of(),
                    Optional.of(stated), Map.of())).total(), some.total(), "the only loop");
        }
    }

    /** A scan that writes its rows in place: each place once, and no copy of the others. */
    @Test
    void whatALoopCarriesIsCopiedAtMostOnce() throws Exception {
        try (TestModel model = TestModel.random("""
                block Sums<D> {
                    state total[D] = 0
                    forward(x[T, D]) -> y[T, D] {
                        scan t {
                            total[d] = 0.5 * total[d] + x[t, d]
                            y[t, d] = tanh(total[d])
                        }
                    }
                }
                model M<D = 16> {
                    sums: Sums<D>
                    forward(x[T, D]) -> y[T, D] = sums(x)
                }
                """, 1, Target.JVM, 1)) {
            for (long tokens : new long[] {64, 128}) {
                Cost cost = cost(model.kernels(), new Question(tokens, 0, 1, Map.of()));
                double copied = cost.blocks().stream().filter(b -> b.path().equals("copies"))
                        .mapToDouble(b -> b.amounts().written()).sum();
                assertTrue(copied <= tokens * 16 * 4, copied + " bytes for " + tokens);
                assertTrue(cost.total().operations() < tokens * 16 * 40,
                        "each place is one sequence's: " + cost.total().operations());
                assertTrue(cost.total().read() < tokens * 16 * 4 * 10,
                        "and reads one row: " + cost.total().read());
            }
        }
    }

    private static final String CLOSED = """
            block Layer<D> {
                param w[D, D], router[D]
                forward(x[T, D]) -> y[T, D] {
                    middle[d] = mean[t] x[t, d]
                    y = x
                    if middle @ router > 0.0 { y = w @ x }
                }
            }
            model M<D = 16> {
                layer: Layer<D>
                forward(x[T, D]) -> y[T, D] = layer(x)
            }
            """;

    /** A sequence enters as a whole or not at all: a share of the work, not of the tokens. */
    @ParameterizedTest
    @CsvSource({"1", "0.5", "0.25", "0"})
    void aSequenceThatEntersBringsAllItsTokens(double share) throws Exception {
        try (TestModel model = TestModel.random(CLOSED, 1, Target.JVM, 1)) {
            double none = operations(model, 0);
            double all = operations(model, 1) - none;
            assertTrue(all >= 64 * 16 * 16 * 2, "the product and what follows: " + all);
            assertEquals(none + share * all, operations(model, share), 1e-6);
        }
    }

    private static double operations(TestModel model, double share) {
        return cost(model.kernels(), new Question(64, 0, share, Map.of())).total().operations();
    }

    private static final String LOOKING = """
            model Looking<D = 8> {
                param wk[D, D], wq[D, D]
                state keys[S, D], own[R, D]
                encode(x[U, D]) -> kept[U, D] {
                    kept = wk @ x
                    keys ++= kept
                }
                forward(x[T, D]) -> y[T, D] {
                    q = wq @ x
                    own ++= q
                    p[t, s] = softmax[s] sum[d] q[t, d] * keys[s, d]
                    y[t, d] = sum[s] p[t, s] * keys[s, d]
                }
            }
            """;

    private static Cost behind(TestModel model, long tokens, Question.Context... context) {
        return CostOf.entry(model.allKernels(), model.kernels(),
                new Question(tokens, List.of(context), 1, Map.of()), Optional.empty());
    }

    /**
     * A state has the slots that were appended: the elements that a gate let in, or the last ones,
     * each counted for itself where an equation reads two states.
     */
    @ParameterizedTest
    @CsvSource({"1.0, 0.25", "0.5, 0.125", "0.0, 0.5"})
    void statesHaveWhatWasAppendedAndKept(double before, double now) throws Exception {
        String text = """
                block Both<D> {
                    state near[N, D], at[N]: int keep last 16
                    state far[S, D]
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        near ++= x
                        at ++= pos
                        stays[t] = x[t, 0] > 0.0
                        if stays { far ++= x }
                        a[t, d] = sum[n] near[n, d] * x[t, d] where at[n] <= pos[t]
                        b[t, d] = sum[s] exp(far[s, d] * x[t, d])
                        y[t, d] = a[t, d] + b[t, d]
                    }
                }

                model M<D = 8> {
                    both: Both<D> * 3
                    forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                        y = x
                        for i in 0..3 { y = both[i](y, pos) }
                    }
                }
                """;
        try (TestModel model = TestModel.random(text, 1, Target.JVM, 1)) {
            double first = slots(model, now, 0, 0);
            // An exponential counts for more than one operation.
            double far = slots(model, now, 1000, 1) - slots(model, now, 1000, 0);
            double near = slots(model, now, 1000, 0) - first;
            assertEquals(near + before * far, slots(model, now, 1000, before) - first, 1e-6 * far);
            assertEquals(near, slots(model, now, 15, 0) - first, 1e-6 * near,
                    "15 slots are kept before the next");
            assertTrue(0 < near && near < 0.05 * far, near + " of the last, " + far + " of all");
        }
    }

    /** Operations of a token behind others, where such shares come through the gate. */
    private static double slots(TestModel model, double now, long context, double before) {
        return cost(model.kernels(), new Question(1, context, 1, gates(now))
                .withSharesBefore(gates(before))).total().operations();
    }

    private static Map<String, Double> gates(double share) {
        return Map.of("both.0.gate0", share, "both.1.gate0", share, "both.2.gate0", share);
    }

    /** A state has as many slots as the entries have taken that append to it. */
    @Test
    void aStepReadsWhatOtherEntriesHaveLeft() throws Exception {
        try (TestModel model = TestModel.random(LOOKING, 1, Target.JVM, 1)) {
            Question.Context encoded = new Question.Context(Optional.of("encode"), 20);
            Question.Context twice = new Question.Context(Optional.of("encode"), 40);
            Question.Context own = new Question.Context(Optional.empty(), 20);
            Cost none = behind(model, 3);
            Cost some = behind(model, 3, encoded);
            double each = (some.total().operations() - none.total().operations()) / 20;
            // For each of 3 tokens and each slot, 8 products and additions, twice, and more.
            assertTrue(each > 3 * 4 * 8, "operations for a slot: " + each);
            assertEquals(none.total().operations() + 40 * each,
                    behind(model, 3, twice).total().operations(), 1e-6);
            assertEquals(some.total().operations(),
                    behind(model, 3, encoded, own).total().operations(), 1e-6,
                    "its own tokens leave no keys");
            assertEquals("Looking.forward", some.model());
            assertEquals(8 * 4, some.cache(), "a token's row in `own`; it leaves no keys");
            assertEquals(2 * 8 * 8, some.parameters());
            assertEquals(8 * 8, some.active(), "the other half is the encoder's");
        }
    }

    private static final String CACHED = """
            block Layer<D> {
                param wq[D, D]
                state keys[S, D]

                forward(x[T, D]) -> y[T, D] {
                    q = wq @ x
                    keys ++= q
                    p[t, s] = softmax[s] sum[d] q[t, d] * keys[s, d]
                    y[t, d] = sum[s] p[t, s] * keys[s, d]
                }
            }

            model Some<D = 8, L = 4, Every = 1> {
                layers: Layer<D> * L

                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..L {
                        if i % Every == 0 { y = layers[i](y) }
                    }
                }
            }
            """;

    @Test
    void layersThatDoNotRunHaveNoCache() throws Exception {
        for (int every : new int[] {1, 2, 4}) {
            try (TestModel model = TestModel.random(
                    CACHED.replace("Every = 1", "Every = " + every), 1, Target.JVM, 1)) {
                assertEquals(4 / every * 8 * 4, cost(model.kernels(), ONE).cache());
            }
        }
    }

    private static double pairs(Cost cost) {
        return cost.blocks().stream().filter(b -> b.path().equals("Chunked"))
                .mapToDouble(b -> b.amounts().operations()).sum();
    }

    /** Ten tokens are four chunks of three, and each of these has nine pairs. */
    @Test
    void chunksAreAsManyAsTheTokensFill() throws Exception {
        try (TestModel model = TestModel.random("""
                model Chunked<D = 8, C = 3> {
                    param w[D]

                    forward(x[T, D]) -> y[T, D] {
                        near[n in 0..(T + C - 1) / C, c in 0..C, e in 0..C] =
                            sum[d] exp(w[d] * (x[n * C + c, d] or 0) * (x[n * C + e, d] or 0))
                        y[t, d] = x[t, d] + sum[e in 0..C] (near[t / C, t % C, e] or 0)
                    }
                }
                """, 1, Target.JVM, 1)) {
            Cost ten = cost(model.kernels(), new Question(10, 0, 1, Map.of()));
            Cost twelve = cost(model.kernels(), new Question(12, 0, 1, Map.of()));
            assertEquals(List.of(), ten.assumptions());
            double pairs = pairs(ten);
            assertTrue(pairs > 0 && pairs % (4 * 9 * 8) == 0, "" + ten.blocks());
            assertEquals(pairs, pairs(twelve));
        }
    }

    @Test
    void theCommandTakesAnEntryAndWhatRanBeforeIt() throws Exception {
        String model = TestModel.fixture("switch_transformers").toString();
        Outcome table = weir("cost", model, "--tokens", "1", "--context", "encode=64");
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().startsWith("SwitchTransformers.forward: a step of 1 token behind "
                + "64 of encode\n"), table.out());
        Outcome json = weir("cost", model, "--entry", "encode", "--tokens", "64", "--json");
        assertEquals(0, json.code(), json.err());
        JsonNode node = new ObjectMapper().readTree(json.out());
        assertEquals("SwitchTransformers.encode", node.get("model").asText());
        Outcome unknown = weir("cost", model, "--context", "enocde=64");
        assertEquals(1, unknown.code());
        assertTrue(unknown.err().contains("no entry enocde; the model has forward, encode"),
                unknown.err());
        Outcome senseless = weir("cost", model, "--context", "encode=many");
        assertEquals(2, senseless.code());
        assertTrue(senseless.err().contains("--context takes tokens"), senseless.err());
    }

    /** A machine that is slow at one thing is as slow as this thing. */
    @Test
    void timeIsTheSlowerOfWorkAndBytes() throws Exception {
        try (TestModel model = TestModel.random(LedgerTest.GUARDED, 1, Target.JVM, 1)) {
            Question question = new Question(64, 0, 1, Map.of());
            Cost free = cost(model.kernels(), question);
            assertEquals(0, free.total().seconds());
            Cost computing = CostOf.program(model.kernels(), question,
                    Optional.of(new Machine(1, 1, 1e30, 0)));
            assertEquals(free.total().operations(), computing.total().seconds(), 1e-6);
            Cost reading = CostOf.program(model.kernels(), question,
                    Optional.of(new Machine(1, 1e30, 1, 0)));
            assertEquals(free.total().bytes(), reading.total().seconds(), 1e-6);
            Cost launching = CostOf.program(model.kernels(), question,
                    Optional.of(new Machine(1, 1e30, 1e30, 2)));
            assertEquals(2 * free.total().launches(), launching.total().seconds(), 1e-6);
        }
    }

    @Test
    void theCommandWritesATableAndJson() throws Exception {
        String model = TestModel.ROOT.resolve("examples/sketches/recursive.weir").toString();
        Outcome table = weir("cost", model, "--tokens", "3", "--open", "0.5");
        assertEquals(0, table.code(), table.err());
        assertTrue(table.out().contains("| network.layer.attention"), table.out());
        assertTrue(table.out().contains("assumed: network.gate1: a share of 0.500"), table.out());
        Outcome json = weir("cost", model, "--tokens", "3", "--context", "5", "--json");
        assertEquals(0, json.code(), json.err());
        JsonNode node = new ObjectMapper().readTree(json.out());
        assertEquals(3, node.get("tokens").asInt());
        assertEquals(5, node.get("context").asInt());
        double sum = 0;
        for (JsonNode block : node.get("blocks")) {
            sum += block.get("operations").asDouble();
        }
        assertEquals(node.get("total").get("operations").asDouble(), sum, 1e-6);
    }

    @Test
    void aLoopThatIsNotThereIsTold() {
        Outcome outcome = weir("cost", TestModel.ROOT.resolve(
                "examples/halting_quantile/idea.weir").toString(), "--rounds", "loop_j=3");
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("no loop loop_j can be left early; those that can: loop_i"),
                outcome.err());
    }

    /** Above what the loop has, or none of what has begun when somebody leaves. */
    @ParameterizedTest
    @CsvSource({"99", "8.5", "0", "0.5"})
    void roundsThatALoopCannotHaveAreTold(String rounds) {
        String model = TestModel.ROOT.resolve("examples/halting_quantile/idea.weir").toString();
        for (String given : List.of("loop_i=" + rounds, rounds)) {
            Outcome outcome = weir("cost", model, "--rounds", given);
            assertEquals(1, outcome.code(), outcome.err());
            assertTrue(outcome.err().contains(
                    " has from 1 to 8 rounds, here " + rounds + " are said"), outcome.err());
        }
    }

    @Test
    void roundsWithoutALoopThatIsLeftAreTold() {
        Outcome outcome = weir("cost", TestModel.ROOT.resolve(
                "examples/halting_quantile/baseline.weir").toString(), "--rounds", "3");
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("no loop can be left early"), outcome.err());
    }

    @ParameterizedTest
    @CsvSource({"--rounds, -1", "--rounds, few", "--open, 1.5", "--open, half", "--tokens, 0", "--context, -1", "--threads, 0"})
    void senselessOptionsAreRefused(String option, String value) {
        Outcome outcome = weir("cost", TestModel.tinyworld().toString(), option, value);
        assertEquals(2, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains(option + " "), outcome.err());
    }
}
