package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G03: a recurrence from either end, and a gate between what it gives and a convolution. */
class LocalityGateTest {
    @Test
    void isTheTextbooks() {
        Idea.example("locality_gate").sizes("I=2 J=3 D=5 H=1 K=2 V=3 L=2")
                .form("a scan for each direction", LocalityGateTest::twice)
                .is(LocalityGateTest::textbook);
    }

    /** Each direction in a scan of its own, the second from the end. */
    private static String twice(String text) {
        int from = text.indexOf("            r[h, k, v] = backward_gate");
        int to = text.indexOf("        y[p, d] = sum[h, v]");
        return text.substring(0, from) + "}\nscan p reversed {\n"
                + text.substring(from, to).replace("P - 1 - p", "p")
                + text.substring(to).replaceFirst("P - 1 - p", "p");
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            double[][] far = bothWays(given, "mixers." + i, y);
            double[][] next = new double[y.length][];
            for (int p = 0; p < y.length; p++) {
                double[] open = times(given.matrix("gates." + i + ".gate"), y[p]);
                double[] near = around(given, "gates." + i, y, p);
                next[p] = y[p].clone();
                for (int d = 0; d < open.length; d++) {
                    double share = sigmoid(open[d]);
                    next[p][d] += share * near[d] + (1 - share) * far[p][d];
                }
            }
            y = next;
        }
        return y;
    }

    private static double[] around(Given given, String path, double[][] x, int patch) {
        int width = given.size("J");
        double[] sum = new double[x[0].length];
        for (int u = -1; u <= 1; u++) {
            for (int v = -1; v <= 1; v++) {
                int i = patch / width + u;
                int j = patch % width + v;
                if (i >= 0 && i < given.size("I") && j >= 0 && j < width) {
                    sum = plus(sum, Textbook.product(
                            given.cube(path + ".kernel")[u + 1][v + 1], x[i * width + j]));
                }
            }
        }
        return sum;
    }

    /** What a patch reads is the sum over all others, each decayed by the gates in between. */
    private static double[][] bothWays(Given given, String path, double[][] x) {
        double[][] y = new double[x.length][x[0].length];
        for (int h = 0; h < given.size("H"); h++) {
            for (int p = 0; p < x.length; p++) {
                double[] query = times(given.cube(path + ".wq")[h], x[p]);
                for (int other = 0; other < x.length; other++) {
                    double[] key = times(given.cube(path + ".wk")[h], x[other]);
                    double score = 0;
                    for (int k = 0; k < key.length; k++) {
                        score += query[k] * key[k] * left(given, path, h, k, x, p, other);
                    }
                    double[] value = times(given.cube(path + ".wv")[h], x[other]);
                    for (int d = 0; d < y[p].length; d++) {
                        y[p][d] += score * Textbook.dot(
                                given.cube(path + ".wo")[d][h], value);
                    }
                }
            }
        }
        return y;
    }

    /** How much of channel k is left on the way; a patch itself is seen from both sides. */
    private static double left(
            Given given, String path, int h, int k, double[][] x, int p, int other) {
        String gate = other < p ? ".forth" : ".back";
        double product = other == p ? 2 : 1;
        for (int q = Math.min(p, other); q <= Math.max(p, other); q++) {
            if (q != other) {
                product *= sigmoid(times(given.cube(path + gate)[h], x[q])[k]);
            }
        }
        return product;
    }
}
