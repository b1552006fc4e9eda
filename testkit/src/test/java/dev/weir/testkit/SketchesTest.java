package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The sketches that can be run already: compiled, they agree with the interpreter. */
class SketchesTest {
    private static Path sketch(String name) {
        return TestModel.ROOT.resolve("examples/sketches/" + name + ".weir");
    }

    private static long[] ids(int count, long seed) {
        Random random = new Random(seed);
        long[] ids = new long[count];
        Arrays.setAll(ids, i -> random.nextInt(16));
        return ids;
    }

    /** Feeds ids; models without positions take the ids alone. */
    private static Tensor feed(TestModel model, List<Engine.Session> sessions, long[]... ids) {
        long[] rows = Arrays.stream(ids).mapToLong(i -> i.length).toArray();
        long[] all = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
        Tensor tokens = Tensor.ofLongs(all);
        boolean positions = model.program().entry().body().arguments().size() == 2;
        return model.engine().step(sessions, rows,
                positions ? List.of(tokens, Engine.positions(sessions, rows)) : List.of(tokens),
                Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @CsvSource({
        "moe_plus_plus, JVM", "moe_plus_plus, NATIVE", "recursive, JVM", "recursive, NATIVE",
        "long_range, JVM", "long_range, NATIVE"
    })
    void agreesWithTheInterpreterInOneStepInChunksAndInABatch(String name, Target target)
            throws Exception {
        long[] first = ids(21, 1);
        long[] second = ids(9, 2);
        Tensor expected;
        Tensor other;
        try (TestModel model = TestModel.random(sketch(name), 7, Target.INTERPRETER, 1)) {
            expected = feed(model, List.of(model.engine().start()), first);
            other = feed(model, List.of(model.engine().start()), second);
        }
        try (TestModel model = TestModel.random(sketch(name), 7, target, 2)) {
            Tensor alone = feed(model, List.of(model.engine().start()), first);
            FixtureTest.assertClose(name, expected, alone);
            Tensor both = feed(model,
                    List.of(model.engine().start(), model.engine().start()), second, first);
            FixtureTest.assertClose(name, other, both.rows(0, 9));
            assertEquals(alone, both.rows(9, 30), "the same bytes in a batch");
            Engine.Session session = model.engine().start();
            for (int from = 0; from < first.length; from += 4) {
                int to = Math.min(first.length, from + 4);
                assertEquals(alone.rows(from, to),
                        feed(model, List.of(session), Arrays.copyOfRange(first, from, to)),
                        "the same bytes in chunks");
            }
            assertTrue(model.engine().ledger().launches() > 0);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void theConvolutionClassifierAgrees(Target target) throws Exception {
        Tensor expected;
        Tensor image;
        try (TestModel model = TestModel.random(sketch("convolution"), 3, Target.INTERPRETER, 1)) {
            long[] own = model.program().entry().body().arguments().getFirst().type().shape()
                    .stream().mapToLong(s -> s.constant().orElseThrow()).toArray();
            long[] shape = new long[own.length + 1];
            shape[0] = 1;
            System.arraycopy(own, 0, shape, 1, own.length);
            image = Tensor.zeros(Format.F32, shape);
            Random random = new Random(5);
            for (long i = 0; i < image.elements(); i++) {
                image.setReal(i, random.nextGaussian());
            }
            expected = model.engine().step(List.of(model.engine().start()), new long[] {1},
                    List.of(image), Engine.Tracer.NONE).getFirst();
        }
        try (TestModel model = TestModel.random(sketch("convolution"), 3, target, 2)) {
            FixtureTest.assertClose("logits", expected, model.engine().step(
                    List.of(model.engine().start()), new long[] {1}, List.of(image),
                    Engine.Tracer.NONE).getFirst());
        }
    }

    /** Kernels know weights by address only; a collection must not take them away. */
    @ParameterizedTest
    @EnumSource(value = Target.class, names = {"JVM", "NATIVE"})
    void weightsOutliveAGarbageCollection(Target target) throws Exception {
        long[] ids = ids(21, 1);
        try (TestModel model = TestModel.random(sketch("moe_plus_plus"), 7, target, 2)) {
            Tensor before = feed(model, List.of(model.engine().start()), ids);
            for (int round = 0; round < 3; round++) {
                System.gc();
                for (int i = 0; i < 200; i++) {
                    // Takes the place of what was freed.
                    Tensor.zeros(Format.F32, 64 + 8 * i).memory().fill((byte) 0xFF);
                }
                assertEquals(before, feed(model, List.of(model.engine().start()), ids));
            }
        }
    }
}
