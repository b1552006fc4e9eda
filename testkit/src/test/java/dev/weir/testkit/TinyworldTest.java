package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The trained example against its golden numbers, and past the length at which caches grow. */
class TinyworldTest {
    private static TestModel open(Target target) {
        return open(target, 2);
    }

    private static TestModel open(Target target, int threads) {
        return TestModel.of(
                TestModel.text(TestModel.tinyworld().resolve("tinyworld.weir")),
                TestModel.tinyworld(), target, threads, false);
    }

    private static long[] ids(Tensor tensor) {
        long[] ids = new long[(int) tensor.elements()];
        Arrays.setAll(ids, tensor::whole);
        return ids;
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void logitsAndGreedyTokensAreGolden(Target target) throws Exception {
        Map<String, Tensor> golden = SafeTensors.map(
                TestModel.tinyworld().resolve("golden.safetensors"), Arena.ofAuto());
        // The interpreter takes its time: one prompt, and fewer tokens.
        int prompts = target == Target.INTERPRETER ? 1 : 4;
        try (TestModel model = open(target)) {
            for (int n = 0; n < prompts; n++) {
                Engine.Session session = model.engine().start();
                Tensor logits = model.feed(session, ids(golden.get("prompt." + n)));
                FixtureTest.assertClose("logits." + n, golden.get("logits." + n), logits);
                List<Long> expected = new ArrayList<>();
                for (long id : ids(golden.get("greedy." + n))) {
                    expected.add(id);
                }
                int count = target == Target.INTERPRETER ? 12 : expected.size();
                assertEquals(expected.subList(0, count), model.greedy(session, logits, count));
            }
        }
    }

    /** In chunks of 5, and beside a shorter sequence; the same bytes, and on one thread too. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void greedyTokensAreGoldenInChunksAndInABatch(Target target) throws Exception {
        Map<String, Tensor> golden = SafeTensors.map(
                TestModel.tinyworld().resolve("golden.safetensors"), Arena.ofAuto());
        long[] prompt = ids(golden.get("prompt.0"));
        int count = target == Target.INTERPRETER ? 4 : 24;
        List<Long> expected = Arrays.stream(ids(golden.get("greedy.0"))).boxed().toList()
                .subList(0, count);
        Tensor alone;
        try (TestModel model = open(target, 1)) {
            alone = model.feed(model.engine().start(), prompt);
        }
        try (TestModel model = open(target)) {
            Engine.Session chunked = model.engine().start();
            Tensor last = null;
            for (int from = 0; from < prompt.length; from += 5) {
                int to = Math.min(prompt.length, from + 5);
                last = model.feed(chunked, Arrays.copyOfRange(prompt, from, to));
                assertEquals(alone.rows(from, to), last, "in chunks");
            }
            assertEquals(expected, model.greedy(chunked, last, count));
            Engine.Session batched = model.engine().start();
            Tensor both = model.batch(List.of(model.engine().start(), batched),
                    List.of(Arrays.copyOf(prompt, 3), prompt));
            assertEquals(alone, both.rows(3, 3 + prompt.length), "in a batch");
            assertEquals(expected, model.greedy(batched, both, count));
        }
    }

    @Test
    void cachesGrowAndAttentionCrossesTiles() throws Exception {
        long[] ids = new long[131];
        Arrays.setAll(ids, i -> (i * 37L + 11) % 512);
        Tensor expected;
        try (TestModel model = open(Target.INTERPRETER)) {
            expected = model.feed(model.engine().start(), ids);
        }
        for (Target target : List.of(Target.JVM, Target.NATIVE)) {
            try (TestModel model = open(target)) {
                Tensor logits = model.feed(model.engine().start(), ids);
                FixtureTest.assertClose("logits on " + target, expected, logits);
                Engine.Session session = model.engine().start();
                for (int from = 0; from < ids.length; from += 50) {
                    int to = Math.min(ids.length, from + 50);
                    assertEquals(logits.rows(from, to), model.feed(
                            session, Arrays.copyOfRange(ids, from, to)));
                }
            }
        }
    }
}
