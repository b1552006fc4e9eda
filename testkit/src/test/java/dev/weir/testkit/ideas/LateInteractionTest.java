package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G05: Σ_i max_t h(q_i) · h(d_t) with h(x) = silu(G x) ⊙ U x, to length 1. */
class LateInteractionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("late_interaction").sizes("D=5 E=4 Q=3").takesWholeSequences()
                .is(LateInteractionTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double score = 0;
        for (double[] query : given.rows("query")) {
            double best = Double.NEGATIVE_INFINITY;
            for (double[] token : given.rows("document")) {
                best = Math.max(best, dot(head(given, query), head(given, token)));
            }
            score += best;
        }
        return new double[][] {{score}};
    }

    private static double[] head(Given given, double[] x) {
        double[] z = product(each(times(given.matrix("head.gate"), x), Textbook::silu),
                times(given.matrix("head.up"), x));
        return scaled(1 / Math.sqrt(dot(z, z) + 1e-9), z);
    }
}
