package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** D10: half a network, attention, half a network. */
class HalfNetworksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("half_networks").sizes("D=6 H=3 C=2 F=5 L=1")
                .is(HalfNetworksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            halfStep(given, layer + ".first", y);
            double[][] mixed = attention(given, layer + ".attention",
                    rmsNorm(given.vector(layer + ".attention_norm.scale"), y));
            for (int t = 0; t < y.length; t++) {
                add(y[t], 1, mixed[t]);
            }
            halfStep(given, layer + ".second", y);
        }
        return y;
    }

    private static void halfStep(Given given, String network, double[][] x) {
        for (double[] row : x) {
            add(row, 0.5, swiGlu(given, network,
                    rmsNorm(given.vector(network + "_norm.scale"), row)));
        }
    }
}
