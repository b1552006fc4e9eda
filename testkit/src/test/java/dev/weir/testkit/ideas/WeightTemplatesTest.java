package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** D15: the weights of each layer are sums of templates that all layers share. */
class WeightTemplatesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("weight_templates").sizes("D=5 F=3 K=3 L=2")
                .is(WeightTemplatesTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] up = mixed(given.vector(layer + ".mix_up"), given.cube("ups"));
            double[][] down = mixed(given.vector(layer + ".mix_down"), given.cube("downs"));
            for (double[] row : y) {
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), row);
                add(row, 1, times(down, each(times(up, z), Textbook::gelu)));
            }
        }
        return y;
    }

    private static double[][] mixed(double[] mix, double[][][] templates) {
        double[][] sum = new double[templates[0].length][templates[0][0].length];
        for (int k = 0; k < mix.length; k++) {
            for (int row = 0; row < sum.length; row++) {
                add(sum[row], mix[k], templates[k][row]);
            }
        }
        return sum;
    }
}
