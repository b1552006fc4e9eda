package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.relu;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A12: tokens are compressed against subspaces, and then coded in a dictionary. */
class RateReductionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("rate_reduction").sizes("D=5 K=3 C=2 L=1").takesWholeSequences()
                .form("the step by the dictionary's own products", s -> s
                        .replace("error = x - dictionary @ x", """
                                own[i in 0..D, j in 0..D] =
                                    sum[k] dictionary[k, i] * dictionary[k, j]
                                """)
                        .replace("slope[i in 0..D] = sum[j] dictionary[j, i] * error[j]",
                                "slope[i in 0..D] = (sum[j] dictionary[j, i] * x[j]) "
                                        + "- (sum[j] own[i, j] * x[j])"))
                .is(RateReductionTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] n = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                n[t] = normed(given, layer + ".norm", y[t]);
            }
            double[][] next = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                double[] h = y[t].clone();
                compress(given, layer + ".attention", n, t, h);
                next[t] = coded(given, layer, normed(given, layer + ".code_norm", h));
            }
            y = next;
        }
        return y;
    }

    private static double[] normed(Given given, String path, double[] x) {
        return layerNorm(given.vector(path + ".scale"), given.vector(path + ".shift"), x);
    }

    /** Adds what each subspace reads: queries, keys and values are one projection. */
    private static void compress(Given given, String path, double[][] x, int t, double[] y) {
        for (int k = 0; k < given.size("K"); k++) {
            double[][] basis = given.cube(path + ".basis")[k];
            double[] own = times(basis, x[t]);
            double[] score = new double[x.length];
            for (int s = 0; s < x.length; s++) {
                score[s] = dot(own, times(basis, x[s])) / Math.sqrt(own.length);
            }
            double[] p = softmax(score);
            double[] read = new double[own.length];
            for (int s = 0; s < x.length; s++) {
                add(read, p[s], times(basis, x[s]));
            }
            for (int d = 0; d < y.length; d++) {
                y[d] += dot(given.cube(path + ".wo")[d][k], read);
            }
        }
    }

    /** One step of iterative shrinkage and thresholding: step and sparsity are 0.1. */
    private static double[] coded(Given given, String layer, double[] x) {
        double[][] dictionary = given.matrix(layer + ".code.dictionary");
        double[] error = x.clone();
        add(error, -1, times(dictionary, x));
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            double slope = 0;
            for (int j = 0; j < x.length; j++) {
                slope += dictionary[j][i] * error[j];
            }
            y[i] = relu(x[i] + 0.1 * slope - 0.1 * 0.1);
        }
        return y;
    }
}
