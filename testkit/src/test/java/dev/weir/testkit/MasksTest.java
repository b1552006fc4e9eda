package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Attention under masks of many forms: walks that conditions narrow, tiles that they close, places
 * of an open tile that they hide, and rows that see nothing.
 */
class MasksTest {
    private static final String MODEL = """
            fn near(a: int, b: int) -> bool = a - b < 40 and b - a < 3

            model M<H = 2, C = %d> {
                forward(q[T, H, C], k[T, H, C], v[T, H, C], page[T]: int) -> z[T, H, C] {
                    kind[d in 0..3] = d * 2 %% 3
                    score[t, h, s] = (sum[c] q[t, h, c] * k[s, h, c]) / sqrt(C)
                    p[t, h, s] = softmax[s] score[t, h, s] where %s
                    z[t, h, c] = sum[s] p[t, h, s] * v[s, h, c]
                }
            }
            """;

    @ParameterizedTest
    @ValueSource(strings = {
        "true",
        "s <= t",
        "t >= s",
        "s < t",
        "t > s",
        "s - t <= 0",
        "not (s > t)",
        "s >= t",
        "s <= t and t - s < 33",
        "33 > t - s and t >= s",
        "s >= t - 70 and s <= t - 65",
        "s + 5 < t + 2",
        "5 - s > 2 - t",
        "near(t, s)",
        "s <= t and (t - s < 10 or s < 4)",
        "s <= t and (s / 16) % 3 == 1",
        "s == t",
        "s + 3 == t and page[t] >= 1",
        "abs(t - s) < 9",
        "abs(2 * s - t) <= 30",
        "7 >= abs(s - t - 5)",
        "page[t] == 2",
        "s != t",
        "s % 7 == t % 7",
        "page[s] == page[t]",
        "page[s] <= page[t] and s >= 64",
        "page[t] - page[s] < 2 and page[s] <= page[t]",
        "(page[s] + 1) / 2 == (page[t] + 1) / 2",
        "page[s] / 2 % 3 != 1",
        "abs(page[t] - page[s]) <= 1 and -page[s] >= -3",
        "min(2 * page[s], 5) == min(page[t] * 2, 5) or max(page[s], s) < 9",
        "s > 1000",
        "s / 30 == t / 30 and s <= t",
        "(t - 40) / 7 <= (s - 50) / 7 and (s - 9) / 8 < t / 8 + 3",
        "abs(page[t] - s / 40) < 2 or page[s] == 2",
        "not (page[s] == page[t] or abs(-t - 1) % 5 == s % 5) and min(s, t) > 6",
        "kind[min(page[s], 2)] == kind[min(page[t], 2)]",
        "page[t] > 2 or kind[page[t]] < page[s]",
        "page[t] <= 2 and kind[page[t]] >= s % 3 and s <= t + 40",
        "s - page[t] < 5 or s + page[t] > t + 60",
        "s <= t + page[t] and s + 50 > t - 2 * page[t]",
        "t % 2 == 0 and s <= t",
        "s <= 2 * t and 2 * s >= t"})
    void everyTargetSeesTheSamePlaces(String mask) throws Exception {
        everyTargetSeesTheSamePlaces(mask, 64);
        if (mask.length() % 2 == 0) {
            // Vectors that leave something over: neighbours share no rows.
            everyTargetSeesTheSamePlaces(mask, 19);
        }
    }

    private static void everyTargetSeesTheSamePlaces(String mask, int width) throws Exception {
        String source = MODEL.formatted(width, mask);
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
            for (int rows : new int[] {1, 5, 64, 131}) {
                List<Tensor> arguments = arguments(rows, width);
                long[] ragged = rows < 5 ? new long[] {rows}
                        : new long[] {rows - rows / 3, 0, rows / 3};
                Tensor expected = run(oracle, ragged, arguments);
                String name = mask + ", width " + width + ", " + rows + " rows";
                Tensor compiled = run(nativeCode, ragged, arguments);
                FixtureTest.assertClose(name + ", native", expected, compiled);
                assertEquals(compiled, run(jvm, ragged, arguments),
                        name + ": both generators give the same bytes");
            }
        }
    }

    /** Where arithmetic on data wraps, it wraps in every place alike. */
    @ParameterizedTest
    @ValueSource(strings = {
        "page[t] - page[s] < 40",
        "page[s] * 3 < page[t]",
        "abs(page[s]) >= page[t]",
        "page[s] < page[t] + 1",
        "abs(page[s] - page[t] + page[s] - page[t]) < 9",
        "s - page[t] < 5",
        "abs(s - page[t]) < 50",
        "s + 3 < t + 7 * page[t]",
        "(s + page[t]) / 3 < t / 3"})
    void everyTargetSeesTheSamePlacesOfNumbersThatWrap(String mask) throws Exception {
        String source = MODEL.formatted(16, mask);
        List<Tensor> arguments = arguments(131, 16);
        Random random = new Random(7);
        for (long t = 0; t < 131; t++) {
            // Some tiles have small numbers only, the last one hardly any; some numbers are just
            // those that f32 no longer holds, or their sums.
            long power = (1L << 20 + random.nextInt(6)) + random.nextInt(3) - 1;
            long large = random.nextInt(3) == 0 ? random.nextLong()
                    : random.nextBoolean() ? power : -power;
            arguments.getLast().setWhole(t, t < 64 || random.nextInt(5) == 0 ? t : large);
        }
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
            Tensor compiled = run(nativeCode, new long[] {131}, arguments);
            FixtureTest.assertClose(
                    mask, run(oracle, new long[] {131}, arguments), compiled);
            assertEquals(compiled, run(jvm, new long[] {131}, arguments));
        }
    }

    /**
     * Points go through tiles together or alone, over rows that are copied or where they lie: in
     * chunks of one stream, beside another one, or all at once.
     */
    @ParameterizedTest
    @ValueSource(strings = {"s <= t", "s <= t and (t - s < 70 or s < 4)"})
    void howPointsComeTogetherDoesNotChangeBytes(String mask) throws Exception {
        String source = """
                model M<H = 2, C = 64> {
                    state keys[S, C], values[S, C], at[S]: int

                    forward(q[T, H, C], pos[T]: int = positions) -> z[T, H, C] {
                        key[t, c] = q[t, 0, c]
                        value[t, c] = q[t, 1, c]
                        keys ++= key
                        values ++= value
                        at ++= pos
                        score[t, h, s] = (sum[c] q[t, h, c] * keys[s, c]) / sqrt(C)
                        p[t, h, s] = softmax[s] score[t, h, s] where seen(pos[t], at[s])
                        z[t, h, c] = sum[s] p[t, h, s] * values[s, c]
                    }
                }

                fn seen(t: int, s: int) -> bool = %s
                """.formatted(mask);
        Tensor first = reals(new Random(1), 200, 64);
        Tensor second = reals(new Random(2), 70, 64);
        for (Target target : List.of(Target.NATIVE, Target.JVM)) {
            try (TestModel model = TestModel.random(source, 5, target, 2)) {
                Engine engine = model.engine();
                Tensor whole = step(engine, List.of(engine.start()), List.of(first));
                Tensor other = step(engine, List.of(engine.start()), List.of(second));
                assertEquals(both(whole, other), step(engine,
                        List.of(engine.start(), engine.start()), List.of(first, second)));
                Engine.Session session = engine.start();
                int from = 0;
                for (int rows : new int[] {1, 3, 66, 1, 64, 2, 63}) {
                    assertEquals(part(whole, from, rows), step(engine, List.of(session),
                            List.of(part(first, from, rows))), rows + " from " + from);
                    from += rows;
                }
            }
        }
    }

    /** Layers of two kinds take turns: which instance of a state is meant, the host computes. */
    @Test
    void layersOfTwoKindsSeeWhatTheirsSays() throws Exception {
        String source = """
                block Among<C>(visible: fn(q: int, k: int) -> bool) {
                    state keys[S, C], at[S]: int

                    forward(x[T, C], pos[T]: int) -> y[T, C] {
                        keys ++= x
                        at ++= pos
                        score[t, s] = (sum[c] x[t, c] * keys[s, c]) / sqrt(C)
                        p[t, s] = softmax[s] score[t, s] where visible(pos[t], at[s])
                        y[t, c] = sum[s] p[t, s] * keys[s, c]
                    }
                }

                model M<C = 32, L = 5> {
                    layers: [
                        if i % 2 == 1 {
                            Among<C>(fn(q, k) -> k <= q)
                        } else {
                            Among<C>(fn(q, k) -> k <= q and (q - k < 30 or k < 3 or k / 16 % 3 == 1))
                        } for i in 0..L
                    ]

                    forward(x[T, C], pos[T]: int = positions) -> y[T, C] {
                        y = x
                        for i in 0..L {
                            y = y + layers[i](y, pos)
                            y[t, c] = y[t, c] + sin(float(pos[t] * (c + 1)))
                        }
                    }
                }
                """;
        Tensor first = rows(new Random(1), 200);
        Tensor second = rows(new Random(2), 70);
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
            Tensor expected = chunks(oracle.engine(), first, 200);
            Tensor whole = chunks(nativeCode.engine(), first, 200);
            FixtureTest.assertClose("whole", expected, whole);
            for (TestModel model : List.of(nativeCode, jvm)) {
                assertEquals(whole, chunks(model.engine(), first, 130, 1, 5, 64));
                Tensor together = step(model.engine(),
                        List.of(model.engine().start(), model.engine().start()),
                        List.of(first, second));
                assertEquals(both(whole, chunks(nativeCode.engine(), second, 70)), together);
            }
        }
    }

    private static Tensor chunks(Engine engine, Tensor x, int... chunks) {
        Engine.Session session = engine.start();
        Tensor all = null;
        int from = 0;
        for (int rows : chunks) {
            Tensor y = step(engine, List.of(session), List.of(part(x, from, rows)));
            all = all == null ? y : both(all, y);
            from += rows;
        }
        return all;
    }

    private static Tensor rows(Random random, int rows) {
        Tensor tensor = Tensor.zeros(Format.F32, rows, 32);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, random.nextGaussian());
        }
        return tensor;
    }

    private static Tensor step(
            Engine engine, List<Engine.Session> sessions, List<Tensor> inputs) {
        long[] rows = inputs.stream().mapToLong(i -> i.shape()[0]).toArray();
        return engine.step(sessions, rows, List.of(
                inputs.size() == 1 ? inputs.getFirst() : both(inputs.getFirst(), inputs.getLast()),
                Engine.positions(sessions, rows)), Engine.Tracer.NONE)
                .getFirst().copy();
    }

    private static Tensor part(Tensor tensor, int from, int rows) {
        long[] shape = tensor.shape().clone();
        long row = tensor.elements() / shape[0];
        shape[0] = rows;
        Tensor part = Tensor.zeros(Format.F32, shape);
        for (long i = 0; i < part.elements(); i++) {
            part.setReal(i, tensor.real(from * row + i));
        }
        return part;
    }

    private static Tensor both(Tensor first, Tensor second) {
        long[] shape = first.shape().clone();
        shape[0] += second.shape()[0];
        Tensor both = Tensor.zeros(Format.F32, shape);
        for (long i = 0; i < both.elements(); i++) {
            both.setReal(i, i < first.elements()
                    ? first.real(i) : second.real(i - first.elements()));
        }
        return both;
    }

    /** An axis of constant length that is long is walked through in tiles as well. */
    @Test
    void alongALongConstantAxis() throws Exception {
        String source = """
                model M<P = 523, C = 6> {
                    param scale[C]

                    forward(q[P, C], k[P, C], v[P, C]) -> z[P, C] {
                        score[t in 0..P, s in 0..P] = sum[c] q[t, c] * scale[c] * k[s, c]
                        p[t, s] = softmax[s] score[t, s] where s <= t + 9
                        z[t, c] = sum[s] p[t, s] * v[s, c]
                    }
                }
                """;
        Random random = new Random(3);
        List<Tensor> arguments = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            Tensor tensor = Tensor.zeros(Format.F32, 1, 523, 6);
            for (long n = 0; n < tensor.elements(); n++) {
                tensor.setReal(n, random.nextGaussian());
            }
            arguments.add(tensor);
        }
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
            assertTrue(nativeCode.kernels().stories().stream()
                    .anyMatch(s -> s.form().equals("points in blocks, streamed online")));
            Tensor compiled = run(nativeCode, new long[] {1}, arguments);
            FixtureTest.assertClose("constant", run(oracle, new long[] {1}, arguments), compiled);
            assertEquals(compiled, run(jvm, new long[] {1}, arguments));
        }
    }

    private static List<Tensor> arguments(int rows, int width) {
        Random random = new Random(rows);
        Tensor page = Tensor.zeros(Format.I64, rows);
        for (int t = 0; t < rows; t++) {
            page.setWhole(t, t / 40 + random.nextInt(2));
        }
        return List.of(reals(random, rows, width), reals(random, rows, width),
                reals(random, rows, width), page);
    }

    private static Tensor reals(Random random, int rows, int width) {
        Tensor tensor = Tensor.zeros(Format.F32, rows, 2, width);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, 2 * random.nextGaussian());
        }
        return tensor;
    }

    private static Tensor run(TestModel model, long[] rows, List<Tensor> arguments) {
        List<Engine.Session> sessions = java.util.Arrays.stream(rows)
                .mapToObj(r -> model.engine().start()).toList();
        return model.engine().step(sessions, rows, arguments, Engine.Tracer.NONE).getFirst();
    }
}
