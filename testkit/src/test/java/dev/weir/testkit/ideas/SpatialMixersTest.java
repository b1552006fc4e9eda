package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.List;
import org.junit.jupiter.api.Test;

/** A09: means and maxima of neighbours, mixed and shifted channels, columns and rows, in turns. */
class SpatialMixersTest {
    @Test
    void isTheTextbooks() {
        Idea.example("spatial_mixers").sizes("I=3 J=5 D=12 S=5 R=4 G=3 E=5 F=4 L=5")
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
            double[][] mixed = switch (i % 4) {
                case 0 -> pooling(given, path, y);
                case 1 -> shifting(given, path, y);
                case 2 -> raft(given, path, y);
                default -> largest(given, path, y);
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

    /** Regions as wide as the shift, mixed where they lie, then moved down and to the side. */
    private static double[][] shifting(Given given, String path, double[][] x) {
        int width = given.size("J");
        int height = given.size("I");
        int groups = given.size("S");
        double[][] n = normed(given, path + ".norm", x);
        double[][] sum = new double[x.length][x[0].length];
        for (int d = 0; d < x[0].length; d++) {
            int step = d * groups / x[0].length - groups / 2;
            for (String way : List.of("down", "side")) {
                for (int p = 0; p < x.length; p++) {
                    int i = p / width + (way.equals("down") ? step : 0);
                    int j = p % width + (way.equals("side") ? step : 0);
                    if (i >= 0 && i < height && j >= 0 && j < width) {
                        sum[i * width + j][d] += region(given, path + "." + way, n, p, d, step);
                    }
                }
            }
        }
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            y[p] = plus(x[p], times(given.matrix(path + ".out"), sum[p]));
        }
        return y;
    }

    private static double region(
            Given given, String path, double[][] n, int p, int d, int step) {
        int width = given.size("J");
        int half = given.size("S") / 2;
        int reach = Math.abs(step);
        double sum = 0;
        for (int q = 0; q < n.length; q++) {
            int u = q / width - p / width;
            int v = q % width - p % width;
            if (Math.abs(u) <= reach && Math.abs(v) <= reach) {
                sum += given.cube(path)[u + half][v + half][d] * n[q][d];
            }
        }
        return sum;
    }

    /** The largest of the neighbours, between two products. */
    private static double[][] largest(Given given, String path, double[][] x) {
        int width = given.size("J");
        double[][] h = normed(given, path + ".norm", x);
        for (int p = 0; p < x.length; p++) {
            h[p] = each(times(given.matrix(path + ".wide"), h[p]), Textbook::relu);
        }
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            double[] most = h[p].clone();
            for (int q = 0; q < x.length; q++) {
                for (int f = 0; f < most.length
                        && Math.abs(p / width - q / width) <= 1
                        && Math.abs(p % width - q % width) <= 1; f++) {
                    most[f] = Math.max(most[f], h[q][f]);
                }
            }
            y[p] = plus(x[p], times(given.matrix(path + ".narrow"), most));
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
