package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** D01: one layer at every depth, a low-rank relaxation for each, and tokens that leave. */
class RecursiveExitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("recursive_exit").sizes("V=9 D=6 H=3 G=3 C=2 F=5 R=3 Depth=2")
                .form("unrolled", RecursiveExitTest::unrolled)
                .is(RecursiveExitTest::textbook);
    }

    /** Three depths, each inside the gate of the one before. */
    private static String unrolled(String text) {
        int from = text.indexOf("        for i in 0..Depth {");
        int to = text.indexOf("        logits =");
        return text.substring(0, from) + """
                x = layer(x, pos) + relax[0](x)
                if not (sigmoid(norm(x) @ halt) > sure) {
                    x = layer(x, pos) + relax[1](x)
                    if not (sigmoid(norm(x) @ halt) > sure) { x = layer(x, pos) + relax[2](x) }
                }
                """ + text.substring(to);
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        List<Integer> here = new ArrayList<>();
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
            here.add(t);
        }
        for (int i = 0; i < given.size("Depth"); i++) {
            double[][] entrants = here.stream().map(t -> x[t]).toArray(double[][]::new);
            double[][] after = layer(given, entrants,
                    here.stream().mapToInt(t -> t).toArray());
            List<Integer> stay = new ArrayList<>();
            for (int k = 0; k < entrants.length; k++) {
                add(after[k], 1, times(given.matrix("relax." + i + ".up"),
                        times(given.matrix("relax." + i + ".down"), entrants[k])));
                x[here.get(k)] = after[k];
                double[] normed = rmsNorm(given.vector("norm.scale"), after[k]);
                if (sigmoid(dot(normed, given.vector("halt"))) <= 0.5) {
                    stay.add(here.get(k));
                }
            }
            here = stay;
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = times(given.matrix("table"), rmsNorm(given.vector("norm.scale"), x[t]));
        }
        return logits;
    }

    private static double[][] layer(Given given, double[][] x, int[] positions) {
        double[][] normed = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            normed[t] = rmsNorm(given.vector("layer.attention_norm.scale"), x[t]);
        }
        double[][] mixed = attention(given, "layer.attention", normed, positions);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = plus(x[t], mixed[t]);
            y[t] = plus(h, swiGlu(given, "layer.network",
                    rmsNorm(given.vector("layer.norm.scale"), h)));
        }
        return y;
    }
}
