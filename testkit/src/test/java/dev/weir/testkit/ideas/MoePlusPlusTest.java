package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R04: experts that cost nothing, and scores that remember those of the layer before. */
class MoePlusPlusTest {
    @Test
    void isTheTextbooks() {
        Idea.example("moe_plus_plus").sizes("V=9 D=6 F=5 N=3 K=3 L=2")
                .form("one by one", text -> text.replace(
                        "y = route x to experts by top(K, softmax(scores))",
                        "w, e = top(K, softmax(scores)) "
                                + "y[d in 0..D] = sum[j] w[j] * experts[e[j]](x)[d]"))
                .is(MoePlusPlusTest::textbook);
    }

    private static double[][] textbook(Given given) {
        int n = given.size("N");
        int[] ids = given.ids("input_ids");
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            double[] x = given.matrix("embed.table")[ids[t]].clone();
            double[] scores = new double[n + 4];
            for (int i = 0; i < given.size("L"); i++) {
                String layer = "layers." + i;
                double[] h = rmsNorm(given.vector("norms." + i + ".scale"), x);
                scores = plus(times(given.matrix(layer + ".router"), h),
                        times(given.matrix(layer + ".residual"), scores));
                double[] p = softmax(scores);
                for (int e : top(given.size("K"), p)) {
                    given.work().served(layer + ".experts", e, n + 4);
                    add(x, p[e], expert(given, layer + ".experts", e, h));
                }
            }
            logits[t] = times(given.matrix("head.table"), x);
        }
        return logits;
    }

    /** First N networks, then zero, copy and two constants. */
    private static double[] expert(Given given, String experts, int e, double[] x) {
        int kind = e - given.size("N");
        if (kind < 0) {
            return swiGlu(given, experts + "." + e, x);
        }
        if (kind < 2) {
            return scaled(kind, x);
        }
        double[] a = softmax(times(given.matrix(experts + "." + e + ".mix"), x));
        return plus(scaled(a[0], x), scaled(a[1], given.vector(experts + "." + e + ".vector")));
    }
}
