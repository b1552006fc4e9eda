package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What quantised weights are multiplied with, in few bits too. */
class QuantisedActivationsTest {

    /**
     * Products of several shapes. What is rounded comes from outside as it is, so that no number
     * stands between two codes on one target and not on another.
     */
    private static final String PRODUCTS = """
            block Pair<D, F> {
                param up[F, D], gate[F, D]
                forward(x[D]) -> y[F] = silu(gate @ x) * (up @ x)
            }

            block Choice<D, N> {
                param router[N, D]
                experts: Pair<D, D> * N
                forward(x[D]) -> y[D] {
                    y = route x to experts by top(2, softmax(router @ x))
                }
            }

            model M<D = %d> {
                param w[D + 3, D], heads[D, 3, D], head[7, D]
                pair: Pair<D, 2 * D>
                choice: Choice<D, 4>
                precision { weights: %s, activations: %s, router: f32 }

                forward(x[T, D]) -> (a[T, D + 3], b[T, D], c[T, 2 * D], d[T, D], e[T, 7]) {
                    a = w @ x
                    b[t, i] = sum[h, k] heads[i, h, k] * x[t, k]
                    c = pair(x)
                    d = choice(x)
                    e[t, i] = sum[k] head[i, k] * abs(x[t, k])
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

    private static List<Tensor> run(TestModel model, Tensor x) {
        return model.engine().step(List.of(model.engine().start()), new long[] {x.shape()[0]},
                List.of(x), Engine.Tracer.NONE);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "int8; int8; 17 64 130", "int8; int8(group: 16); 130", "int8(group: 32); int8; 64",
        "int4(group: 32); int8; 17 130", "int4; int8(group: 32); 64",
        "int4(group: 16); int8(group: 8); 130", "int2(group: 16); int8; 64",
        "int8(group: 5); int8(group: 3); 17", "int4(group: 8, zero_point: true); int8; 130"})
    void targetsAgree(String weights, String activations, String widths) throws Exception {
        for (int width : Stream.of(widths.split(" ")).mapToInt(Integer::parseInt).toArray()) {
            String source = PRODUCTS.formatted(width, weights, activations);
            try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                    TestModel jvm = TestModel.random(source, 5, Target.JVM, 2);
                    TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 2)) {
                for (int rows : new int[] {1, 2, 15, 70}) {
                    Tensor x = input(rows, width);
                    List<Tensor> expected = run(oracle, x);
                    List<Tensor> found = run(nativeCode, x);
                    for (int i = 0; i < expected.size(); i++) {
                        FixtureTest.assertClose(weights + " and " + activations + ", width "
                                + width + ", " + rows + " rows, result " + i,
                                expected.get(i), found.get(i));
                    }
                    assertEquals(run(jvm, x), found, "both generators give the same bytes");
                    assertEquals(found.stream().map(t -> first(t)).toList(),
                            run(nativeCode, input(1, width)).stream().map(t -> first(t)).toList(),
                            "the first row's bytes do not depend on company");
                }
            }
        }
    }

    /** Two contractions that share weights, and take other axes of them for columns. */
    @ParameterizedTest
    @ValueSource(strings = {"int8", "int4(group: 32)", "int2(group: 16)"})
    void weightsOfTwoContractions(String weights) throws Exception {
        String sums = "y[t, a] = sum[b, c] w[a, b, c] * u[t, b, c]";
        String products = "z[t, a, b] = sum[c] w[a, b, c] * x[t, c]";
        for (String equations : List.of(sums + "\n" + products, products + "\n" + sums)) {
            String source = """
                    model M<A = 6, B = 4, C = 64> {
                        param w[A, B, C]
                        precision { weights: %s, activations: int8 }
                        forward(x[T, C]) -> (y[T, A], z[T, A, B]) {
                            u[t, b in 0..B, c] = x[t, c] * float(b + 1)
                            %s
                        }
                    }
                    """.formatted(weights, equations);
            agree(weights, source, input(3, 64));
        }
    }

    /** Of one stacked tensor, as blocks of a list are stored and as a parameter is written. */
    @ParameterizedTest
    @ValueSource(strings = {
        "weights: f32", "weights: bf16", "weights: int8", "weights: int8, activations: int8",
        "weights: int4(group: 32)", "weights: int4(group: 32), activations: int8",
        "weights: int2(group: 16, zero_point: true), activations: int8"})
    void instancesSideBySide(String precision) throws Exception {
        String source = """
                block Line<D, F> {
                    param w[F, D]
                    forward(x[D]) -> y[F] = w @ x
                }
                model M<D = 64, F = 130> {
                    param both[2, F, D]
                    lines: Line<D, F> * 3
                    precision { %s }
                    forward(x[T, D]) -> (y[T, F], z[T, F], u[T, F]) {
                        y = lines[1](x) + lines[2](x)
                        z = tanh(lines[0](x))
                        a[t, f] = sum[d] both[0, f, d] * x[t, d]
                        b[t, f] = sum[d] both[1, f, d] * x[t, d]
                        u = silu(a) * b
                    }
                }
                """.formatted(precision);
        agree(precision, source, input(1, 64));
        agree(precision, source, input(19, 64));
    }

    /** Of which one can be made of whole numbers and the other not. */
    @ParameterizedTest
    @ValueSource(strings = {
        "u: int4(group: 32, zero_point: true), v: int4(group: 32)",
        "u: int4(group: 16), v: int4(group: 16, zero_point: true)",
        "u: int8(group: 2), v: int8(group: 32)", "u: int2(group: 2), v: int2(group: 16)"})
    void unlikeSiblings(String weights) throws Exception {
        String source = """
                model M<K = 64> {
                    param u[33, K], v[33, K]
                    precision { %s, activations: int8 }
                    forward(x[T, K]) -> y[T, 33] = silu(u @ x) * (v @ x)
                }
                """.formatted(weights);
        agree(weights, source, input(1, 64));
        agree(weights, source, input(5, 64));
    }

    /** The interpreter's results, and the same bytes from both generators. */
    private static void agree(String what, String source, Tensor x) throws Exception {
        try (TestModel oracle = TestModel.random(source, 5, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(source, 5, Target.JVM, 1);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 1)) {
            List<Tensor> expected = run(oracle, x);
            List<Tensor> found = run(nativeCode, x);
            assertEquals(expected.size(), found.size(), what);
            for (int i = 0; i < expected.size(); i++) {
                FixtureTest.assertClose(what + ", result " + i, expected.get(i), found.get(i));
            }
            assertEquals(run(jvm, x), found, "both generators give the same bytes");
        }
    }

    /** A row is rounded once, and its codes are read in runs of three lengths. */
    @Test
    void runsOfThreeLengths() throws Exception {
        String source = """
                model M<K = 80> {
                    param u[5, K], v[40, K], w[33, K]
                    precision {
                        u: int8, v: int4(group: 32), w: int4(group: 16), activations: int8
                    }
                    forward(x[T, K]) -> (a[T, 5], b[T, 40], c[T, 33]) {
                        a = u @ x
                        b = v @ x
                        c = w @ x
                    }
                }
                """;
        agree("three lengths", source, input(5, 80));
    }

    /** Sums of codes that neither f32 nor, if it went on, i32 would hold. */
    @ParameterizedTest
    @ValueSource(ints = {1039, 4100, 65535, 65536, 65537})
    void longRunsOfLargeCodes(int length) throws Exception {
        String source = """
                model M<K = %d> {
                    param w[3, K]
                    precision { weights: int8, activations: int8 }
                    forward(x[T, K]) -> (y[T, 3], first[K]) {
                        y = w @ x
                        first[k] = w[0, k]
                    }
                }
                """.formatted(length);
        try (TestModel jvm = TestModel.random(source, 5, Target.JVM, 1);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 1)) {
            Tensor first = run(nativeCode, Tensor.zeros(Format.F32, 1, length)).get(1);
            Tensor x = Tensor.zeros(Format.F32, 1, length);
            double expected = 0;
            for (int k = 0; k < length; k++) {
                x.setReal(k, first.real(k) < 0 ? -1 : 1);
                expected += Math.abs(first.real(k));
            }
            List<Tensor> found = run(nativeCode, x);
            assertEquals(expected, found.getFirst().real(0), 1e-5 * expected);
            assertEquals(run(jvm, x), found, "both generators give the same bytes");
        }
    }

    /** Where numbers end, both generators end alike. */
    @ParameterizedTest
    @ValueSource(strings = {"int8", "int4(group: 32)", "int2(group: 16)"})
    void largestAndSmallestNumbers(String weights) throws Exception {
        String source = matrix("weights: " + weights + ", activations: int8", 9, 64);
        try (TestModel jvm = TestModel.random(source, 5, Target.JVM, 1);
                TestModel nativeCode = TestModel.random(source, 5, Target.NATIVE, 1)) {
            for (double magnitude : new double[] {1e38, 1e37, 1e36, 1e-30, 1e-37, 1e-43}) {
                Tensor x = input(5, 64);
                for (long i = 0; i < x.elements(); i++) {
                    x.setReal(i, Math.max(-3e38, Math.min(3e38, x.real(i) * magnitude)));
                }
                assertEquals(run(jvm, x), run(nativeCode, x), weights + " and " + magnitude);
            }
        }
    }

    private static List<Double> first(Tensor tensor) {
        return LongStream.range(0, tensor.shape()[1])
                .mapToObj(tensor::real).toList();
    }

    private static String matrix(String precision, int rows, int length) {
        return """
                model M {
                    param w[%d, %d]
                    precision { %s }
                    forward(x[T, %d]) -> y[T, %d] = w @ x
                }
                """.formatted(rows, length, precision, length, rows);
    }

    @Test
    void aRowIsRoundedAsInTheBook() throws Exception {
        int length = 1500;
        int rows = 9;
        for (String format : List.of("int8", "int4(group: 32)")) {
            for (int group : new int[] {length, 50}) {
                Tensor unit = Tensor.zeros(Format.F32, length, length);
                for (int i = 0; i < length; i++) {
                    unit.setReal((long) i * length + i, 1);
                }
                Tensor x = input(2, length);
                x.setReal(7, 40);
                String rounded = group == length ? "int8" : "int8(group: " + group + ")";
                try (TestModel plain = TestModel.random(
                                matrix("weights: " + format, rows, length), 3, Target.NATIVE, 1);
                        TestModel model = TestModel.random(matrix("weights: " + format
                                + ", activations: " + rounded, rows, length), 3, Target.NATIVE,
                                1)) {
                    Tensor w = run(plain, unit).getFirst();
                    Tensor y = run(model, x).getFirst();
                    for (int t = 0; t < 2; t++) {
                        double[] codes = book(x, t, length, group);
                        for (int j = 0; j < rows; j++) {
                            double expected = 0;
                            double magnitude = 0;
                            for (int k = 0; k < length; k++) {
                                double term = w.real((long) k * rows + j) * codes[k];
                                expected += term;
                                magnitude += Math.abs(term);
                            }
                            assertEquals(expected, y.real((long) t * rows + j),
                                    magnitude * 1e-6, format + ", " + rounded);
                        }
                    }
                }
            }
        }
    }

    /** A row, each of its numbers the nearest multiple of a 127th of its group's largest. */
    private static double[] book(Tensor x, int row, int length, int group) {
        double[] rounded = new double[length];
        for (int from = 0; from < length; from += group) {
            float largest = 0;
            for (int k = from; k < from + group; k++) {
                largest = Math.max(largest, (float) Math.abs(x.real((long) row * length + k)));
            }
            float scale = largest / 127;
            for (int k = from; k < from + group; k++) {
                rounded[k] = Math.rint((float) x.real((long) row * length + k) / scale) * scale;
            }
        }
        return rounded;
    }

    /** It is said, and it is not little: products with rounded factors are other numbers. */
    @Test
    void nothingIsRoundedUnlessItIsSaid() throws Exception {
        Tensor x = input(4, 64);
        try (TestModel plain = TestModel.random(
                        matrix("weights: int8", 8, 64), 3, Target.NATIVE, 1);
                TestModel rounded = TestModel.random(
                        matrix("weights: int8, activations: int8", 8, 64), 3, Target.NATIVE, 1);
                TestModel floats = TestModel.random(
                        matrix("weights: f32, activations: int8", 8, 64), 3, Target.NATIVE, 1);
                TestModel asFloats = TestModel.random(
                        matrix("weights: f32", 8, 64), 3, Target.NATIVE, 1)) {
            assertTrue(!run(plain, x).equals(run(rounded, x)), "int8 factors are rounded");
            assertEquals(run(asFloats, x), run(floats, x), "what f32 weights meet is not");
        }
    }

    @Test
    void rowsOfZerosAndRowsThatAreNotFinite() throws Exception {
        Tensor x = input(4, 64);
        for (int k = 0; k < 64; k++) {
            x.setReal(64 + k, 0);
        }
        x.setReal(2 * 64 + 5, Double.NaN);
        try (TestModel model = TestModel.random(
                matrix("weights: int8, activations: int8", 8, 64), 3, Target.NATIVE, 1)) {
            Tensor y = run(model, x).getFirst();
            for (int j = 0; j < 8; j++) {
                assertTrue(Double.isFinite(y.real(j)), "a row of numbers");
                assertEquals(0, y.real(8 + j), "a row of zeros");
                assertTrue(Double.isNaN(y.real(16 + j)), "a row with NaN");
                assertTrue(Double.isFinite(y.real(24 + j)), "the row behind it");
            }
        }
    }
}
