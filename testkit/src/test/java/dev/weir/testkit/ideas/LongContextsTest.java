package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.rope;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A01: the layers at both ends see a window, the first tokens and some blocks between. */
class LongContextsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("long_contexts")
                .sizes("D=5 H=3 G=1 C=2 F=4 L=3 Window=2 Sinks=2 Block=3 Every=2")
                .form("what is not seen is ruled out", s -> s.replace(
                        "k <= q and (q - k < Window or k < Sinks or k / Block % Every == 0)",
                        "k <= q and not (q - k >= Window and k >= Sinks "
                                + "and k % (Block * Every) >= Block)"))
                .is(LongContextsTest::textbook);
    }

    /** Several tiles of keys, of which the layers at both ends leave some out. */
    @Test
    void overSeveralTiles() {
        Idea.example("long_contexts").small("D=4 H=1 C=2 F=2 Window=12 Sinks=2 Block=32 Every=4")
                .sizes("D=5 H=1 G=1 C=2 F=4 L=3 Window=9 Sinks=1 Block=64 Every=3").tokens(145)
                .is(LongContextsTest::textbook);
    }

    static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        int layers = given.size("L");
        for (int i = 0; i < layers; i++) {
            String layer = "layers." + i;
            boolean whole = i >= layers / 3 && i < layers - layers / 3;
            double[][] n = rmsNorm(given.vector(layer + ".norm.scale"), y);
            double[][] next = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                double[] h = plus(y[t], attention(given, layer + ".attention", n, t, whole));
                next[t] = plus(h, swiGlu(given, layer + ".net",
                        rmsNorm(given.vector(layer + ".net_norm.scale"), h)));
            }
            y = next;
        }
        return y;
    }

    private static double[] attention(
            Given given, String path, double[][] x, int t, boolean whole) {
        double[] y = new double[x[t].length];
        for (int h = 0; h < given.size("H"); h++) {
            int group = h / (given.size("H") / given.size("G"));
            double[] query = rope(times(given.cube(path + ".wq")[h], x[t]), t);
            double[] score = new double[t + 1];
            Arrays.fill(score, Double.NEGATIVE_INFINITY);
            for (int s = 0; s <= t; s++) {
                if (whole || isSeen(given, t, s)) {
                    score[s] = dot(query, rope(times(given.cube(path + ".wk")[group], x[s]), s))
                            / Math.sqrt(query.length);
                }
            }
            double[] p = softmax(score);
            double[] read = new double[query.length];
            for (int s = 0; s <= t; s++) {
                add(read, p[s], times(given.cube(path + ".wv")[group], x[s]));
            }
            for (int d = 0; d < y.length; d++) {
                y[d] += dot(given.cube(path + ".wo")[d][h], read);
            }
        }
        return y;
    }

    private static boolean isSeen(Given given, int query, int key) {
        boolean near = key > query - given.size("Window");
        boolean first = key < given.size("Sinks");
        int block = key / given.size("Block");
        return near || first || block == block / given.size("Every") * given.size("Every");
    }
}
