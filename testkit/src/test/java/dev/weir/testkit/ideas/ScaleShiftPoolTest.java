package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R23: y = mean scale ⊙ x + mean shift over the k keys that are most like the mean of all x. */
class ScaleShiftPoolTest {
    @Test
    void isTheTextbooks() {
        Idea.example("scale_shift_pool").sizes("D=5 N=7 K=3 L=3").tokens(6).takesWholeSequences()
                .is(ScaleShiftPoolTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            double[][] h = new double[y.length][];
            double[] query = new double[y[0].length];
            for (int t = 0; t < y.length; t++) {
                h[t] = times(given.matrix("maps." + i + ".weight"), y[t]);
                add(query, 1.0 / y.length, h[t]);
            }
            double[][] keys = given.matrix("pools." + i + ".keys");
            double[] cosine = new double[keys.length];
            for (int n = 0; n < keys.length; n++) {
                cosine[n] = dot(keys[n], query)
                        / Math.sqrt(dot(keys[n], keys[n]) * dot(query, query));
            }
            double[] scale = new double[query.length];
            double[] shift = new double[query.length];
            for (int n : top(given.size("K"), cosine)) {
                add(scale, 1, given.matrix("pools." + i + ".scale")[n]);
                add(shift, 1, given.matrix("pools." + i + ".shift")[n]);
            }
            for (int t = 0; t < y.length; t++) {
                double[] z = scaled(1.0 / given.size("K"), plus(product(scale, h[t]), shift));
                add(y[t], 1, each(z, Textbook::gelu));
            }
        }
        return y;
    }
}
