package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A04: what a variate reads of those before it and of those behind it. */
class BothWaysTest {
    /** The program carries a memory; the textbook form sums over the variates on one side. */
    @Test
    void isTheTextbooks() {
        Idea.example("both_ways").sizes("S=3 H=2 D=5 E=3 N=2 R=3 W=3 F=4 L=1")
                .takesWholeSequences()
                .form("from the last by a function", s -> s
                        .replace("turned[v in 0..V, d] = x[V - 1 - v, d]", "turned = flipped(x)")
                        .replace("behind[V - 1 - v, d]", "flipped(behind)[v, d]")
                        + """

                        fn flipped(x[V, D]) -> y[V, D] {
                            y[v in 0..V, d] = x[V - 1 - v, d]
                        }
                        """)
                .is(BothWaysTest::textbook);
    }

    /** One pass carries both memories; its parameters hold both directions'. */
    @Test
    void bothTogetherAreTheTextbooks() {
        Idea.example("both_ways").file("together.weir").sizes("S=3 H=2 D=5 E=3 N=2 R=3 W=3 F=4 L=1")
                .takesWholeSequences()
                .form("the last by a scan of its own", s -> {
                    int from = s.indexOf("            back[e, n] = exp(");
                    int to = s.indexOf("        read[v in 0..V");
                    return s.substring(0, from) + "}\nscan v reversed {\n"
                            + s.substring(from, to).replace("V - 1 - v", "v")
                            + s.substring(to).replaceFirst("V - 1 - v", "v");
                })
                .is(given -> textbook(given, BothWaysTest::half));
    }

    /** A part of a parameter of both directions. */
    private static double[][] half(Given given, String path, String name, int side) {
        double[][] both = given.matrix(path + "." + switch (name) {
            case "near.w" -> "filter";
            case "near.bias" -> "shift";
            default -> name;
        });
        int from = side > 0 ? 0 : both.length / 2;
        return Arrays.copyOfRange(both, from, from + both.length / 2);
    }

    /** A parameter of the scan in one direction. */
    private static double[][] own(Given given, String path, String name, int side) {
        return given.matrix(path + (side > 0 ? ".forth." : ".back.") + name);
    }

    /** Where the parameters of a direction are: a vector is one row. */
    private interface Weights {
        double[][] of(Given given, String path, String name, int side);
    }

    private static double[][] textbook(Given given) {
        return textbook(given, BothWaysTest::own);
    }

    private static double[][] textbook(Given given, Weights weights) {
        double[][] x = given.rows("x");
        double[][] h = new double[x.length][];
        for (int v = 0; v < x.length; v++) {
            h[v] = linear(given, "embed", x[v]);
        }
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            String mixer = layer + ".mixer";
            double[][] before = scan(name -> weights.of(given, mixer, name, 1), h, 1);
            double[][] behind = scan(name -> weights.of(given, mixer, name, -1), h, -1);
            for (int v = 0; v < h.length; v++) {
                double[] n = normed(given, layer + ".norm",
                        plus(h[v], plus(before[v], behind[v])));
                double[] wide = each(linear(given, layer + ".up", n), Textbook::gelu);
                h[v] = normed(given, layer + ".net_norm",
                        plus(n, linear(given, layer + ".down", wide)));
            }
        }
        double[][] y = new double[h.length][];
        for (int v = 0; v < h.length; v++) {
            y[v] = linear(given, "head", h[v]);
        }
        return y;
    }

    private static double[] linear(Given given, String path, double[] x) {
        return plus(times(given.matrix(path + ".w"), x), given.vector(path + ".bias"));
    }

    private static double[] normed(Given given, String path, double[] x) {
        return layerNorm(given.vector(path + ".scale"), given.vector(path + ".shift"), x);
    }

    /**
     * What each row reads of those on one side and itself.
     *
     * @param side 1 where rows with lower numbers are read, -1 where higher ones
     */
    private static double[][] scan(Function<String, double[][]> weights, double[][] x, int side) {
        double[][] h = new double[x.length][];
        double[][] step = new double[x.length][];
        for (int v = 0; v < x.length; v++) {
            h[v] = near(weights, x, v, side);
            double[] low = times(weights.apply("low"), h[v]);
            step[v] = each(plus(times(weights.apply("wt"), low),
                    weights.apply("bias")[0]), u -> Math.log1p(Math.exp(u)));
        }
        double[][] y = new double[x.length][];
        for (int v = 0; v < x.length; v++) {
            double[] read = product(weights.apply("skip")[0], h[v]);
            for (int e = 0; e < read.length; e++) {
                read[e] += memory(weights, h, step, v, e, side);
            }
            double[] gate = each(times(weights.apply("gate"), x[v]), Textbook::silu);
            y[v] = times(weights.apply("wo"), product(read, gate));
        }
        return y;
    }

    /** A convolution over the rows on one side, the nearest last in the filter. */
    private static double[] near(
            Function<String, double[][]> weights, double[][] x, int v, int side) {
        double[][] w = weights.apply("near.w");
        double[] y = weights.apply("near.bias")[0].clone();
        int width = w[0].length;
        for (int u = 0; u < width; u++) {
            int from = v - side * u;
            if (from >= 0 && from < x.length) {
                double[] wide = times(weights.apply("wx"), x[from]);
                for (int e = 0; e < y.length; e++) {
                    y[e] += w[e][width - 1 - u] * wide[e];
                }
            }
        }
        return each(y, Textbook::silu);
    }

    private static double memory(Function<String, double[][]> weights, double[][] h,
            double[][] step, int v, int e, int side) {
        double[] asked = times(weights.apply("wc"), h[v]);
        double[] held = new double[asked.length];
        double[] passed = new double[asked.length];
        for (int u = v; u >= 0 && u < h.length; u -= side) {
            double[] taken = times(weights.apply("wb"), h[u]);
            for (int n = 0; n < held.length; n++) {
                held[n] += Math.exp(-passed[n]) * step[u][e] * taken[n] * h[u][e];
                passed[n] += Math.exp(weights.apply("rate")[e][n]) * step[u][e];
            }
        }
        return dot(asked, held);
    }
}
