package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.among;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.top;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A14: tokens form clusters, later layers see these alone, and tokens are made of them again. */
class TokenClusteringTest {
    private static final int ROUNDS = 3;
    private static final double TEMPERATURE = 50;

    @Test
    void isTheTextbooks() {
        Idea.example("token_clustering")
                .sizes("I=9 J=6 N=3 M=2 K=3 D=5 H=1 C=3 F=4 A=2 L=1")
                .form("rounds written out", s -> {
                    int from = s.indexOf("        for r in 0..rounds {");
                    int to = s.indexOf("\n        }\n", from);
                    String round = s.substring(s.indexOf("\n", from), to);
                    return s.substring(0, from) + round + round + round
                            + s.substring(to + "\n        }".length());
                })
                .form("all clusters, the distant ones left out", s -> s
                        .replace("best, places = top(K, near)\n        p = softmax(best)", """
                                ahead[s, r] = if near[r] > near[s] { 1 } else { 0 }
                                p[s] = softmax[s] near[s] where (sum[r] ahead[s, r]) < K
                                """)
                        .replace("sum[k] p[k] * behind[places[k], d]",
                                "sum[s] p[s] * behind[s, d]"))
                .is(TokenClusteringTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] z = given.rows("x");
        for (int i = 0; i < given.size("A"); i++) {
            z = layer(given, "early." + i, z);
        }
        double[][] before = clusters(given, z);
        double[][] behind = before;
        for (int i = 0; i < given.size("L"); i++) {
            behind = layer(given, "late." + i, behind);
        }
        double[][] y = new double[z.length][z[0].length];
        for (int t = 0; t < z.length; t++) {
            double[] token = z[t];
            double[] near = Arrays.stream(before)
                    .mapToDouble(s -> -distance(token, s) / TEMPERATURE).toArray();
            int[] places = top(given.size("K"), near);
            double[] p = softmax(Arrays.stream(places).mapToDouble(s -> near[s]).toArray());
            for (int k = 0; k < places.length; k++) {
                add(y[t], p[k], behind[places[k]]);
            }
        }
        return y;
    }

    /** Local k-means with soft membership; a token is at row t / J and column t % J. */
    private static double[][] clusters(Given given, double[][] z) {
        int columns = given.size("J");
        int across = given.size("M");
        int side = columns / across;
        double[][] s = new double[given.size("N") * across][z[0].length];
        for (int t = 0; t < z.length; t++) {
            add(s[cell(t, columns, side, across)], 1.0 / (side * side), z[t]);
        }
        for (int round = 0; round < ROUNDS; round++) {
            double[][] sum = new double[s.length][z[0].length];
            double[] total = new double[s.length];
            for (int t = 0; t < z.length; t++) {
                double[] score = new double[s.length];
                for (int k = 0; k < s.length; k++) {
                    int own = cell(t, columns, side, across);
                    boolean near = Math.abs(own / across - k / across) <= 1
                            && Math.abs(own % across - k % across) <= 1;
                    score[k] = near ? -distance(z[t], s[k]) / TEMPERATURE
                            : Double.NEGATIVE_INFINITY;
                }
                double[] p = softmax(score);
                for (int k = 0; k < s.length; k++) {
                    add(sum[k], p[k], z[t]);
                    total[k] += p[k];
                }
            }
            for (int k = 0; k < s.length; k++) {
                s[k] = scaled(1 / total[k], sum[k]);
            }
        }
        return s;
    }

    private static int cell(int token, int columns, int side, int across) {
        return token / columns / side * across + token % columns / side;
    }

    private static double distance(double[] a, double[] b) {
        double[] difference = plus(a, scaled(-1, b));
        return dot(difference, difference);
    }

    private static double[][] layer(Given given, String path, double[][] x) {
        double[][] n = rmsNorm(given.vector(path + ".norm.scale"), x);
        double[][] mixed = among(given, path + ".attention", n, n);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = plus(x[t], mixed[t]);
            y[t] = plus(h, swiGlu(given, path + ".net",
                    rmsNorm(given.vector(path + ".net_norm.scale"), h)));
        }
        return y;
    }
}
