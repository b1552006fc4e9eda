package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A08: some channels are pooled, some convolved, and some attend to means of pixels. */
class ChannelSplitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("channel_split").sizes("I=2 J=4 D=8 F=5 L=2")
                .form("the largest of lines, and then of columns", s -> s.replace("""
                                top[i in 0..I, j in 0..J, c in 0..P] =
                                    max[u in 0..3, v in 0..3] (x[i + u - 1, j + v - 1, c] or skip)
                        """, """
                                line[i in 0..I, j in 0..J, c in 0..P] =
                                    max[v in 0..3] (x[i, j + v - 1, c] or skip)
                                top[i in 0..I, j in 0..J, c] =
                                    max[u in 0..3] (line[i + u - 1, j, c] or skip)
                        """))
                .is(ChannelSplitTest::textbook);
    }

    /** Rows are pixels, line by line. */
    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        int width = y[0].length;
        for (int i = 0; i < given.size("L"); i++) {
            int near = i < given.size("L") / 2 ? 3 * width / 8 : width / 8;
            String layer = "layers." + i;
            double[][] mixed = mixed(given, layer + ".mixer",
                    normed(given, layer + ".norm", y), near);
            double[][] next = new double[y.length][];
            for (int p = 0; p < y.length; p++) {
                double[] h = plus(y[p], mixed[p]);
                double[] n = normed(given, layer + ".net_norm", new double[][] {h})[0];
                double[] wide = each(linear(given, layer + ".up", n), Textbook::gelu);
                next[p] = plus(h, linear(given, layer + ".down", wide));
            }
            y = next;
        }
        return y;
    }

    private static double[][] normed(Given given, String path, double[][] x) {
        double[][] n = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            n[p] = layerNorm(given.vector(path + ".scale"), given.vector(path + ".shift"), x[p]);
        }
        return n;
    }

    private static double[] linear(Given given, String path, double[] x) {
        return plus(times(given.matrix(path + ".w"), x), given.vector(path + ".bias"));
    }

    private static double[][] mixed(Given given, String path, double[][] x, int near) {
        int width = x[0].length;
        double[][] convolved = new double[x.length][];
        double[][] rest = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            convolved[p] = linear(given, path + ".mapped", part(x[p], near, 2 * near));
            rest[p] = part(x[p], 2 * near, width);
        }
        convolved = convolution(given, path + ".near", convolved);
        double[][] seen = attention(given, path + ".low", rest);
        double[][] both = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            double[] top = new double[near];
            for (int c = 0; c < near; c++) {
                top[c] = Double.NEGATIVE_INFINITY;
                for (int q = 0; q < x.length; q++) {
                    top[c] = isNear(given, p, q) ? Math.max(top[c], x[q][c]) : top[c];
                }
            }
            both[p] = Textbook.joined(Textbook.joined(
                    linear(given, path + ".pooled", top), convolved[p]), seen[p]);
        }
        double[][] smooth = convolution(given, path + ".smooth", both);
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            y[p] = linear(given, path + ".mix", plus(both[p], smooth[p]));
        }
        return y;
    }

    private static boolean isNear(Given given, int p, int q) {
        int columns = given.size("J");
        return Math.abs(p / columns - q / columns) <= 1
                && Math.abs(p % columns - q % columns) <= 1;
    }

    private static double[][] convolution(Given given, String path, double[][] x) {
        int columns = given.size("J");
        double[][] y = new double[x.length][x[0].length];
        for (int p = 0; p < x.length; p++) {
            for (int c = 0; c < x[p].length; c++) {
                y[p][c] = given.vector(path + ".bias")[c];
                for (int q = 0; q < x.length; q++) {
                    if (isNear(given, p, q)) {
                        y[p][c] += given.cube(path + ".w")[c][q / columns - p / columns + 1][
                                q % columns - p % columns + 1] * x[q][c];
                    }
                }
            }
        }
        return y;
    }

    /** Among the means of squares of four pixels; each pixel has what its square read. */
    private static double[][] attention(Given given, String path, double[][] x) {
        int columns = given.size("J");
        double[][] mean = new double[x.length / 4][x[0].length];
        for (int p = 0; p < x.length; p++) {
            add(mean[square(p, columns)], 0.25, x[p]);
        }
        double[][] read = new double[mean.length][x[0].length];
        for (int t = 0; t < mean.length; t++) {
            double[] score = new double[mean.length];
            for (int s = 0; s < mean.length; s++) {
                score[s] = dot(times(given.matrix(path + ".wq"), mean[t]),
                        times(given.matrix(path + ".wk"), mean[s])) / Math.sqrt(x[0].length);
            }
            double[] p = softmax(score);
            for (int s = 0; s < mean.length; s++) {
                add(read[t], p[s], times(given.matrix(path + ".wv"), mean[s]));
            }
        }
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            y[p] = read[square(p, columns)];
        }
        return y;
    }

    private static int square(int pixel, int columns) {
        return pixel / columns / 2 * (columns / 2) + pixel % columns / 2;
    }
}
