package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.merged;
import static dev.weir.testkit.ideas.Textbook.pointwise;
import static dev.weir.testkit.ideas.Textbook.softmax;

import org.junit.jupiter.api.Test;

/** R20: four density maps, merged in pairs and again, by gates of their own for each pixel. */
class DensityTreeTest {
    @Test
    void isTheTextbooks() {
        Idea.example("density_tree").sizes("C=2 I=3 J=2").is(DensityTreeTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][][] x = Given.blocks(given.rows("x"), given.size("I"));
        double[][][][] expert = new double[4][][][];
        for (int n = 0; n < 4; n++) {
            expert[n] = pointwise(given.matrix("experts." + n + ".weight"), x);
        }
        return merged(merge(given, "root", x,
                merge(given, "low.0", x, expert[0], expert[1]),
                merge(given, "low.1", x, expert[2], expert[3])));
    }

    private static double[][][] merge(
            Given given, String path, double[][][] x, double[][][] left, double[][][] right) {
        double[][][] score = pointwise(given.matrix(path + ".gate.weight"), x);
        double[][][] y = new double[1][x[0].length][x[0][0].length];
        for (int i = 0; i < y[0].length; i++) {
            for (int j = 0; j < y[0][0].length; j++) {
                double[] p = softmax(new double[] {score[0][i][j], score[1][i][j]});
                y[0][i][j] = p[0] * left[0][i][j] + p[1] * right[0][i][j];
            }
        }
        return y;
    }
}
