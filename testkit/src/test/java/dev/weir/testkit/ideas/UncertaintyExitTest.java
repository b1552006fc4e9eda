package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** D16: an image leaves with the output of the first layer whose mean uncertainty is below 0.45. */
class UncertaintyExitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("uncertainty_exit").sizes("N=3 D=6 F=4 L=5").is(UncertaintyExitTest::textbook);
    }

    /** HarmoniCa: what a layer added in the step before is added again where the router lets it. */
    @Test
    void featuresAreKeptBetweenSteps() {
        Idea.example("uncertainty_exit").file("cached_features.weir")
                .sizes("N=3 D=6 F=4 L=3 Steps=16").calls(4).is(UncertaintyExitTest::cached);
    }

    private static double[][] cached(Given given) {
        List<double[][]> rows = new ArrayList<>();
        double[][][] kept = new double[given.size("L")][given.size("N")][given.size("D")];
        for (String call : List.of("", "#2", "#3", "#4")) {
            double[][] y = Textbook.copy(given.rows("x" + call));
            int step = given.ids("step" + call)[0];
            for (int i = 0; i < kept.length; i++) {
                boolean again = step < given.size("Steps") - 1
                        && given.work().isAbove(
                                "again", sigmoid(given.matrix("router")[step][i]), 0.5);
                for (int n = 0; n < y.length; n++) {
                    if (!again) {
                        kept[i][n] = swiGlu(given, "layers." + i + ".network",
                                rmsNorm(given.vector("layers." + i + ".norm.scale"), y[n]));
                    }
                    add(y[n], 1, kept[i][n]);
                }
                given.work().came("if cached_features.weir:12:9", !again);
            }
            rows.add(y);
        }
        return rows.stream().flatMap(Arrays::stream).toArray(double[][]::new);
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
            if (!given.work().isAbove("sure", doubt, 0.45)) {
                break;
            }
        }
        return noise;
    }
}
