package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A09: means of neighbours, shifted channels, and networks along columns and rows, in turns. */
class SpatialMixersTest {
    @Test
    void isTheTextbooks() {
        Idea.example("spatial_mixers").sizes("I=3 J=5 D=20 R=4 G=3 F=4 L=3")
                .form("the mean as a sum and a count", s -> s
                        .replace("y = x + pooled(n, 3) - n", """
                                total[i in 0..I, j in 0..J, d] =
                                    sum[u in 0..3, v in 0..3] (n[i + u - 1, j + v - 1, d] or 0)
                                one[i in 0..I, j in 0..J] = 1.0
                                count[i in 0..I, j in 0..J] =
                                    sum[u in 0..3, v in 0..3] (one[i + u - 1, j + v - 1] or 0)
                                y[i, j, d] = x[i, j, d] + total[i, j, d] / count[i, j] - n[i, j, d]
                                """).replace("import stdlib.vision { pooled }\n", ""))
                .is(SpatialMixersTest::textbook);
    }

    /** Rows are pixels, line by line. */
    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String path = "mixers." + i;
            double[][] mixed = switch (i % 3) {
                case 0 -> pooling(given, path, y);
                case 1 -> shifting(given, path, y);
                default -> raft(given, path, y);
            };
            for (int p = 0; p < y.length; p++) {
                y[p] = network(given, "nets." + i, mixed[p]);
            }
        }
        return y;
    }

    private static double[] network(Given given, String path, double[] x) {
        double[] n = layerNorm(given.vector(path + ".norm.scale"),
                given.vector(path + ".norm.shift"), x);
        double[] h = each(plus(times(given.matrix(path + ".up.w"), n),
                given.vector(path + ".up.bias")), Textbook::gelu);
        return plus(x, plus(times(given.matrix(path + ".down.w"), h),
                given.vector(path + ".down.bias")));
    }

    private static double[][] normed(Given given, String path, double[][] x) {
        double[][] n = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            n[p] = layerNorm(given.vector(path + ".scale"), given.vector(path + ".shift"), x[p]);
        }
        return n;
    }

    private static double[][] pooling(Given given, String path, double[][] x) {
        int width = given.size("J");
        double[][] n = rmsNorm(given.vector(path + ".norm.scale"), x);
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            double[] sum = new double[x[p].length];
            int count = 0;
            for (int q = 0; q < x.length; q++) {
                if (Math.abs(p / width - q / width) <= 1 && Math.abs(p % width - q % width) <= 1) {
                    sum = plus(sum, n[q]);
                    count++;
                }
            }
            y[p] = new double[sum.length];
            for (int d = 0; d < sum.length; d++) {
                y[p][d] = x[p][d] + sum[d] / count - n[p][d];
            }
        }
        return y;
    }

    private static double[][] shifting(Given given, String path, double[][] x) {
        int width = given.size("J");
        double[][] n = normed(given, path + ".norm", x);
        double[][] y = Textbook.copy(x);
        int[][] steps = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
        for (int p = 0; p < x.length; p++) {
            for (int d = 0; d < x[p].length; d++) {
                int tenth = d * 10 / x[p].length;
                int[] step = tenth < 4 ? steps[tenth] : new int[2];
                int i = p / width + step[0];
                int j = p % width + step[1];
                if (i >= 0 && i < given.size("I") && j >= 0 && j < width) {
                    y[p][d] += n[i * width + j][d];
                }
            }
        }
        return y;
    }

    /** Along columns, then along rows: groups of channels are mixed with the places. */
    private static double[][] raft(Given given, String path, double[][] x) {
        double[][] h = along(given, x, normed(given, path + ".norm", x),
                path + ".up", path + ".down", true);
        return along(given, h, normed(given, path + ".row_norm", h),
                path + ".row_up", path + ".row_down", false);
    }

    private static double[][] along(
            Given given, double[][] x, double[][] n, String up, String down, boolean columns) {
        int width = given.size("J");
        int groups = given.size("R");
        int part = x[0].length / groups;
        double[][] y = Textbook.copy(x);
        for (int p = 0; p < x.length; p++) {
            for (int d = 0; d < x[p].length; d++) {
                for (int f = 0; f < given.size("G"); f++) {
                    double sum = 0;
                    for (int q = 0; q < x.length; q++) {
                        boolean same = columns ? q % width == p % width : q / width == p / width;
                        for (int r = 0; same && r < groups; r++) {
                            sum += given.cube(up)[f][columns ? q / width : q % width][r]
                                    * n[q][r * part + d % part];
                        }
                    }
                    y[p][d] += given.cube(down)[columns ? p / width : p % width][d / part][f]
                            * Textbook.gelu(sum);
                }
            }
        }
        return y;
    }
}
