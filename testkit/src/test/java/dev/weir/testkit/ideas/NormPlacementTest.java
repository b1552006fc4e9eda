package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

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

    private static Idea placed(String norms) {
        return Idea.example("norm_placement").sizes("D=5 F=3 L=1").written(text ->
                text.replace("RmsNorm<D>, RmsNorm<D>, Keep<D>", norms));
    }

    private static double[][] textbook(
            Given given, boolean before, boolean behind, boolean after) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (int t = 0; t < y.length; t++) {
                double[] z = before ? rmsNorm(given.vector(layer + ".before.scale"), y[t]) : y[t];
                double[] f = swiGlu(given, layer + ".network", z);
                double[] h = plus(y[t],
                        behind ? rmsNorm(given.vector(layer + ".behind.scale"), f) : f);
                y[t] = after ? rmsNorm(given.vector(layer + ".after.scale"), h) : h;
            }
        }
        return y;
    }
}
