package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.silu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G08: hidden channels whose activation does not pass their threshold count as 0. */
class ChannelThresholdsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("channel_thresholds").sizes("D=5 F=7 L=1")
                .is(ChannelThresholdsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[] threshold = given.vector(layer + ".threshold");
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] hidden = times(given.matrix(layer + ".gate"), x);
                double[] up = times(given.matrix(layer + ".up"), x);
                for (int f = 0; f < hidden.length; f++) {
                    if (given.work().isAbove("kept",
                            Math.abs(silu(hidden[f])) / Math.abs(threshold[f]), 0.3)) {
                        add(row, silu(hidden[f]) * up[f], given.matrix(layer + ".down")[f]);
                    }
                }
            }
        }
        return y;
    }
}
