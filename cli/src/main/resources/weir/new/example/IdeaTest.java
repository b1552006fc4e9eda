package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** The row's id: y = x + network(x) where x · score > 0, otherwise x. */
class TemplateTest {
    @Test
    void isTheTextbooks() {
        Idea.example("NAME").sizes("D=5 F=7").is(TemplateTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (double[] row : y) {
            boolean opens = dot(row, given.vector("gated.score")) > 0;
            given.work().came("if idea.weir:10:9", opens);
            if (opens) {
                add(row, 1, swiGlu(given, "gated.network", row));
            }
        }
        return y;
    }
}
