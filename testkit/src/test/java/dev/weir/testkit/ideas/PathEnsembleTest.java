package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** D09: y = x + Σ scale ⊙ path, the paths those of the residual stack, some of them cut out. */
class PathEnsembleTest {
    @Test
    void isTheTextbooks() {
        Idea.example("path_ensemble").sizes("D=6 H=3 C=2 F=5 L=4")
                .is(PathEnsembleTest::textbook);
    }

    /** Groups of two layers side by side, and of one, which is the stack itself. */
    @Test
    void stacksMadeShallow() {
        Idea.example("path_ensemble").file("shallow.weir").small("L=4 G=2")
                .sizes("D=6 H=3 C=2 F=5 L=3 G=1").is(PathEnsembleTest::shallow);
    }

    private static double[][] shallow(Given given) {
        double[][] y = given.rows("x");
        double[][] stream = y;
        for (int i = 0; i < given.size("L"); i++) {
            stream = i % given.size("G") == 0 ? Textbook.copy(y) : stream;
            String layer = "layers." + i;
            double[][] near = attention(given, layer + ".attention",
                    rmsNorm(given.vector(layer + ".attention_norm.scale"), stream));
            for (int t = 0; t < y.length; t++) {
                double[] h = plus(stream[t], near[t]);
                double[] far = swiGlu(given, layer + ".network",
                        rmsNorm(given.vector(layer + ".norm.scale"), h));
                y[t] = plus(y[t], plus(near[t], far));
            }
        }
        return y;
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        double[][] stream = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] near = i == 1 || i == 2 ? new double[y.length][y[0].length]
                    : attention(given, layer + ".attention",
                            rmsNorm(given.vector(layer + ".attention_norm.scale"), stream));
            for (int t = 0; t < y.length; t++) {
                double[] h = plus(stream[t], near[t]);
                double[] far = i == 1 ? new double[h.length] : swiGlu(given, layer + ".network",
                        rmsNorm(given.vector(layer + ".norm.scale"), h));
                stream[t] = plus(h, far);
                double[][] scale = given.matrix("scale");
                y[t] = plus(y[t], plus(product(scale[2 * i], near[t]),
                        product(scale[2 * i + 1], far)));
            }
        }
        return y;
    }
}
