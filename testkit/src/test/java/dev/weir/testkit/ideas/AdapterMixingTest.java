package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R12: y = W x + Σ_n share_n B_n A_n x, the shares of all layers from a pass without adapters. */
class AdapterMixingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("adapter_mixing").sizes("D=5 F=3 N=4 R=1 L=1")
                .is(AdapterMixingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] y = new double[x.length][];
        int layers = given.size("L");
        int adapters = given.size("N");
        for (int t = 0; t < x.length; t++) {
            double[] first = x[t];
            for (int i = 0; i < layers; i++) {
                first = layer(given, "layers." + i, first, new double[adapters]);
            }
            double[] score = times(given.matrix("shares"), first);
            y[t] = x[t];
            for (int i = 0; i < layers; i++) {
                y[t] = layer(given, "layers." + i, y[t], softmax(
                        Textbook.part(score, i * adapters, (i + 1) * adapters)));
            }
        }
        return y;
    }

    private static double[] layer(Given given, String path, double[] x, double[] share) {
        double[] h = map(given, path + ".up",
                rmsNorm(given.vector(path + ".norm.scale"), x), share);
        return plus(x, map(given, path + ".down", each(h, Textbook::gelu), share));
    }

    private static double[] map(Given given, String path, double[] x, double[] share) {
        double[] y = times(given.matrix(path + ".weight"), x);
        for (int n = 0; n < share.length; n++) {
            add(y, share[n], times(given.cube(path + ".up")[n],
                    times(given.cube(path + ".down")[n], x)));
        }
        return y;
    }
}
