package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** D02: each layer used R times, attention within groups, patches shuffled between the uses. */
class SlicedRecursionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("sliced_recursion").sizes("N=8 D=5 H=1 C=2 F=4 G=2 R=3 L=2")
                .form("unrolled", text -> text.replace("R = 2, ", "").replace("for r in 0..R {", "")
                        .replace("y[n in 0..N, d] = y[n % G * (N / G) + n / G, d]\n            }",
                                """
                                a[n in 0..N, d] = y[n % G * (N / G) + n / G, d]
                                b = layers[i](a)
                                y[n in 0..N, d] = b[n % G * (N / G) + n / G, d]"""))
                .is(SlicedRecursionTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        int groups = given.size("G");
        int uses = given.text().contains(" R = ") ? given.size("R") : 2;
        for (int i = 0; i < given.size("L"); i++) {
            for (int r = 0; r < uses; r++) {
                double[][] made = new double[y.length][];
                int each = y.length / groups;
                for (int g = 0; g < groups; g++) {
                    double[][] group = new double[each][];
                    System.arraycopy(y, g * each, group, 0, each);
                    System.arraycopy(layer(given, "layers." + i, group), 0, made, g * each, each);
                }
                // Deals the patches out like cards: one of each group in turn.
                y = new double[made.length][];
                for (int n = 0; n < made.length; n++) {
                    y[n] = made[n % groups * each + n / groups];
                }
            }
        }
        return y;
    }

    private static double[][] layer(Given given, String path, double[][] x) {
        double[][] normed = new double[x.length][];
        for (int n = 0; n < x.length; n++) {
            normed[n] = layerNorm(given.vector(path + ".norm.scale"),
                    given.vector(path + ".norm.shift"), x[n]);
        }
        double[][] mixed = Textbook.among(given, path + ".attention", normed, normed);
        double[][] y = new double[x.length][];
        for (int n = 0; n < x.length; n++) {
            double[] h = plus(x[n], mixed[n]);
            double[] z = layerNorm(given.vector(path + ".network_norm.scale"),
                    given.vector(path + ".network_norm.shift"), h);
            double[] gate = each(times(given.matrix(path + ".network.gate"), z), Textbook::gelu);
            y[n] = plus(h, times(given.matrix(path + ".network.down"),
                    product(gate, times(given.matrix(path + ".network.up"), z))));
        }
        return y;
    }
}
