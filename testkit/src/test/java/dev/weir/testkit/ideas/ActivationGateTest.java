package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R09: p = softmax(σ(W x) / τ); the k best experts work. */
class ActivationGateTest {
    @Test
    void isTheTextbooks() {
        Idea.example("activation_gate").sizes("D=5 F=3 N=4 K=3 L=1")
                .form("one by one", text -> Routes.oneByOne(text, "N", "D"))
                .is(ActivationGateTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] score = each(times(given.matrix(layer + ".router"), x),
                        Textbook::sigmoid);
                double[] p = softmax(scaled(1 / 0.2, score));
                for (int e : top(given.size("K"), p)) {
                    given.work().served(layer + ".experts", e, p.length);
                    add(row, p[e], swiGlu(given, layer + ".experts." + e, x));
                }
            }
        }
        return y;
    }
}
