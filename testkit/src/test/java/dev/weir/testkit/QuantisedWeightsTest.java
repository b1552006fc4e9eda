package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Weights in few bits: the numbers that rounding leaves, and equal meaning on all targets. */
class QuantisedWeightsTest {

    /** Products of several shapes, blocks chosen for each token, rows read by number. */
    private static final String MODEL = """
            block Feed<D, F> {
                param up[F, D], down[D, F]
                forward(x[D]) -> y[D] = down @ silu(up @ x)
            }

            block Mix<D, N> {
                param router[N, D]
                experts: Feed<D, 3 * D> * N
                forward(x[D]) -> y[D] {
                    y = route x to experts by top(2, softmax(router @ x))
                }
            }

            block Heads<D, H, C> {
                param wq[H, C, D], wo[D, H, C], bias[D]
                forward(x[D]) -> y[D] {
                    q = wq @ x
                    y[d] = bias[d] + (sum[h, c] wo[d, h, c] * q[h, c])
                }
            }

            model M<D = %d> {
                param table[5, D], head[7, D]
                heads: Heads<D, 2, 9>
                mix: Mix<D, 4> * 2

                precision { weights: %s, router: f32 }

                forward(x[T, D]) -> y[T, 7] {
                    z[t, d] = x[t, d] + table[t %% 5, d]
                    z = z + heads(z)
                    for i in 0..2 { z = z + mix[i](z) }
                    y = head @ z
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

    private static Tensor run(TestModel model, Tensor x) {
        return model.engine().step(List.of(model.engine().start()), new long[] {x.shape()[0]},
                List.of(x), Engine.Tracer.NONE).getFirst();
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "int8", "int8(group: 16)", "int8(zero_point: true)", "int4", "int4(group: 32)",
        "int4(group: 5)", "int4(group: 16, zero_point: true)", "int2(group: 8)",
        "int2(group: 16)", "f8e4m3", "f8e5m2"})
    void targetsAgree(String format) throws Exception {
        for (int width : new int[] {17, 64}) {
            String source = MODEL.formatted(width, format);
            try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                    TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                    TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
                for (int rows : new int[] {1, 2, 15, 33}) {
                    Tensor x = input(rows, width);
                    Tensor expected = run(oracle, x);
                    String name = format + ", width " + width + ", " + rows + " rows";
                    FixtureTest.assertClose(name + ", native", expected, run(nativeCode, x));
                    FixtureTest.assertClose(name + ", jvm", expected, run(jvm, x));
                    assertEquals(run(jvm, x), run(nativeCode, x),
                            name + ": both generators give the same bytes");
                }
            }
        }
    }

    /**
     * Of narrow weights one row takes several strips of columns at once, if there are enough: that
     * is for numbers of columns that fill the last panel, the last strip, or neither; for one
     * contraction and two side by side; for all rows, and for those that chose one of several.
     */
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "int8", "int8(zero_point: true)", "int4", "int4(group: 16)",
        "int2"})
    void oneRowTakesPanels(String format) throws Exception {
        String source = """
                block Feed<D, F> {
                    param gate[F, D], up[F, D], down[D, F]
                    forward(x[D]) -> y[D] = down @ (silu(gate @ x) * (up @ x))
                }

                block Mix<D, F> {
                    param router[3, D]
                    experts: Feed<D, F> * 3
                    forward(x[D]) -> y[D] {
                        y = route x to experts by top(1, softmax(router @ x))
                    }
                }

                model M<D = 23, F = %d, N = %d> {
                    one: Feed<D, F>
                    mix: Mix<D, F>
                    param head[N, D]
                    precision { weights: %s, router: f32 }
                    forward(x[T, D]) -> y[T, N] {
                        z = x + one(x)
                        y = head @ (z + mix(z))
                    }
                }
                """;
        for (int[] sizes : new int[][] {{530, 1050}, {576, 1152}, {608, 1056}}) {
            String text = source.formatted(sizes[0], sizes[1], format);
            try (TestModel oracle = TestModel.random(text, 5, Target.INTERPRETER, 1);
                    TestModel jvm = TestModel.random(text, 5, Target.JVM, 2);
                    TestModel nativeCode = TestModel.random(text, 5, Target.NATIVE, 2)) {
                for (int rows : new int[] {1, 2, 9}) {
                    Tensor x = input(rows, 23);
                    Tensor expected = run(oracle, x);
                    String name = format + ", " + sizes[0] + ", " + rows + " rows";
                    assertNear(name + ", native", expected, run(nativeCode, x));
                    assertEquals(run(jvm, x), run(nativeCode, x),
                            name + ": both generators give the same bytes");
                }
            }
        }
    }

    /** Sums of a thousand large terms may be small: what was rounded is a share of the largest. */
    private static void assertNear(String what, Tensor expected, Tensor actual) {
        double largest = 0;
        double error = 0;
        for (long i = 0; i < expected.elements(); i++) {
            largest = Math.max(largest, Math.abs(expected.real(i)));
            error = Math.max(error, Math.abs(expected.real(i) - actual.real(i)));
        }
        assertTrue(error <= 1e-5 * largest, what + ": off by " + error + " of " + largest);
    }

    /** What stands in a matrix, read by unit vectors; the matrix is that of an f32 model. */
    private static double[][] matrix(String format, int rows, int length) throws Exception {
        String source = """
                model M {
                    param w[%d, %d]
                    precision { weights: %s }
                    forward(x[T, %d]) -> y[T, %d] = w @ x
                }
                """.formatted(rows, length, format, length, rows);
        Tensor unit = Tensor.zeros(Format.F32, length, length);
        for (int i = 0; i < length; i++) {
            unit.setReal((long) i * length + i, 1);
        }
        try (TestModel model = TestModel.random(source, 3, Target.NATIVE, 1)) {
            Tensor y = run(model, unit);
            double[][] matrix = new double[rows][length];
            for (int j = 0; j < rows; j++) {
                for (int k = 0; k < length; k++) {
                    matrix[j][k] = y.real((long) k * rows + j);
                }
            }
            return matrix;
        }
    }

    @Test
    void symmetricCodesAreTheNearestMultiplesOfTheGroupsScale() throws Exception {
        roundedAsInTheBook("int8", 127, 37);
        roundedAsInTheBook("int8(group: 8)", 127, 8);
        roundedAsInTheBook("int4(group: 16)", 7, 16);
        roundedAsInTheBook("int4", 7, 37);
        roundedAsInTheBook("int2(group: 4)", 1, 4);
    }

    private static void roundedAsInTheBook(String format, int limit, int group)
            throws Exception {
        double[][] whole = matrix("int8(group: 1)", 11, 37);
        double[][] rounded = matrix(format, 11, 37);
        for (int j = 0; j < whole.length; j++) {
            for (int from = 0; from < 37; from += group) {
                double largest = 0;
                for (int k = from; k < Math.min(37, from + group); k++) {
                    largest = Math.max(largest, Math.abs(whole[j][k]));
                }
                double scale = Float.float16ToFloat(
                        Float.floatToFloat16((float) (largest / limit)));
                for (int k = from; k < Math.min(37, from + group); k++) {
                    // `whole` is itself rounded to an f16.
                    assertEquals(whole[j][k], rounded[j][k],
                            0.501 * scale + Math.abs(whole[j][k]) * 0x1p-11,
                            format + " at " + j + ", " + k);
                    double steps = rounded[j][k] / scale;
                    assertEquals(Math.rint(steps), steps, limit * 0.001,
                            format + ": a multiple at " + j + ", " + k);
                }
            }
        }
    }
}
