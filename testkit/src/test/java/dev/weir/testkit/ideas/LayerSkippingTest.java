package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.layer;

import org.junit.jupiter.api.Test;

/** D06: layer i works where (i + 1) / faster passes a whole number. */
class LayerSkippingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("layer_skipping").sizes("D=6 H=3 G=3 C=2 F=5 L=6")
                .is(given -> textbook(given, 1, 3, 5));
    }

    /** Half as fast again: two of three layers. */
    @Test
    void aSpeedUpNeedNotBeWhole() {
        Idea.example("layer_skipping").small("Speed=150")
                .sizes("D=6 H=3 G=3 C=2 F=5 L=6 Speed=150")
                .is(given -> textbook(given, 1, 2, 4, 5));
    }

    private static double[][] textbook(Given given, int... working) {
        double[][] y = given.rows("x");
        for (int i : working) {
            if (i < given.size("L")) {
                y = layer(given, "layers." + i, y);
            }
        }
        return y;
    }
}
