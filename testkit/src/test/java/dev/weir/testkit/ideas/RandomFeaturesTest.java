package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;

import org.junit.jupiter.api.Test;

/** A16: weights and tokens meet in a product of random features; both matrices become one. */
class RandomFeaturesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("random_features").sizes("D=5 M=8 L=1")
                .form("one feature after the other", s -> s.replace(
                        "-> y[D] = bundle @ (relu(g @ x) / sqrt(M))", """
                                -> y[D] {
                                    y[d in 0..D] = 0.0
                                    for m in 0..M {
                                        feature = relu(g[m] @ x) / sqrt(M)
                                        y[d] = y[d] + bundle[d, m] * feature
                                    }
                                }
                                """))
                .is(given -> layers(given, RandomFeaturesTest::bundled));
    }

    @Test
    void towersOfWeightsAndTokens() {
        Idea.example("random_features").file("towers.weir").sizes("D=5 F=3 M=8 L=1")
                .is(given -> layers(given, RandomFeaturesTest::towers));
    }

    /** Bundled with B = V Φ(W), a network gives what its towers give. */
    @Test
    void aBundleOfTowersIsTheTowers() {
        Idea.example("random_features").file("towers.weir").sizes("D=5 F=3 M=8 L=1")
                .form("bundled", s -> s.replace(
                        s.substring(s.indexOf("        weight_features"), s.indexOf("    }\n}")),
                        """
                                bundle[d, m] = sum[f] down[d, f]
                                    * relu(sum[i in 0..D] g[m, i] * w[f, i]) / sqrt(M)
                                y = bundle @ (relu(g @ x) / sqrt(M))
                        """))
                .is(given -> layers(given, RandomFeaturesTest::towers));
    }

    /** What a layer adds to a row. */
    private interface Layer {
        void of(Given given, String path, double[] x, double[] row);
    }

    private static double[][] layers(Given given, Layer layer) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            for (double[] row : y) {
                layer.of(given, "layers." + i,
                        rmsNorm(given.vector("norms." + i + ".scale"), row), row);
            }
        }
        return y;
    }

    private static double feature(double[] g, double[] x, int features) {
        return Math.max(dot(g, x), 0) / Math.sqrt(features);
    }

    private static void bundled(Given given, String path, double[] x, double[] row) {
        double[][] g = given.matrix(path + ".g");
        for (int m = 0; m < g.length; m++) {
            for (int d = 0; d < row.length; d++) {
                row[d] += given.matrix(path + ".bundle")[d][m] * feature(g[m], x, g.length);
            }
        }
    }

    /** A kernel of each weight vector and the token, as the mean of products of their features. */
    private static void towers(Given given, String path, double[] x, double[] row) {
        double[][] g = given.matrix(path + ".g");
        double[][] w = given.matrix(path + ".w");
        for (int f = 0; f < w.length; f++) {
            double kernel = 0;
            for (double[] direction : g) {
                kernel += feature(direction, w[f], g.length) * feature(direction, x, g.length);
            }
            double[] column = new double[row.length];
            for (int d = 0; d < column.length; d++) {
                column[d] = given.matrix(path + ".down")[d][f];
            }
            add(row, kernel, column);
        }
    }
}
