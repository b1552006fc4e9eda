package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.convolution;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.merged;
import static dev.weir.testkit.ideas.Textbook.pointwise;
import static dev.weir.testkit.ideas.Textbook.pooled;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R18: the pathway with the highest score of the image works alone. */
class ChannelPathwaysTest {
    @Test
    void isTheTextbooks() {
        Idea.example("channel_pathways").sizes("C=3 E=3 I=3 J=5 N=2 L=2")
                .is(ChannelPathwaysTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][][] image = Given.blocks(given.rows("image"), given.size("I"));
        double[][][] y = pointwise(given.matrix("stem"), image);
        for (int l = 0; l < given.size("L"); l++) {
            String layer = "layers." + l;
            int chosen = largest(times(given.matrix(layer + ".router"), pooled(y)));
            double[][][] made = convolution(
                    given.matrix(layer + ".pathways." + chosen + ".weight"), y);
            for (int e = 0; e < y.length; e++) {
                for (int i = 0; i < y[e].length; i++) {
                    add(y[e][i], 1, each(made[e][i], Textbook::relu));
                }
            }
        }
        return merged(y);
    }
}
