package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G04: y = σ(G_1 x) ⊙ convolution(x) + σ(G_2 x) ⊙ Mᵀ softmax(M x). */
class AssociativeMemoryTest {
    @Test
    void isTheTextbooks() {
        Idea.example("associative_memory").sizes("D=5 N=3 W=2 L=1")
                .is(AssociativeMemoryTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] x = y;
            y = Textbook.copy(x);
            for (int t = 0; t < x.length; t++) {
                double[] p = softmax(times(given.matrix(layer + ".bank"), x[t]));
                double[] known = new double[x[t].length];
                for (int n = 0; n < p.length; n++) {
                    add(known, p[n], given.matrix(layer + ".bank")[n]);
                }
                double[] first = times(given.cube(layer + ".gates")[0], x[t]);
                double[] second = times(given.cube(layer + ".gates")[1], x[t]);
                for (int d = 0; d < known.length; d++) {
                    double near = 0;
                    for (int w = 0; w < given.size("W") && w <= t; w++) {
                        near += given.matrix(layer + ".kernel")[w][d] * x[t - w][d];
                    }
                    y[t][d] += sigmoid(first[d]) * near + sigmoid(second[d]) * known[d];
                }
            }
        }
        return y;
    }
}
