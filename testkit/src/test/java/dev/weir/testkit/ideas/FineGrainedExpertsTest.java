package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R03: fine experts chosen by score and bias, weighted by score alone, beside a shared one. */
class FineGrainedExpertsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("fine_grained_experts").sizes("D=5 F=3 N=4 S=2 K=2 L=1")
                .form("one by one", text -> text.replace("(route x to experts by "
                        + "top(K, score + bias, weights: score, normalize: true))", "chosen")
                        .replace("y = shared(x)", """
                                _, e = top(K, score + bias)
                                total = sum[j] score[e[j]]
                                chosen[d in 0..D] =
                                    sum[j] score[e[j]] / total * experts[e[j]](x)[d]
                                y = shared(x)"""))
                .is(FineGrainedExpertsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] score = each(times(given.matrix(layer + ".router"), x),
                        Textbook::sigmoid);
                int[] chosen = top(given.size("K"), plus(score, given.vector(layer + ".bias")));
                double total = 0;
                for (int e : chosen) {
                    total += score[e];
                }
                add(row, 1, swiGlu(given, layer + ".shared", x));
                for (int e : chosen) {
                    given.work().served(layer + ".experts", e, given.size("N"));
                    add(row, score[e] / total, swiGlu(given, layer + ".experts." + e, x));
                }
            }
        }
        return y;
    }
}
