package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** D12: a wide residual stream with narrow networks, between a lift and an exit. */
class HourglassTest {
    @Test
    void isTheTextbooks() {
        Idea.example("hourglass").sizes("D=3 W=7 F=2 L=1").is(HourglassTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = times(given.matrix("lift"), x[t]);
            for (int i = 0; i < given.size("L"); i++) {
                double[] z = rmsNorm(given.vector("layers." + i + ".norm.scale"), h);
                double[] narrow = each(times(given.matrix("layers." + i + ".down"), z),
                        Textbook::gelu);
                h = plus(h, times(given.matrix("layers." + i + ".up"), narrow));
            }
            y[t] = times(given.matrix("out"), h);
        }
        return y;
    }
}
