package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R19: the blocks of outputs with the best gates, as many as the budget takes; the others give 0. */
class BudgetedMasksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("budgeted_masks").sizes("D=6 B=3 S=2 K=1 L=1").tokens(5)
                .takesWholeSequences()
                .is(BudgetedMasksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int size = given.size("S");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[] pooled = new double[y[0].length];
            for (double[] row : y) {
                add(pooled, 1.0 / y.length, row);
            }
            double[] value = each(times(given.matrix(layer + ".gate"), pooled),
                    Textbook::sigmoid);
            int[] kept = top(given.size("K"), value);
            for (int t = 0; t < y.length; t++) {
                double[] step = new double[y[t].length];
                for (int b : kept) {
                    double[] made = times(given.cube(layer + ".weight")[b], y[t]);
                    for (int s = 0; s < size; s++) {
                        step[b * size + s] = value[b] * made[s];
                    }
                }
                add(y[t], 1, each(step, Math::tanh));
            }
        }
        return y;
    }
}
