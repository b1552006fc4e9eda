package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R17: y = g global(x) + (1 − g) local(x), without a network whose share is at most 1 − sure. */
class GlobalLocalTest {
    @Test
    void whoIsNotTrustedDoesNotRun() {
        Idea.example("global_local").sizes("D=5 F=3 L=1 G=3").tokens(17)
                .form("both run, and shares are 0", text -> text.replace(
                        "if g > 1.0 - sure { y = y + g * global(x) }",
                        "y = y + (if g > 1.0 - sure { g } else { 0.0 }) * global(x)").replace(
                        "if g < sure { y = y + (1.0 - g) * local(x) }",
                        "y = y + (if g < sure { 1.0 - g } else { 0.0 }) * local(x)"))
                .is(given -> textbook(given, 0.6));
    }

    /** As the paper has it: both networks run for every element. */
    @Test
    void bothRun() {
        Idea.example("global_local").sizes("D=5 F=3 L=1 G=3").tokens(17)
                .written(text -> text.replace("sure: float = 0.6", "sure: float = 1.0"))
                .is(given -> textbook(given, 1));
    }

    private static double[][] textbook(Given given, double sure) {
        double[][] x = given.rows("x");
        double[][] y = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            double[] hidden = each(times(given.matrix("experts.hidden"), x[t]), Textbook::relu);
            double g = sigmoid(dot(given.vector("experts.choose"), hidden));
            boolean trusted = sure == 1 || given.work().isAbove("global", g, 1 - sure);
            given.work().came("if idea.weir:29:9", trusted);
            if (trusted) {
                add(y[t], g, network(given, "experts.global", x[t]));
            }
            boolean doubted = sure == 1 || !given.work().isAbove("local", g, sure);
            given.work().came("if idea.weir:30:9", doubted);
            if (doubted) {
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
