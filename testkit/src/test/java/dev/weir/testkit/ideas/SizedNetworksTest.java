package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R22: h = x + attention(x), y = h + (big, small or no network)(h), as a router says. */
class SizedNetworksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("sized_networks").sizes("V=9 D=6 H=3 G=3 C=2 Big=7 Small=3 L=2").tokens(17)
                .is(SizedNetworksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
        }
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] normed = new double[x.length][];
            for (int t = 0; t < x.length; t++) {
                normed[t] = rmsNorm(given.vector(layer + ".attention_norm.scale"), x[t]);
            }
            double[][] mixed = attention(given, layer + ".attention", normed);
            for (int t = 0; t < x.length; t++) {
                add(x[t], 1, mixed[t]);
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), x[t]);
                int size = largest(times(given.matrix(layer + ".network.router"), z));
                given.work().served(layer + ".network.networks", size, 3);
                if (size < 2) {
                    add(x[t], 1, swiGlu(given, layer + ".network.networks." + size, z));
                }
            }
        }
        double[][] logits = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            logits[t] = times(given.matrix("table"), x[t]);
        }
        return logits;
    }
}
