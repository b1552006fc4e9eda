package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** D16: an image leaves with the output of the first layer whose mean uncertainty is below 0.45. */
class UncertaintyExitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("uncertainty_exit").sizes("N=3 D=6 F=4 L=5").is(UncertaintyExitTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        int width = given.size("D");
        int step = given.ids("step")[0];
        double[] when = new double[width];
        for (int d = 0; d < width; d++) {
            double angle = step * Math.pow(100, -1.0 * d / width);
            when[d] = d % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
        }
        double[][] y = new double[x.length][];
        for (int n = 0; n < x.length; n++) {
            y[n] = plus(x[n], when);
        }
        double[][] noise = new double[x.length][];
        for (int i = 0; i < given.size("L"); i++) {
            double doubt = 0;
            for (int n = 0; n < x.length; n++) {
                add(y[n], 1, swiGlu(given, "layers." + i,
                        rmsNorm(given.vector("norms." + i + ".scale"), y[n])));
                noise[n] = product(given.matrix("out")[i], y[n]);
                doubt += sigmoid(dot(given.matrix("doubt")[i], y[n])
                        + dot(given.matrix("doubt_step")[i], when)) / x.length;
            }
            if (doubt < 0.45) {
                break;
            }
        }
        return noise;
    }
}
