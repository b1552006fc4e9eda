package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A15: 1 x 1 convolutions of which each output has a list of weights and their places. */
class SparseConvolutionsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("sparse_convolutions").sizes("D=7 K=3 I=3 J=17 L=1")
                .form("a matrix with zeros", s -> s.replace(
                        "        y[e, i in 0..I, j in 0..J] = "
                                + "relu(bias[e] + (sum[k] w[e, k] * x[place[e, k], i, j]))\n",
                        """
                                matrix[e in 0..E, d in 0..D] = 0.0
                                matrix[e, place[e, k]] += w[e, k]
                                y[e, i, j] = relu(bias[e] + (sum[d] matrix[e, d] * x[d, i, j]))
                        """))
                .is(SparseConvolutionsTest::textbook);
    }

    /**
     * What is read of a layer: a 3 x 3 filter and K weights for each channel, two biases, and K places
     * of twice the bytes.
     */
    @Test
    void weightsThatWerePrunedAreNotRead() throws Exception {
        for (int kept = 1; kept <= 3; kept++) {
            assertEquals(4L * 6 * (9 + 3 * kept + 2), read(kept));
        }
    }

    /** Bytes of weights that an image of 6 channels reads in one layer. */
    private static long read(int kept) throws Exception {
        String text = TestModel.text(
                TestModel.ROOT.resolve("examples/sparse_convolutions/idea.weir")).replace(
                "D = 256, K = 26, I = 32, J = 32, L = 4",
                "D = 6, K = " + kept + ", I = 4, J = 4, L = 1");
        try (TestModel model = TestModel.random(text, 3, Target.NATIVE, 2)) {
            model.batch(List.of(model.engine().start()), new long[] {1},
                    List.of(Tensor.zeros(Format.F32, new long[] {1, 6, 4, 4})));
            return model.engine().ledger().weightBytes();
        }
    }

    /** Lists become a matrix with zeros, and the whole matrix is multiplied. */
    private static double[][] textbook(Given given) {
        int channels = given.size("D");
        int kept = given.size("K");
        double[][][] x = Given.blocks(given.rows("image"), given.size("I"));
        for (int l = 0; l < given.size("L"); l++) {
            double[][] w = given.matrix("pointwise." + l + ".w");
            double[][] places = given.matrix("pointwise." + l + ".place");
            double[][] matrix = new double[channels][channels];
            for (int e = 0; e < channels; e++) {
                for (int k = 0; k < kept; k++) {
                    matrix[e][(int) places[e][k]] += w[e][k];
                }
            }
            x = biased(given.vector("pointwise." + l + ".bias"), Textbook.pointwise(matrix,
                    biased(given.vector("depthwise." + l + ".bias"),
                            depthwise(given.cube("depthwise." + l + ".near"), x))));
        }
        return Textbook.merged(x);
    }

    private static double[][][] biased(double[] bias, double[][][] x) {
        double[][][] y = new double[x.length][x[0].length][];
        for (int d = 0; d < x.length; d++) {
            double shift = bias[d];
            for (int i = 0; i < x[d].length; i++) {
                y[d][i] = each(x[d][i], v -> Textbook.relu(v + shift));
            }
        }
        return y;
    }

    /** Each channel is an image of its own, with one filter. */
    private static double[][][] depthwise(double[][][] near, double[][][] x) {
        double[][][] y = new double[x.length][][];
        for (int d = 0; d < x.length; d++) {
            y[d] = Textbook.convolution(near[d], new double[][][] {x[d]})[0];
        }
        return y;
    }
}
