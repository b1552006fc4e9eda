package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.rope;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.testkit.TestModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A03: one key for all heads and queries of low rank; keys of all heads made of a short vector. */
class FactorisedAttentionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("factorised_attention").sizes("D=5 H=3 C=2 R=4 L=1")
                .form("both matrices of a head's queries in one", s -> s.replace(
                        "query = rope(up_q @ (down_q @ x), pos)", """
                                whole[h, c, d] = sum[r] up_q[h, c, r] * down_q[r, d]
                                query = rope(whole @ x, pos)
                                """))
                .is(given -> layers(given, FactorisedAttentionTest::shared));
    }

    /** The library reads the latent vectors themselves; here every head makes keys of them. */
    @Test
    void latentAttentionWithKeysOfEachHead() {
        Idea.example("factorised_attention").file("latent.weir")
                .sizes("D=5 H=3 C=2 E=4 R=4 L=1")
                .is(given -> layers(given, FactorisedAttentionTest::latent));
    }

    /** Values are made of each key here; the program maps what was read of the keys. */
    @Test
    void keysAsValues() {
        Idea.example("factorised_attention").file("keys.weir").sizes("D=5 H=3 C=2 R=4 L=1")
                .form("a value of each key", s -> s.replace("""
                                read[t, h, c] = sum[s] p[t, h, s] * keys[s, c]
                                mapped = map @ read
                                z = read + share * mapped
                        """, """
                                value[s, c] = keys[s, c] + share[c] * sum[i] map[c, i] * keys[s, i]
                                z[t, h, c] = sum[s] p[t, h, s] * value[s, c]
                        """))
                .is(given -> layers(given, FactorisedAttentionTest::keys));
    }

    /** A key of one head and its position, for each of two layers; the baseline keeps all heads. */
    @Test
    void keysAsValuesAreAllThatIsCached() {
        assertEquals(2 * (4 * 64 + 8), cache("keys.weir"));
        assertEquals(0.0643, cache("keys.weir") / cache("baseline.weir"), 0.0001);
    }

    /** Bytes that a token leaves, at the sizes that are measured. */
    private static double cache(String file) {
        TensorProgram program = Compiler.entries(
                new Source(file, TestModel.text(
                        TestModel.ROOT.resolve("examples/factorised_attention").resolve(file))),
                TestModel.library(), LowerOptions.of(Configuration.empty())).getFirst();
        return CostOf.program(
                Compiler.schedule(Compiler.optimise(program), TargetDescription.AVX512),
                new Question(1, List.of(), 1, Map.of()), Optional.empty()).cache();
    }

    /** What a head adds to the rows. */
    private interface Head {
        void of(Given given, String layer, int h, double[][] x, double[][] step);
    }

    private static double[][] layers(Given given, Head head) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            double[][] step = new double[y.length][y[0].length];
            for (int h = 0; h < given.size("H"); h++) {
                head.of(given, "layers." + i, h, y, step);
            }
            for (int t = 0; t < y.length; t++) {
                y[t] = plus(y[t], step[t]);
            }
        }
        return y;
    }

    private static void shared(Given given, String layer, int h, double[][] x, double[][] step) {
        double[][] queries = new double[x.length][];
        double[][] keys = new double[x.length][];
        double[][] values = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] low = times(given.matrix(layer + ".down_q"), x[t]);
            queries[t] = rope(times(given.cube(layer + ".up_q")[h], low), t);
            keys[t] = rope(times(given.matrix(layer + ".wk"), x[t]), t);
            values[t] = times(given.matrix(layer + ".wv"), x[t]);
        }
        attend(given, layer, h, queries, keys, values, step);
    }

    private static void keys(Given given, String layer, int h, double[][] x, double[][] step) {
        double[][] queries = new double[x.length][];
        double[][] keys = new double[x.length][];
        double[][] values = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] low = times(given.matrix(layer + ".down_q"), x[t]);
            queries[t] = rope(times(given.cube(layer + ".up_q")[h], low), t);
            double[] key = times(given.matrix(layer + ".wk"), x[t]);
            keys[t] = rope(key, t);
            values[t] = plus(key, product(given.vector(layer + ".share"),
                    times(given.matrix(layer + ".map"), key)));
        }
        attend(given, layer, h, queries, keys, values, step);
    }

    private static void latent(Given given, String layer, int h, double[][] x, double[][] step) {
        int width = given.size("C");
        int rank = given.size("R");
        double[][] queries = new double[x.length][];
        double[][] keys = new double[x.length][];
        double[][] values = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] low = rmsNorm(given.vector(layer + ".query_norm.scale"),
                    times(given.matrix(layer + ".down_q"), x[t]));
            double[] query = times(given.cube(layer + ".up_q")[h], low);
            queries[t] = Textbook.joined(part(query, 0, width),
                    turned(part(query, width, query.length), t));
            double[] mixed = times(given.matrix(layer + ".down"), x[t]);
            double[] both = times(given.cube(layer + ".up")[h],
                    rmsNorm(given.vector(layer + ".latent_norm.scale"), part(mixed, 0, rank)));
            keys[t] = Textbook.joined(part(both, 0, width),
                    turned(part(mixed, rank, mixed.length), t));
            values[t] = part(both, width, both.length);
        }
        attend(given, layer, h, queries, keys, values, step);
    }

    /** Turns neighbours by the position. */
    private static double[] turned(double[] x, int position) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i += 2) {
            double angle = position * Math.pow(10000, -1.0 * i / x.length);
            y[i] = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
            y[i + 1] = x[i + 1] * Math.cos(angle) + x[i] * Math.sin(angle);
        }
        return y;
    }

    private static void attend(Given given, String layer, int h, double[][] queries,
            double[][] keys, double[][] values, double[][] step) {
        for (int t = 0; t < queries.length; t++) {
            double[] score = new double[t + 1];
            for (int s = 0; s <= t; s++) {
                score[s] = dot(queries[t], keys[s]) / Math.sqrt(keys[s].length);
            }
            double[] p = softmax(score);
            double[] z = new double[values[0].length];
            for (int s = 0; s <= t; s++) {
                add(z, p[s], values[s]);
            }
            for (int d = 0; d < step[t].length; d++) {
                step[t][d] += dot(given.cube(layer + ".wo")[d][h], z);
            }
        }
    }
}
