package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.layer;

import org.junit.jupiter.api.Test;

/** D06: every {@code Faster}-th layer works, counted so that the last one does. */
class LayerSkippingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("layer_skipping").sizes("D=6 H=3 G=3 C=2 F=5 L=6 Faster=3")
                .is(LayerSkippingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        int faster = given.size("Faster");
        for (int i = faster - 1; i < given.size("L"); i += faster) {
            y = layer(given, "layers." + i, y);
        }
        return y;
    }
}
