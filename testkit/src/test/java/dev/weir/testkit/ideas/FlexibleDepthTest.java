package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;

import org.junit.jupiter.api.Test;

/** D13: of L layers, {@code depth} that are equally far apart. */
class FlexibleDepthTest {
    @Test
    void isTheTextbooks() {
        Idea.example("flexible_depth").sizes("D=5 F=3 L=7")
                .is(FlexibleDepthTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int layers = given.size("L");
        int depth = given.ids("depth")[0];
        for (int step = 0; step < depth; step++) {
            // The last of each of `depth` parts of the stack.
            int i = (layers * (step + 1) + depth - 1) / depth - 1;
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                add(row, 1, swiGlu(given, "layers." + i, x));
            }
        }
        return y;
    }
}
