package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Stock checkpoints against golden numbers of an independent implementation, on every target. */
class FixtureTest {
    private static final double BOUND = 1e-4;

    /** Models that go on with a sequence, and models that take it whole. */
    static Stream<Arguments> all() {
        return Stream.concat(cases(), on("albert", "bert"));
    }

    static Stream<Arguments> cases() {
        return on("llama", "llama_bf16", "mixtral", "mistral", "qwen3", "gemma2", "qwen2_moe",
                "olmoe", "deepseek_v3", "gpt_oss", "qwen3_next", "mamba", "jamba", "zamba2");
    }

    private static Stream<Arguments> on(String... fixtures) {
        return Arrays.stream(fixtures).flatMap(f ->
                Arrays.stream(Target.values()).map(t -> Arguments.of(f, t)));
    }

    private static String type(String fixture) {
        return fixture.startsWith("llama") ? "llama" : fixture;
    }

    private static TestModel open(String fixture, Target target, int threads, boolean trace) {
        return TestModel.stock(
                TestModel.fixture(fixture), type(fixture), target, threads, trace);
    }

    static Map<String, Tensor> golden(String fixture) {
        Path file = TestModel.fixture(fixture).resolve("golden.safetensors");
        return SafeTensors.map(file, Arena.ofAuto());
    }

    static long[] row(Tensor ids, int row) {
        int n = (int) ids.shape()[1];
        long[] values = new long[n];
        Arrays.setAll(values, i -> ids.whole((long) row * n + i));
        return values;
    }

    static List<Long> wholes(Tensor tensor) {
        List<Long> values = new ArrayList<>();
        for (long i = 0; i < tensor.elements(); i++) {
            values.add(tensor.whole(i));
        }
        return values;
    }

    static void assertClose(String what, Tensor expected, Tensor actual) {
        assertEquals(expected.elements(), actual.elements(), what);
        for (long i = 0; i < expected.elements(); i++) {
            double error = Math.abs(expected.real(i) - actual.real(i))
                    / Math.max(1, Math.abs(expected.real(i)));
            // Not a number is not close.
            boolean same = Double.compare(expected.real(i), actual.real(i)) == 0;
            assertTrue(same || error <= BOUND, what + ", element " + i + ": expected "
                    + expected.real(i) + ", found " + actual.real(i));
        }
    }

    /**
     * As {@link #assertClose}, for what is normalised next: relative to the largest number of the
     * row. Golden numbers are 1e-4 off the exact ones in rows of the last layer of one fixture, whose
     * largest are 12.
     */
    private static void assertRowsClose(String what, Tensor expected, Tensor actual) {
        assertEquals(expected.elements(), actual.elements(), what);
        long width = expected.shape()[expected.shape().length - 1];
        for (long row = 0; row < expected.elements(); row += width) {
            double largest = 1;
            for (long i = row; i < row + width; i++) {
                largest = Math.max(largest, Math.abs(expected.real(i)));
            }
            for (long i = row; i < row + width; i++) {
                assertEquals(expected.real(i), actual.real(i), BOUND * largest,
                        what + ", element " + i);
            }
        }
    }

    static Tensor flat(Tensor tensor) {
        long[] shape = tensor.shape();
        return new Tensor(tensor.format(), new long[] {shape[0] * shape[1], shape[2]},
                tensor.memory());
    }

    @ParameterizedTest
    @MethodSource("all")
    void logitsAndHiddenStatesAndRoutersAreGolden(String fixture, Target target)
            throws Exception {
        Map<String, Tensor> golden = golden(fixture);
        try (TestModel model = open(fixture, target, 2, true)) {
            Tensor ids = golden.get("input_ids");
            List<Engine.Session> sessions =
                    List.of(model.engine().start(), model.engine().start());
            Tensor logits = model.batch(sessions, List.of(row(ids, 0), row(ids, 1)));
            long rows = logits.shape()[0];
            assertEquals(flat(golden.get("logits")).shape()[0], rows, "rows of logits");
            assertClose("logits", flat(golden.get("logits")), logits);
            for (int i = 0; golden.containsKey("hidden." + i); i++) {
                // Layers that share their weights are rounds of one.
                Tensor hidden = fixture.equals("albert")
                        ? model.traced("groups.0").get(i) : model.traced().get("layers." + i);
                assertRowsClose(
                        "hidden." + i, flat(golden.get("hidden." + i)).rows(0, rows), hidden);
            }
            List<String> routers = model.traced().keySet().stream()
                    .filter(path -> path.matches("layers\\.\\d+\\..*\\.logits"))
                    .sorted()
                    .toList();
            long chosen = model.program().configuration().containsKey("num_experts_per_tok")
                    ? Long.parseLong(model.program().configuration().get("num_experts_per_tok"))
                    : 0;
            for (int i = 0; golden.containsKey("router." + i); i++) {
                Tensor router = model.traced().get(routers.get(i));
                Tensor expected = golden.get("router." + i).rows(0, rows);
                assertClose("router." + i, expected, router);
                assertEquals(best(expected, chosen), best(router, chosen), "chosen experts of layer " + i);
            }
        }
    }

    /** The k largest of each row, ascending. */
    static List<List<Long>> best(Tensor logits, long k) {
        List<List<Long>> chosen = new ArrayList<>();
        long n = logits.shape()[1];
        for (long r = 0; r < logits.shape()[0]; r++) {
            long row = r;
            List<Long> order = new ArrayList<>();
            for (long e = 0; e < n; e++) {
                order.add(e);
            }
            order.sort((a, b) -> Double.compare(
                    logits.real(row * n + b), logits.real(row * n + a)));
            chosen.add(order.subList(0, (int) k).stream().sorted().toList());
        }
        return chosen;
    }

    /** One test for both, since making the code is most of their time. */
    @ParameterizedTest
    @MethodSource("all")
    void greedyTokensAreGoldenAndBytesDependOnNothingElse(String fixture, Target target)
            throws Exception {
        long[] prompt = row(golden(fixture).get("input_ids"), 0);
        long[] other = row(golden(fixture).get("input_ids"), 1);
        try (TestModel model = open(fixture, target, 2, false)) {
            if (golden(fixture).containsKey("greedy")) {
                assertGreedyTokensAreGolden(model, wholes(golden(fixture).get("greedy")), prompt);
            } else {
                assertTrue(takesWholeSequences(model), "no golden tokens");
            }
            if (target != Target.INTERPRETER) {
                assertBytesAreTheSame(model, prompt, other);
            }
        }
    }

    private static boolean takesWholeSequences(TestModel model) {
        return model.program().stream().orElseThrow().obstacle().isPresent();
    }

    /** Through prefill, in chunks, and in a batch. */
    private static void assertGreedyTokensAreGolden(
            TestModel model, List<Long> expected, long[] prompt) {
        Engine.Session whole = model.engine().start();
        Tensor logits = model.feed(whole, prompt);
        assertEquals(expected, model.greedy(whole, logits, 16), "prefill and decode");

        Engine.Session chunked = model.engine().start();
        Tensor last = null;
        for (int from = 0; from < prompt.length; from += 5) {
            last = model.feed(chunked, Arrays.copyOfRange(
                    prompt, from, Math.min(prompt.length, from + 5)));
        }
        assertEquals(expected, model.greedy(chunked, last, 16), "chunks of 5");

        Engine.Session shorter = model.engine().start();
        Engine.Session batched = model.engine().start();
        Tensor both = model.batch(
                List.of(shorter, batched), List.of(Arrays.copyOf(prompt, 6), prompt));
        assertEquals(expected, model.greedy(batched, both, 16), "beside a shorter sequence");
    }

    /** Whatever the chunks, steps, companions and threads. */
    private static void assertBytesAreTheSame(TestModel model, long[] prompt, long[] other)
            throws Exception {
        Tensor alone;
        try (TestModel one = model.by(1)) {
            alone = one.feed(one.engine().start(), prompt);
        }
        assertEquals(alone, model.feed(model.engine().start(), prompt), "two threads");
        Engine.Session chunked = model.engine().start();
        boolean whole = takesWholeSequences(model);
        for (int from = 0; !whole && from < prompt.length; from += 5) {
            int to = Math.min(prompt.length, from + 5);
            assertEquals(alone.rows(from, to),
                    model.feed(chunked, Arrays.copyOfRange(prompt, from, to)), "chunks");
        }
        Engine.Session single = model.engine().start();
        for (int at = 0; !whole && at < prompt.length; at++) {
            assertEquals(alone.rows(at, at + 1), model.feed(single, prompt[at]), "one by one");
        }
        Tensor both = model.batch(
                List.of(model.engine().start(), model.engine().start()),
                List.of(Arrays.copyOf(other, 6), prompt));
        assertEquals(alone, both.rows(6, 6 + prompt.length), "in a batch");
    }
}
