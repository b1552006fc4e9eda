package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** D11: y = after(x + behind(f(before(x)))), with norms at some of the three places. */
class NormPlacementTest {
    @Test
    void peri() {
        Idea.example("norm_placement").sizes("D=5 F=3 L=1")
                .is(given -> textbook(given, true, true, false));
    }

    @Test
    void pre() {
        placed("RmsNorm<D>, Keep<D>, Keep<D>").is(given -> textbook(given, true, false, false));
    }

    @Test
    void post() {
        placed("Keep<D>, Keep<D>, RmsNorm<D>").is(given -> textbook(given, false, false, true));
    }

    @Test
    void none() {
        placed("Keep<D>, Keep<D>, Keep<D>").is(given -> textbook(given, false, false, false));
    }

    /** Layer normalisation takes the same places. */
    @Test
    void layerNorm() {
        placed("LayerNorm<D>, LayerNorm<D>, LayerNorm<D>")
                .is(given -> textbook(given, NormPlacementTest::layerNormed, true, true, true));
    }

    /** Without norms and activations: y = h + down (up h), h = x + attention(x). */
    @Test
    void softmaxOnly() {
        Idea.example("norm_placement").file("softmax_only.weir").sizes("D=6 H=3 C=2 F=3 L=1")
                .is(given -> {
                    double[][] y = Textbook.copy(given.rows("x"));
                    for (int i = 0; i < given.size("L"); i++) {
                        String layer = "layers." + i;
                        double[][] mixed = attention(given, layer + ".attention", y);
                        for (int t = 0; t < y.length; t++) {
                            double[] h = plus(y[t], mixed[t]);
                            y[t] = plus(h, times(given.matrix(layer + ".down"),
                                    times(given.matrix(layer + ".up"), h)));
                        }
                    }
                    return y;
                });
    }

    private static Idea placed(String norms) {
        return Idea.example("norm_placement").sizes("D=5 F=3 L=1").written(text -> text
                .replace("{ RmsNorm }", "{ LayerNorm, RmsNorm }")
                .replace("RmsNorm<D>, RmsNorm<D>, Keep<D>", norms));
    }

    /** A norm at a place, with the parameters of that path. */
    private interface Norm {
        double[] of(Given given, String path, double[] x);
    }

    private static double[] rmsNormed(Given given, String path, double[] x) {
        return rmsNorm(given.vector(path + ".scale"), x);
    }

    private static double[] layerNormed(Given given, String path, double[] x) {
        return Textbook.layerNorm(
                given.vector(path + ".scale"), given.vector(path + ".shift"), x);
    }

    private static double[][] textbook(
            Given given, boolean before, boolean behind, boolean after) {
        return textbook(given, NormPlacementTest::rmsNormed, before, behind, after);
    }

    private static double[][] textbook(
            Given given, Norm norm, boolean before, boolean behind, boolean after) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (int t = 0; t < y.length; t++) {
                double[] z = before ? norm.of(given, layer + ".before", y[t]) : y[t];
                double[] f = swiGlu(given, layer + ".network", z);
                double[] h = plus(y[t],
                        behind ? norm.of(given, layer + ".behind", f) : f);
                y[t] = after ? norm.of(given, layer + ".after", h) : h;
            }
        }
        return y;
    }
}
