package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R02: y = p_e E_e(x) of the best expert, and 0 for who comes when capacity c T / N is reached. */
class SwitchCapacityTest {
    private static final String GATE = "layers.%d.gate0";

    @Test
    void isTheTextbooks() {
        Idea.example("switch_capacity").sizes("D=5 F=3 N=3 L=1").tokens(13)
                .takesWholeSequences()
                .form("one by one", text -> Routes.oneByOne(text, "N", "D"))
                .is(SwitchCapacityTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int experts = given.size("N");
        int capacity = y.length / experts;
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            int[] load = new int[experts];
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] p = softmax(times(given.matrix(layer + ".router"), x));
                int e = largest(p);
                boolean room = load[e]++ < capacity;
                given.work().came(GATE.formatted(i), room);
                if (room) {
                    given.work().served(layer + ".best.experts", e, experts);
                    add(row, p[e], swiGlu(given, layer + ".best.experts." + e, x));
                }
            }
        }
        return y;
    }
}
