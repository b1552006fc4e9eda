package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The sketches of recurrent mixers against their textbook forms, written out in plain Java. */
class RecurrencesTest {
    private static final int ROWS = 19;
    private static final int SEED = 11;

    /** What a mixer makes of one token: changes the state, gives the output of a head. */
    private interface Rule {
        double[] step(double[][] s, double[] query, double[] key, double[] value, double[] gate);
    }

    /** s = diag(g) s + k vᵀ; o = sᵀ q. */
    private static double[] gated(
            double[][] s, double[] query, double[] key, double[] value, double[] gate) {
        double[] o = new double[value.length];
        for (int k = 0; k < key.length; k++) {
            for (int v = 0; v < value.length; v++) {
                s[k][v] = gate[k] * s[k][v] + key[k] * value[v];
                o[v] += query[k] * s[k][v];
            }
        }
        return o;
    }

    /** s = s + b k (v - sᵀ k)ᵀ for a key of length 1; o = sᵀ q. */
    private static double[] delta(
            double[][] s, double[] query, double[] raw, double[] value, double[] gate) {
        double square = 1e-6;
        for (double k : raw) {
            square += k * k;
        }
        double[] held = new double[value.length];
        double[] o = new double[value.length];
        for (int v = 0; v < value.length; v++) {
            for (int k = 0; k < raw.length; k++) {
                held[v] += raw[k] / Math.sqrt(square) * s[k][v];
            }
            for (int k = 0; k < raw.length; k++) {
                s[k][v] += gate[0] * raw[k] / Math.sqrt(square) * (value[v] - held[v]);
                o[v] += query[k] * s[k][v];
            }
        }
        return o;
    }

    static Stream<Arguments> cases() {
        return Stream.of(Target.values()).flatMap(t -> Stream.of(
                Arguments.of(t, "gated_linear", (Rule) RecurrencesTest::gated, "wg"),
                Arguments.of(t, "delta_rule", (Rule) RecurrencesTest::delta, "wb")));
    }

    private static Tensor input() {
        Random random = new Random(SEED);
        Tensor x = Tensor.zeros(Format.F32, ROWS, 8);
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, random.nextGaussian());
        }
        return x;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void isTheTextbooks(Target target, String sketch, Rule rule, String gate) throws Exception {
        Path file = TestModel.ROOT.resolve("examples/sketches/" + sketch + ".weir");
        Tensor x = input();
        try (TestModel model = TestModel.random(file, SEED, target, 2)) {
            Map<Parameter, List<Tensor>> weights =
                    RandomWeights.of(model.program().parameters(), SEED);
            double[][] expected = expected(x, weights, rule, gate);
            Tensor whole = step(model, model.engine().start(), x);
            for (int t = 0; t < ROWS; t++) {
                for (int d = 0; d < 8; d++) {
                    assertEquals(expected[t][d], whole.real(t * 8L + d),
                            1e-4 * Math.max(1, Math.abs(expected[t][d])), sketch + " at " + t);
                }
            }
            Engine.Session session = model.engine().start();
            for (int from = 0; from < ROWS; from += 4) {
                int to = Math.min(ROWS, from + 4);
                assertEquals(whole.rows(from, to), step(model, session, x.rows(from, to)));
            }
        }
    }

    /** Cells that remember, chosen for each token: each knows only what entered it. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void chosenCellsRememberWhatEnteredThem(Target target) throws Exception {
        String source = """
                block Cell<D> {
                    state h[D] = 1
                    forward(x[D]) -> y[D] {
                        h = 0.5 * h + x
                        y = 2.0 * h
                    }
                }

                model M<D = 8, N = 3> {
                    cells: Cell<D> * N
                    forward(x[T, D]) -> y[T, D] {
                        scan t {
                            now[d] = x[t, d]
                            both = route now to cells by top(2, now[0..N])
                            y[t, d] = both[d]
                        }
                    }
                }
                """;
        Tensor x = input();
        double[][] h = new double[3][8];
        Arrays.stream(h).forEach(row -> Arrays.fill(row, 1));
        try (TestModel model = TestModel.random(source, SEED, target, 2)) {
            Tensor y = step(model, model.engine().start(), x);
            for (int t = 0; t < ROWS; t++) {
                double[] expected = new double[8];
                int least = 0;
                for (int n = 1; n < 3; n++) {
                    least = x.real(t * 8L + n) < x.real(t * 8L + least) ? n : least;
                }
                for (int n = 0; n < 3; n++) {
                    for (int d = 0; d < 8 && n != least; d++) {
                        h[n][d] = 0.5 * h[n][d] + x.real(t * 8L + d);
                        expected[d] += x.real(t * 8L + n) * 2 * h[n][d];
                    }
                }
                for (int d = 0; d < 8; d++) {
                    assertEquals(expected[d], y.real(t * 8L + d), 1e-4, "token " + t);
                }
            }
        }
    }

    /** Tokens leave by themselves; who has left fills the caches of the layers to come. */
    @ParameterizedTest
    @EnumSource(Target.class)
    void whoHasLeftFillsTheCaches(Target target) throws Exception {
        String source = """
                block Mean<D> {
                    state keys[S, D], at[S]: int
                    forward(x[T, D], pos[T]: int) -> y[T, D] {
                        keys ++= x
                        at ++= pos
                        y[t, d] = x[t, d] + 0.25 * (mean[s] keys[s, d] where at[s] <= pos[t])
                    }

                    fill(x[T, D], pos[T]: int) -> kept[T]: int {
                        keys ++= 3.0 * x
                        at ++= pos
                        kept = pos
                    }
                }

                model M<D = 8, L = 4> {
                    layers: Mean<D> * L
                    forward(x[T, D], pos[T]: int = positions) -> y[T, D] {
                        y = x
                        for i in 0..L {
                            y = layers[i](y, pos)
                            score[t] = y[t, 0]
                            if score > 0.5 { break }
                            leaving { kept = layers[i].fill(y, pos) }
                        }
                    }
                }
                """;
        Tensor x = input();
        double[][][] keys = new double[4][ROWS][8];
        try (TestModel model = TestModel.random(source, SEED, target, 2)) {
            Engine.Session session = model.engine().start();
            Tensor whole = model.engine().step(List.of(session), new long[] {ROWS},
                    List.of(x, Engine.positions(List.of(session), new long[] {ROWS})),
                    Engine.Tracer.NONE).getFirst();
            int leftEarly = 0;
            for (int t = 0; t < ROWS; t++) {
                double[] y = new double[8];
                for (int d = 0; d < 8; d++) {
                    y[d] = x.real(t * 8L + d);
                }
                boolean left = false;
                for (int i = 0; i < 4; i++) {
                    leftEarly += left ? 1 : 0;
                    for (int d = 0; d < 8; d++) {
                        keys[i][t][d] = left ? 3 * y[d] : y[d];
                    }
                    for (int d = 0; d < 8 && !left; d++) {
                        double sum = 0;
                        for (int s = 0; s <= t; s++) {
                            sum += keys[i][s][d];
                        }
                        y[d] += 0.25 * sum / (t + 1);
                    }
                    left |= y[0] > 0.5;
                }
                for (int d = 0; d < 8; d++) {
                    assertEquals(y[d], whole.real(t * 8L + d), 1e-4, "token " + t);
                }
            }
            assertTrue(leftEarly > 10 && leftEarly < 3 * ROWS, leftEarly + " rounds left out");
        }
    }

    private static Tensor step(TestModel model, Engine.Session session, Tensor x) {
        return model.engine().step(List.of(session), new long[] {x.shape()[0]}, List.of(x),
                Engine.Tracer.NONE).getFirst();
    }

    private static double[][] expected(
            Tensor x, Map<Parameter, List<Tensor>> weights, Rule rule, String gateName) {
        Tensor wo = weight(weights, "wo");
        double[][] y = new double[ROWS][8];
        for (int h = 0; h < 2; h++) {
            double[][] s = new double[4][3];
            for (int t = 0; t < ROWS; t++) {
                double[] gate = project(weight(weights, gateName), h,
                        gateName.equals("wb") ? 1 : 4, x, t);
                for (int i = 0; i < gate.length; i++) {
                    gate[i] = 1 / (1 + Math.exp(-gate[i]));
                }
                double[] o = rule.step(s, project(weight(weights, "wq"), h, 4, x, t),
                        project(weight(weights, "wk"), h, 4, x, t),
                        project(weight(weights, "wv"), h, 3, x, t), gate);
                for (int d = 0; d < 8; d++) {
                    for (int v = 0; v < 3; v++) {
                        y[t][d] += wo.real((d * 2L + h) * 3 + v) * o[v];
                    }
                }
            }
        }
        return y;
    }

    private static Tensor weight(Map<Parameter, List<Tensor>> weights, String name) {
        return weights.entrySet().stream()
                .filter(e -> e.getKey().path().endsWith("." + name))
                .findFirst().orElseThrow().getValue().getFirst();
    }

    /** Rows {@code h * width} and on of a matrix {@code [heads * width, 8]}, times x[t]. */
    private static double[] project(Tensor w, int h, int width, Tensor x, int t) {
        double[] out = new double[width];
        for (int k = 0; k < width; k++) {
            for (int d = 0; d < 8; d++) {
                out[k] += w.real(((long) h * width + k) * 8 + d) * x.real(t * 8L + d);
            }
        }
        return out;
    }
}
