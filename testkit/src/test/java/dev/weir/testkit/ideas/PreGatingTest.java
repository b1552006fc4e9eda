package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R06: one router in front names the expert of each layer for each token. */
class PreGatingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("pre_gating").sizes("V=9 D=6 H=3 C=2 F=5 N=2 L=2").tokens(17)
                .is(PreGatingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        int experts = given.size("N");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
        }
        double[][] routed = attention(given, "router", x);
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] mixed = attention(given, layer + ".attention",
                    rmsNorm(given.vector(layer + ".attention_norm.scale"), x));
            for (int t = 0; t < x.length; t++) {
                add(x[t], 1, mixed[t]);
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), x[t]);
                double[] p = softmax(part(times(given.matrix("choose"), routed[t]),
                        i * experts, (i + 1) * experts));
                int e = largest(p);
                given.work().served(layer + ".network.experts", e, experts);
                add(x[t], p[e], swiGlu(given, layer + ".network.experts." + e, z));
            }
        }
        double[][] logits = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            logits[t] = times(given.matrix("table"), x[t]);
        }
        return logits;
    }
}
