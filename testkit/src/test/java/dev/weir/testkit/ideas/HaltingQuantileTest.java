package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** D03: one layer again and again, until the probability of having halted reaches the quantile. */
class HaltingQuantileTest {
    @Test
    void isTheTextbooks() {
        Idea.example("halting_quantile").sizes("V=9 E=3 D=6 H=3 C=2 F=5 Depth=7").tokens(7)
                .takesWholeSequences()
                .form("with a flag for a break", text -> text
                        .replace("going = 1.0", "here = true going = 1.0")
                        .replace("y = layer(y, pos)", "if here { y = layer(y, pos) }")
                        .replace("if 1.0 - going >= quantile { break }",
                                "if 1.0 - going >= quantile { here = false }"))
                .form("unrolled", HaltingQuantileTest::unrolled)
                .is(HaltingQuantileTest::textbook);
    }

    /** Round in round, up to seven of them: each behind the condition that the last one left. */
    private static String unrolled(String text) {
        String round = """
                if Depth > %d and 1.0 - going < quantile {
                    y = layer(y, pos)
                    going = going * (1.0 - sigmoid(sum[d] halt[d] * y[0, d]))
                    NEXT
                }
                """;
        String rounds = "NEXT";
        for (int i = 0; i < 7; i++) {
            rounds = rounds.replace("NEXT", round.formatted(i));
        }
        return text.substring(0, text.indexOf("        for i in")) + rounds.replace("NEXT", "")
                + "    }\n}\n";
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = times(given.matrix("lift"), given.matrix("table")[ids[t]]);
        }
        double going = 1;
        for (int i = 0; i < given.size("Depth"); i++) {
            x = layer(given, x);
            going *= 1 - sigmoid(dot(given.vector("halt"), x[0]));
            if (given.work().isAbove("quantile", 1 - going, 0.7)) {
                break;
            }
        }
        return x;
    }

    private static double[][] layer(Given given, double[][] x) {
        double[][][] wq = given.cube("layer.attention.wq");
        double[][][] wk = given.cube("layer.attention.wk");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] mixed = new double[x[t].length];
            for (int h = 0; h < wq.length; h++) {
                double[] query = Textbook.rope(times(wq[h], x[t]), t);
                double[] score = new double[x.length];
                for (int s = 0; s < x.length; s++) {
                    score[s] = dot(query, Textbook.rope(times(wk[h], x[s]), s))
                            / Math.sqrt(query.length);
                }
                double[] p = softmax(score);
                double[] z = new double[query.length];
                for (int s = 0; s < x.length; s++) {
                    Textbook.add(z, p[s], times(given.cube("layer.attention.wv")[h], x[s]));
                }
                for (int d = 0; d < mixed.length; d++) {
                    mixed[d] += dot(given.cube("layer.attention.wo")[d][h], z);
                }
            }
            double[] h = layerNorm(given.vector("layer.attention_norm.scale"),
                    given.vector("layer.attention_norm.shift"), plus(x[t], mixed));
            double[] gate = each(times(given.matrix("layer.network.gate"), h), Textbook::gelu);
            double[] network = times(given.matrix("layer.network.down"),
                    product(gate, times(given.matrix("layer.network.up"), h)));
            y[t] = layerNorm(given.vector("layer.norm.scale"),
                    given.vector("layer.norm.shift"), plus(h, network));
        }
        return y;
    }
}
