package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.State;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Caches in few bits: the numbers that rounding leaves, and equal meaning on all targets. */
class QuantisedCachesTest {

    /** What is appended is exact on all targets, so that no number stands between two codes. */
    private static final String ATTENTION = """
            block Attention<D> {
                param wo[D, D]
                state keys[S, D], values[S, 2, D]

                forward(x[T, D], pos[T]: int) -> y[T, D] {
                    keys ++= x
                    v[t, n in 0..2, d] = if n == 0 { x[t, d] } else { 0.5 - x[t, d] }
                    values ++= v
                    p[t, s] = softmax[s] (sum[d] x[t, d] * keys[s, d]) where s <= pos[t]
                    o[t, d] = sum[s, n] p[t, s] * values[s, n, d]
                    y = wo @ o
                }
            }

            model M<D = %d> {
                layers: Attention<D> * 2
                precision { cache: %s }

                forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                    y[t, d] = 0
                    for i in 0..2 {
                        s = float(i + 1)
                        z[t, d] = s * x[t, d]
                        y = y + layers[i](z, pos)
                    }
                }
            }
            """;

    private static Tensor input(int rows, int width) {
        Random random = new Random(width);
        Tensor x = Tensor.zeros(Format.F32, rows, width);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextGaussian());
        }
        return x;
    }

    private static Tensor step(TestModel model, Engine.Session session, Tensor x) {
        List<Engine.Session> sessions = List.of(session);
        long[] rows = {x.shape()[0]};
        String entry = model.program().entry().name();
        return model.batch(
                sessions, rows, List.of(x, Engine.positions(entry, sessions, rows)));
    }

    private static Tensor run(TestModel model, Tensor x) {
        try (Engine.Session session = model.engine().start()) {
            return step(model, session, x);
        }
    }

    /** The same in steps of so many rows. */
    private static Tensor inSteps(TestModel model, Tensor x, int each) {
        int rows = (int) x.shape()[0];
        int width = (int) x.shape()[1];
        Tensor all = Tensor.zeros(Format.F32, rows, width);
        try (Engine.Session session = model.engine().start()) {
            for (int from = 0; from < rows; from += each) {
                int count = Math.min(each, rows - from);
                Tensor part = Tensor.zeros(Format.F32, count, width);
                for (long i = 0; i < part.elements(); i++) {
                    part.setReal(i, x.real((long) from * width + i));
                }
                Tensor y = step(model, session, part);
                for (long i = 0; i < y.elements(); i++) {
                    all.setReal((long) from * width + i, y.real(i));
                }
            }
        }
        return all;
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "int8", "int8(group: 4)", "int8(group: 8, zero_point: true)", "int4", "int4(group: 16)",
        "int4(group: 3)", "int4(zero_point: true)", "int2(group: 8)"})
    void targetsAgree(String format) throws Exception {
        for (int width : new int[] {7, 64}) {
            String source = ATTENTION.formatted(width, format);
            try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                    TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                    TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
                for (int rows : new int[] {1, 2, 15, 70}) {
                    Tensor x = input(rows, width);
                    Tensor expected = run(oracle, x);
                    String name = format + ", width " + width + ", " + rows + " rows";
                    Tensor found = run(nativeCode, x);
                    FixtureTest.assertClose(name + ", native", expected, found);
                    assertEquals(found, run(jvm, x),
                            name + ": both generators give the same bytes");
                    assertEquals(found, inSteps(nativeCode, x, 1), name + ": one by one");
                    assertEquals(found, inSteps(nativeCode, x, 4), name + ": in chunks");
                }
            }
        }
    }

    @Test
    void statesAreKeptInParts() throws Exception {
        String source = ATTENTION.formatted(10, "int4(group: 4)");
        try (TestModel model = TestModel.random(source, 5, Target.INTERPRETER, 1)) {
            List<String> kept = new ArrayList<>();
            for (State state : model.program().states()) {
                kept.add(state.name() + " " + state.value().type().format().word() + " "
                        + state.ownShape().subList(state.grows() ? 1 : 0,
                                state.ownShape().size()));
            }
            assertEquals(List.of(
                    "layers.{0}.keys.codes i8 [5]", "layers.{0}.keys.scales f16 [3]",
                    "layers.{0}.values.codes i8 [2, 5]", "layers.{0}.values.scales f16 [2, 3]"),
                    kept);
        }
    }

    /** Every row that was appended so far, read again. */
    private static final String MEMORY = """
            model M<D = %d> {
                state rows[S, D]
                precision { cache: %s }
                forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                    rows ++= x
                    y[t, d] = sum[s] (if s == pos[t] { 1.0 } else { 0.0 }) * rows[s, d]
                }
            }
            """;

    @ParameterizedTest
    @ValueSource(strings = {
        "int8", "int8(group: 8)", "int4(group: 16)", "int4", "int2(group: 4)",
        "int8(zero_point: true)", "int4(group: 5, zero_point: true)"})
    void whatIsReadIsWhatTheFormatLeaves(String format) throws Exception {
        Quantisation quantisation = Quantisation.parse(format).orElseThrow();
        int width = 37;
        Tensor x = input(5, width);
        int group = (int) quantisation.group(width);
        try (TestModel model = TestModel.random(
                MEMORY.formatted(width, format), 1, Target.NATIVE, 1)) {
            Tensor y = run(model, x);
            for (int row = 0; row < 5; row++) {
                for (int from = 0; from < width; from += group) {
                    double[] values = new double[Math.min(group, width - from)];
                    for (int k = 0; k < values.length; k++) {
                        values[k] = x.real((long) row * width + from + k);
                    }
                    Quantisation.Group expected = quantisation.round(values);
                    for (int k = 0; k < values.length; k++) {
                        assertEquals(expected.value(k), y.real((long) row * width + from + k),
                                1e-6 * Math.abs(values[k]), format + " at " + row + ", " + k);
                    }
                }
            }
        }
    }

    @Test
    void whatIsNotFiniteStaysInItsRow() throws Exception {
        int width = 20;
        Tensor x = input(3, width);
        x.setReal(width + 4, Double.NaN);
        x.setReal(2 * width + 1, Double.POSITIVE_INFINITY);
        try (TestModel model = TestModel.random(MEMORY.formatted(width, "int8")
                .replace("y[t, d] = sum[s] (if s == pos[t] { 1.0 } else { 0.0 }) * rows[s, d]",
                        "y[t, d] = max[s] rows[s, d] where s == pos[t]"), 1, Target.NATIVE, 1)) {
            Tensor y = run(model, x);
            boolean[] finite = new boolean[3];
            Arrays.fill(finite, true);
            for (long i = 0; i < y.elements(); i++) {
                finite[(int) (i / width)] &= Double.isFinite(y.real(i));
            }
            assertTrue(finite[0], "the first row has its numbers");
            assertTrue(!finite[1] && !finite[2], "rows that are not finite say so");
        }
    }
}
