package dev.weir.testkit.ideas;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** D05: the mean of a prompt opens or shuts each layer, for the prompt and all behind it. */
class RoutedPromptTest {
    private static final int PROMPT = 7;

    @Test
    void isTheTextbooks() {
        Idea.example("routed_prompt").sizes("D=6 H=3 G=3 C=2 F=5 L=5")
                .context("prefill", PROMPT).tokens(5).is(RoutedPromptTest::textbook);
    }

    /** The prompt's rows and what is generated behind them are one sequence for the layers. */
    private static double[][] textbook(Given given) {
        double[][] prompt = given.rows("prefill.x");
        double[][] generated = given.rows("forward.x");
        double[][] y = Arrays.copyOf(prompt, prompt.length + generated.length);
        System.arraycopy(generated, 0, y, prompt.length, generated.length);
        for (int i = 0; i < given.size("L"); i++) {
            double[] mean = new double[y[0].length];
            for (int t = 0; t < PROMPT; t++) {
                Textbook.add(mean, 1.0 / PROMPT, y[t]);
            }
            double score = Textbook.dot(given.vector("layers." + i + ".router"), mean);
            boolean open = given.work().isAbove("chosen", Textbook.sigmoid(score), 0.5);
            given.work().came("if idea.weir:30:9", open);
            given.work().came("if idea.weir:35:9", open);
            if (open) {
                y = Textbook.layer(given, "layers." + i + ".layer", y);
            }
        }
        return y;
    }
}
