package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R08: y = Σ p_e E_e(x) over the experts with p_e at least 1/8, p = softmax(W x / τ). */
class ShrinkingGateTest {
    @Test
    void isTheTextbooks() {
        Idea.example("shrinking_gate").sizes("D=5 F=3 N=4 L=1")
                .form("grouped", text -> text.substring(0, text.indexOf("        y[d in 0..D] = 0.0"))
                        + """
                                kept[e] = if p[e] >= least { p[e] } else { 0.0 }
                                y = route x to experts by top(N, kept)
                            }
                        """ + text.substring(text.indexOf("\n}\n") + 1))
                .is(ShrinkingGateTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] p = softmax(scaled(1 / 0.5, times(given.matrix(layer + ".router"), x)));
                for (int e = 0; e < p.length; e++) {
                    boolean takes = given.work().isAbove("least", p[e], 0.125);
                    given.work().came("if idea.weir:15:13", takes);
                    if (takes) {
                        add(row, p[e], swiGlu(given, layer + ".experts." + e, x));
                    }
                }
            }
        }
        return y;
    }
}
