package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R17: y = g global(x) + (1 − g) local(x), without a network whose share is at most 0.4. */
class GlobalLocalTest {
    @Test
    void isTheTextbooks() {
        Idea.example("global_local").sizes("D=5 F=3 L=1 G=3").tokens(17)
                .is(GlobalLocalTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] y = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            double[] hidden = each(times(given.matrix("experts.hidden"), x[t]), Textbook::relu);
            double g = sigmoid(dot(given.vector("experts.choose"), hidden));
            if (g > 0.4) {
                add(y[t], g, network(given, "experts.global", x[t]));
            }
            if (g < 0.6) {
                add(y[t], 1 - g, network(given, "experts.local", x[t]));
            }
        }
        return y;
    }

    private static double[] network(Given given, String path, double[] x) {
        double[] y = x.clone();
        for (int i = 0; i < given.size("L"); i++) {
            add(y, 1, swiGlu(given, path + ".layers." + i,
                    rmsNorm(given.vector(path + ".norms." + i + ".scale"), y)));
        }
        return y;
    }
}
