package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.convolution;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.merged;
import static dev.weir.testkit.ideas.Textbook.pointwise;
import static dev.weir.testkit.ideas.Textbook.pooled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** G06: filters from the warmest on, until those before hold a share of all heat; others give 0. */
class FilterMasksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("filter_masks").sizes("C=3 E=4 I=3 J=5 L=1")
                .form("all filters computed, and the rest cleared", text -> text
                        .replace("warmer[e] < share]", "warmer[e] < 2.0]")
                        .replace("= made[k, i, j]", "= if warmer[kept[k]] < share { made[k, i, j] }"
                                + " else { 0.0 }"))
                .is(FilterMasksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][][] image = Given.blocks(given.rows("image"), given.size("I"));
        double[][][] y = pointwise(given.matrix("stem"), image);
        for (int l = 0; l < given.size("L"); l++) {
            String layer = "layers." + l;
            double[] heat = softmax(times(given.matrix(layer + ".predict"), pooled(y)));
            double[][][] made = convolution(given.matrix(layer + ".weight"), y);
            double before = 0;
            for (int e : top(heat.length, heat)) {
                boolean kept = !given.work().isAbove("share", before, 0.7);
                given.work().came("where idea.weir:12:16", kept);
                if (!kept) {
                    continue;
                }
                before += heat[e];
                for (int i = 0; i < made[e].length; i++) {
                    add(y[e][i], 1, each(made[e][i], Textbook::relu));
                }
            }
        }
        return merged(y);
    }
}
