package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.silu;

import org.junit.jupiter.api.Test;

/** D14: the first layers, in the first channels and hidden units of each. */
class SlimmablePrefixesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("slimmable_prefixes").sizes("D=6 F=5 L=2 W=6 G=2 Depth=1")
                .is(SlimmablePrefixesTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        int width = given.size("W");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = part(x[t], 0, width);
            for (int i = 0; i < given.size("Depth"); i++) {
                String layer = "layers." + i;
                double[] normed = rmsNorm(part(given.vector(layer + ".scale"), 0, width), y[t]);
                double[] step = new double[width];
                for (int g = 0; g < given.size("G"); g++) {
                    double gate = 0;
                    double up = 0;
                    for (int w = 0; w < width; w++) {
                        gate += given.matrix(layer + ".gate")[g][w] * normed[w];
                        up += given.matrix(layer + ".up")[g][w] * normed[w];
                    }
                    for (int w = 0; w < width; w++) {
                        step[w] += given.matrix(layer + ".down")[w][g] * silu(gate) * up;
                    }
                }
                add(y[t], 1, step);
            }
        }
        return y;
    }
}
