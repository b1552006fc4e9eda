package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G07: y = x + Σ learner_j(x) over the first k(x) learners, k(x) = argmax (C gelu(G x)). */
class AdaptiveModulesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("adaptive_modules").sizes("D=5 F=7 N=3 L=1 G=4")
                .form("without a break", text -> text
                        .replace("if j >= count { break }", "")
                        .replace("y = y + learners[j](x)",
                                "if j < count { y = y + learners[j](x) }"))
                .is(AdaptiveModulesTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (double[] row : y) {
                double[] x = row.clone();
                double[] hidden = each(times(given.matrix(layer + ".gate"), x), Textbook::gelu);
                int count = largest(times(given.matrix(layer + ".choice"), hidden));
                for (int j = 0; j <= count && j < given.size("N"); j++) {
                    given.work().came("if idea.weir:19:13", j < count);
                    if (j == count) {
                        break;
                    }
                    String learner = layer + ".learners." + j;
                    double[] h = each(times(given.matrix(learner + ".up"), x), Textbook::gelu);
                    add(row, 1, times(given.matrix(learner + ".down"), h));
                }
            }
        }
        return y;
    }
}
