package dev.weir.testkit;

import static dev.weir.testkit.FixtureTest.assertClose;
import static dev.weir.testkit.FixtureTest.best;
import static dev.weir.testkit.FixtureTest.flat;
import static dev.weir.testkit.FixtureTest.golden;
import static dev.weir.testkit.FixtureTest.row;
import static dev.weir.testkit.FixtureTest.wholes;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stock checkpoints of models that read one sequence, {@code encode}, and go on with another,
 * against golden numbers of an independent implementation.
 */
class EncoderFixtureTest {
    private static final String ENCODE = "encode";
    private static final int EXPERTS = 4;

    static Stream<Arguments> cases() {
        return Stream.of("switch_transformers", "switch_transformers_cap").flatMap(f ->
                Arrays.stream(Target.values()).map(t -> Arguments.of(f, t)));
    }

    private static TestModel open(String fixture, Target target, int threads, boolean trace) {
        return TestModel.stock(TestModel.fixture(fixture), "switch_transformers", target,
                threads, trace);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bothSequencesAreGolden(String fixture, Target target) throws Exception {
        Map<String, Tensor> golden = golden(fixture);
        try (TestModel model = open(fixture, target, 2, true)) {
            Tensor source = golden.get("input_ids");
            Tensor ids = golden.get("decoder_input_ids");
            List<Engine.Session> sessions =
                    List.of(model.engine().start(), model.engine().start());
            model.batch(ENCODE, sessions, List.of(row(source, 0), row(source, 1)));
            Tensor logits = model.batch(sessions, List.of(row(ids, 0), row(ids, 1)));
            assertClose("logits", flat(golden.get("logits")), logits);
            for (int i = 0; i < 2; i++) {
                assertClose("enc.hidden." + i, flat(golden.get("enc.hidden." + i)),
                        model.traced().get("encoder.nets." + i));
                assertClose("dec.hidden." + i, flat(golden.get("dec.hidden." + i)),
                        model.traced().get("decoder.nets." + i));
            }
            List<String> routers =
                    List.of("encoder.nets.1.net.logits", "decoder.nets.1.net.logits");
            for (int i = 0; i < routers.size(); i++) {
                Tensor expected = golden.get("router." + i);
                Tensor router = model.traced().get(routers.get(i));
                assertClose("router." + i, expected, router);
                assertEquals(best(expected, 1), best(router, 1), "chosen experts");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void greedyTokensAreGolden(Target target) throws Exception {
        Map<String, Tensor> golden = golden("switch_transformers");
        try (TestModel model = open("switch_transformers", target, 2, false)) {
            Engine.Session session = model.engine().start();
            model.batch(ENCODE, List.of(session), List.of(row(golden.get("input_ids"), 0)));
            assertEquals(wholes(golden.get("greedy")),
                    model.greedy(session, model.feed(session, 0), 16));
        }
    }

    /** An expert is full for later chunks too. */
    @ParameterizedTest
    @MethodSource("cases")
    void bytesDependNeitherOnChunksNorCompanions(String fixture, Target target) throws Exception {
        Map<String, Tensor> golden = golden(fixture);
        long[] source = row(golden.get("input_ids"), 0);
        long[] ids = row(golden.get("decoder_input_ids"), 0);
        try (TestModel model = open(fixture, target, 2, false)) {
            Engine.Session session = model.engine().start();
            model.batch(ENCODE, List.of(session), List.of(source));
            Tensor alone = model.feed(session, ids).copy();
            List<Engine.Session> two = List.of(model.engine().start(), model.engine().start());
            model.batch(ENCODE, two, List.of(Arrays.copyOf(source, 6), source));
            for (int from = 0; from < ids.length; from += 2) {
                long[] some = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + 2));
                Tensor both = model.batch(two, List.of(some, some));
                Tensor expected = alone.rows(from, from + some.length);
                Tensor actual = both.rows(some.length, 2L * some.length);
                if (target == Target.INTERPRETER) {
                    assertClose("rows from " + from, expected, actual);
                } else {
                    assertEquals(expected, actual, "rows from " + from);
                }
            }
        }
    }

    /** Only the encoder makes the keys and values that the decoder's steps read. */
    @Test
    void crossAttentionMakesKeysOnce() throws Exception {
        try (TestModel model = open("switch_transformers", Target.NATIVE, 1, false)) {
            Engine.Session session = model.engine().start();
            model.batch(ENCODE, List.of(session),
                    List.of(row(golden("switch_transformers").get("input_ids"), 0)));
            model.feed(session, 0);
            model.compiled().resetLedger();
            model.feed(session, 5);
            long read = 0;
            long crossed = 0;
            for (Parameter parameter : model.kernels().parameters()) {
                String path = parameter.path();
                long bytes = Float.BYTES * Arrays.stream(parameter.storedShape())
                        .reduce(1, Math::multiplyExact);
                // Of a list of experts one is chosen.
                long instances = path.contains("experts")
                        ? parameter.instances().size() / EXPERTS : parameter.instances().size();
                boolean keys = path.matches("decoder.others.*attention.w[kv]");
                crossed += keys ? bytes * instances : 0;
                read += path.startsWith("encoder") || keys ? 0 : bytes * instances;
            }
            assertTrue(crossed > 100 * 512, "those of keys and values are many: " + crossed);
            // Beside the matrices a row of the table and one of the bias are read once more.
            assertEquals(read, model.engine().ledger().weightBytes(), 512);
        }
    }
}
