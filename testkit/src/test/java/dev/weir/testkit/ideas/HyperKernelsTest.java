package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** G10: y = (kernel * x) ⊙ W x, kernel_n = M sin(f n / 10 + φ) / (1 + n). */
class HyperKernelsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("hyper_kernels").sizes("D=5 R=4 L=1").takesWholeSequences()
                .is(HyperKernelsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] x = y;
            y = Textbook.copy(x);
            double[] frequency = given.vector(layer + ".frequency");
            double[] phase = given.vector(layer + ".phase");
            for (int t = 0; t < x.length; t++) {
                double[] gate = times(given.matrix(layer + ".gate"), x[t]);
                for (int u = 0; u <= t; u++) {
                    double[] wave = new double[frequency.length];
                    for (int r = 0; r < wave.length; r++) {
                        wave[r] = Math.sin(frequency[r] * 0.1 * (t - u) + phase[r]);
                    }
                    for (int d = 0; d < gate.length; d++) {
                        y[t][d] += dot(given.matrix(layer + ".make")[d], wave) / (1 + t - u)
                                * x[u][d] * gate[d];
                    }
                }
            }
        }
        return y;
    }
}
