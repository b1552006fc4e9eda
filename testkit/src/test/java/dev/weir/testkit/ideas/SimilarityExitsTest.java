package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.among;
import static dev.weir.testkit.ideas.Textbook.cosine;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** D04: the image leaves the encoder, a token the decoder, when a layer changes little. */
class SimilarityExitsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("similarity_exits").sizes("P=3 D=5 H=1 C=2 F=4 L=3")
                .is(SimilarityExitsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] seen = given.rows("image");
        for (int i = 0; i < given.size("L"); i++) {
            double[][] before = seen;
            seen = encoder(given, "encoder." + i, seen);
            double alike = 0;
            for (int p = 0; p < seen.length; p++) {
                alike += cosine(seen[p], before[p]) / seen.length;
            }
            if (alike > 0.9) {
                break;
            }
        }
        double[][] y = Textbook.copy(given.rows("x"));
        for (int t = 0; t < y.length; t++) {
            for (int i = 0; i < given.size("L"); i++) {
                double[] before = y[t];
                String path = "decoder." + i;
                double[] normed = rmsNorm(given.vector(path + ".norm.scale"), before);
                double[] h = plus(before, among(given, path, new double[][] {normed}, seen)[0]);
                y[t] = plus(h, network(given, path, h));
                if (cosine(y[t], before) > 0.9) {
                    break;
                }
            }
        }
        return y;
    }

    private static double[][] encoder(Given given, String path, double[][] x) {
        double[][] normed = rmsNorm(given.vector(path + ".norm.scale"), x);
        double[][] y = among(given, path, normed, normed);
        for (int p = 0; p < x.length; p++) {
            add(y[p], 1, x[p]);
            add(y[p], 1, network(given, path, y[p]));
        }
        return y;
    }

    private static double[] network(Given given, String path, double[] x) {
        return swiGlu(given, path + ".network",
                rmsNorm(given.vector(path + ".network_norm.scale"), x));
    }
}
