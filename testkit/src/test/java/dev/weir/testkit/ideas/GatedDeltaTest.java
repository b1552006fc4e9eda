package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/**
 * G02's relative: S_t = α_t (1 − β_t k_t k_tᵀ) S_{t−1} + β_t k_t v_tᵀ, in three forms, and as a
 * prompt in chunks that goes on in steps.
 */
class GatedDeltaTest {
    @Test
    void asARecurrence() {
        Idea.example("gated_linear_attention").file("delta.weir").sizes("D=5 H=3 K=2 V=4 L=1")
                .is(GatedDeltaTest::textbook);
    }

    /** A gate that keeps nearly all. */
    @Test
    void asARecurrenceThatForgetsLittle() {
        Idea.example("gated_linear_attention").file("delta.weir")
                .written(GatedDeltaTest::withSlowGate).sizes("D=5 H=3 K=2 V=4 L=1").is(GatedDeltaTest::slow);
    }

    /** Chunks of 4 and of 3 of 11 tokens, the last one shorter. */
    @Test
    void inChunks() {
        Idea.example("gated_linear_attention").file("delta_chunked.weir").small("C=4")
                .sizes("D=5 H=1 K=2 V=4 C=3 L=1").takesWholeSequences()
                .is(GatedDeltaTest::textbook);
    }

    /** More tokens than keys have places, so that each overwrites what others wrote. */
    @Test
    void inLongChunksThatForgetLittle() {
        Idea.example("gated_linear_attention").file("delta_chunked.weir")
                .written(GatedDeltaTest::withSlowGate).small("C=16 L=1").sizes("D=5 H=1 K=2 V=4 C=9 L=1").tokens(40)
                .takesWholeSequences().is(GatedDeltaTest::slow);
    }

    @Test
    void inChunksThatForget() {
        Idea.example("gated_linear_attention").file("delta_chunked.weir").scaled(".wa", 30)
                .small("C=16 L=1").sizes("D=5 H=1 K=2 V=4 C=9 L=1").tokens(40)
                .takesWholeSequences().is(GatedDeltaTest::textbook);
    }

    /** A prompt of 13 in chunks of 4 and of 3, then one element, three, and one by one. */
    @Test
    void aPromptInChunksGoesOnInSteps() {
        Idea.example("gated_linear_attention").file("delta_prefill.weir").context("prefill", 13)
                .sizes("D=5 H=3 K=2 V=4 C=3 L=1").tokens(6).is(GatedDeltaTest::textbook);
    }

    @Test
    void allPairsAtOnce() {
        Idea.example("gated_linear_attention").file("delta_parallel.weir")
                .sizes("D=5 H=3 K=2 V=4 L=1").takesWholeSequences()
                .is(GatedDeltaTest::textbook);
    }

    @Test
    void allPairsAtOnceThatForgetLittle() {
        Idea.example("gated_linear_attention").file("delta_parallel.weir")
                .written(GatedDeltaTest::withSlowGate).small("L=1").sizes("D=5 H=3 K=2 V=4 L=1").tokens(40)
                .takesWholeSequences().is(GatedDeltaTest::slow);
    }

    /** Nearly the delta rule itself. */
    private static String withSlowGate(String program) {
        return program.replace("softplus(", "0.01 * softplus(");
    }

    private static double[][] textbook(Given given) {
        return layers(given, 1);
    }

    private static double[][] slow(Given given) {
        return layers(given, 0.01);
    }

    private static double[][] layers(Given given, double speed) {
        double[][] y = Textbook.copy(given.stream("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] step = new double[y.length][y[0].length];
            for (int h = 0; h < given.size("H"); h++) {
                head(given, layer, h, speed, y, step);
            }
            for (int t = 0; t < y.length; t++) {
                y[t] = plus(y[t], step[t]);
            }
        }
        return y;
    }

    private static void head(
            Given given, String layer, int h, double speed, double[][] x, double[][] step) {
        int keys = given.size("K");
        int values = given.size("V");
        double[][] memory = new double[keys][values];
        for (int t = 0; t < x.length; t++) {
            double[] query = times(given.cube(layer + ".wq")[h], x[t]);
            double[] key = times(given.cube(layer + ".wk")[h], x[t]);
            double length = Math.sqrt(dot(key, key) + 1e-6);
            double[] value = times(given.cube(layer + ".wv")[h], x[t]);
            // exp(-softplus(a)) is the sigmoid of -a.
            double alpha = Math.pow(sigmoid(-dot(given.matrix(layer + ".wa")[h], x[t])
                    - given.vector(layer + ".bias")[h]), speed);
            double beta = sigmoid(dot(given.matrix(layer + ".wb")[h], x[t]));
            double[][] next = new double[keys][values];
            for (int k = 0; k < keys; k++) {
                for (int j = 0; j < keys; j++) {
                    double kept = (k == j ? 1 : 0) - beta * key[k] * key[j] / (length * length);
                    for (int v = 0; v < values; v++) {
                        next[k][v] += alpha * kept * memory[j][v];
                    }
                }
                for (int v = 0; v < values; v++) {
                    next[k][v] += beta * key[k] / length * value[v];
                }
            }
            memory = next;
            double[] read = new double[values];
            for (int k = 0; k < keys; k++) {
                for (int v = 0; v < values; v++) {
                    read[v] += query[k] * memory[k][v];
                }
            }
            for (int d = 0; d < step[t].length; d++) {
                step[t][d] += dot(given.cube(layer + ".wo")[d][h], read);
            }
        }
    }
}
