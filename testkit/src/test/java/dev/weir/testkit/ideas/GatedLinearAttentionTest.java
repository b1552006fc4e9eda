package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.silu;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/**
 * G02: s_t = diag(α_t) s_{t−1} + k_t v_tᵀ, o_t = s_tᵀ q_t; also in chunks, all pairs at once, and
 * as a prompt in chunks that goes on in steps.
 */
class GatedLinearAttentionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("gated_linear_attention").sizes("D=5 H=3 K=2 V=4 R=3 L=1")
                .is(GatedLinearAttentionTest::textbook);
    }

    /** Chunks of 4 of 11 tokens, the last one shorter. */
    @Test
    void inChunks() {
        Idea.example("gated_linear_attention").file("chunked.weir")
                .sizes("D=5 H=1 K=2 V=4 R=3 C=3 L=1").takesWholeSequences()
                .is(GatedLinearAttentionTest::textbook);
    }

    /** Gates near 0 forget everything within a chunk: its decays' product is no number but 0. */
    @Test
    void inChunksThatForget() {
        Idea.example("gated_linear_attention").file("chunked.weir").scaled(".low", 300)
                .small("C=64 L=1").sizes("D=5 H=1 K=2 V=4 R=3 C=16 L=1").tokens(70)
                .takesWholeSequences().is(GatedLinearAttentionTest::textbook);
    }

    /** A prompt of 13 in chunks of 4 and of 3, then one element, three, and one by one. */
    @Test
    void aPromptInChunksGoesOnInSteps() {
        Idea.example("gated_linear_attention").file("prefill.weir").context("prefill", 13)
                .sizes("D=5 H=3 K=2 V=4 R=3 C=3 L=1").tokens(6)
                .is(GatedLinearAttentionTest::textbook);
    }

    @Test
    void allPairsAtOnce() {
        Idea.example("gated_linear_attention").file("parallel.weir")
                .sizes("D=5 H=3 K=2 V=4 R=3 L=1").takesWholeSequences()
                .is(GatedLinearAttentionTest::textbook);
    }

    @Test
    void allPairsAtOnceWhereGatesForget() {
        Idea.example("gated_linear_attention").file("parallel.weir").scaled(".low", 300)
                .sizes("D=5 H=3 K=2 V=4 R=3 L=1").takesWholeSequences()
                .is(GatedLinearAttentionTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.stream("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] step = new double[y.length][y[0].length];
            for (int h = 0; h < given.size("H"); h++) {
                head(given, layer, h, y, step);
            }
            for (int t = 0; t < y.length; t++) {
                y[t] = plus(y[t], step[t]);
            }
        }
        return y;
    }

    private static void head(Given given, String layer, int h, double[][] x, double[][] step) {
        int keys = given.size("K");
        int values = given.size("V");
        double[][] s = new double[keys][values];
        for (int t = 0; t < x.length; t++) {
            double[] query = times(given.cube(layer + ".wq")[h], x[t]);
            double[] key = times(given.cube(layer + ".wk")[h], x[t]);
            double[] value = times(given.cube(layer + ".wv")[h], x[t]);
            double[] gate = times(given.cube(layer + ".high")[h],
                    times(given.matrix(layer + ".low"), x[t]));
            double[] o = new double[values];
            for (int k = 0; k < keys; k++) {
                double decay = Math.pow(
                        sigmoid(gate[k] + given.matrix(layer + ".bias")[h][k]), 1.0 / 16);
                for (int v = 0; v < values; v++) {
                    s[k][v] = decay * s[k][v] + key[k] * value[v];
                    o[v] += query[k] * s[k][v];
                }
            }
            double[] normed = rmsNorm(given.vector(layer + ".norm.norm.scale"), o);
            double[] out = times(given.cube(layer + ".wr")[h], x[t]);
            for (int v = 0; v < values; v++) {
                for (int d = 0; d < step[t].length; d++) {
                    step[t][d] += given.cube(layer + ".wo")[d][h][v] * silu(out[v]) * normed[v];
                }
            }
        }
    }
}
