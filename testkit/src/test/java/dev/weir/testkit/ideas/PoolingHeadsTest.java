package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.joined;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A10: a set becomes one vector by powers, by scores for each channel, and across layers. */
class PoolingHeadsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("pooling_heads").sizes("D=6 F=5 G=3 R=3 C=2 L=3 N=4").takesWholeSequences()
                .form("by logarithms and exponentials", s -> s.replace(
                        "pow(max(x[t, d], least), power[d])",
                        "exp(power[d] * log(max(x[t, d], least)))"))
                .form("each channel's largest score taken away", s -> s.replace(
                        "p[t, d] = softmax[t] c[t, d]", """
                                most[d] = max[t] c[t, d]
                                e[t, d] = exp(c[t, d] - most[d])
                                whole[d] = sum[t] e[t, d]
                                p[t, d] = e[t, d] / whole[d]
                                """))
                .is(PoolingHeadsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] h = Textbook.copy(given.rows("x"));
        int width = h[0].length;
        double[][] means = new double[given.size("L")][width];
        for (int i = 0; i < means.length; i++) {
            String layer = "layers." + i;
            for (int t = 0; t < h.length; t++) {
                double[] n = layerNorm(given.vector(layer + ".norm.scale"),
                        given.vector(layer + ".norm.shift"), h[t]);
                double[] wide = each(linear(given, layer + ".up", n), Textbook::gelu);
                h[t] = plus(h[t], linear(given, layer + ".down", wide));
                add(means[i], 1.0 / h.length, h[t]);
            }
        }
        double[] found = joined(joined(groupMean(given, h), attentional(given, h)),
                across(given, means));
        return new double[][] {linear(given, "head", found)};
    }

    private static double[] linear(Given given, String path, double[] x) {
        return plus(times(given.matrix(path + ".w"), x), given.vector(path + ".bias"));
    }

    private static double[] groupMean(Given given, double[][] x) {
        double[] y = new double[x[0].length];
        for (int d = 0; d < y.length; d++) {
            int group = d / (y.length / given.size("G"));
            double power = 1 + Math.log1p(Math.exp(given.vector("group_mean.sharpness")[group]));
            for (double[] row : x) {
                y[d] += Math.pow(Math.max(row[d], 1e-3), power) / x.length;
            }
            y[d] = Math.pow(y[d], 1 / power);
        }
        return y;
    }

    private static double[] attentional(Given given, double[][] x) {
        double[] y = new double[x[0].length];
        for (int d = 0; d < y.length; d++) {
            double[] score = new double[x.length];
            for (int t = 0; t < x.length; t++) {
                score[t] = dot(given.matrix("attentional.score")[d], x[t]);
            }
            double[] p = softmax(score);
            for (int t = 0; t < x.length; t++) {
                y[d] += p[t] * x[t][d];
            }
        }
        return y;
    }

    private static double[] across(Given given, double[][] means) {
        double[] y = new double[means[0].length];
        for (int r = 0; r < given.size("R"); r++) {
            double[] query = given.matrix("across.query")[r];
            double[] score = new double[means.length];
            for (int l = 0; l < means.length; l++) {
                score[l] = dot(query, times(given.matrix("across.wk"), labelled(given, means, l)))
                        / Math.sqrt(query.length);
            }
            double[] p = softmax(score);
            double[] z = new double[query.length];
            for (int l = 0; l < means.length; l++) {
                add(z, p[l], times(given.matrix("across.wv"), labelled(given, means, l)));
            }
            for (int d = 0; d < y.length; d++) {
                y[d] += dot(given.cube("across.wo")[d][r], z);
            }
        }
        return y;
    }

    /** The mean of a layer and what says which layer it is. */
    private static double[] labelled(Given given, double[][] means, int l) {
        return plus(means[l], given.matrix("across.layer")[l]);
    }
}
