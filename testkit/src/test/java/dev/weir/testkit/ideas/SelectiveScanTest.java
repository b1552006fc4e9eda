package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/**
 * A04's scan in one direction: as a recurrence, in chunks, all pairs at once, and as a prompt in
 * chunks that goes on in steps.
 */
class SelectiveScanTest {
    @Test
    void asARecurrence() {
        Idea.example("both_ways").file("recurrent.weir").sizes("D=5 N=2 R=3 L=1")
                .is(SelectiveScanTest::textbook);
    }

    /** Chunks of 4 and of 3 of 11 tokens, the last one shorter. */
    @Test
    void inChunks() {
        Idea.example("both_ways").file("chunked.weir").small("C=4").sizes("D=5 N=2 R=3 C=3 L=1")
                .takesWholeSequences().is(SelectiveScanTest::textbook);
    }

    /** Steps so large that little is left of a memory within a chunk. */
    @Test
    void inChunksThatForget() {
        Idea.example("both_ways").file("chunked.weir").scaled(".wt", 10)
                .small("C=16 L=1").sizes("D=5 N=2 R=3 C=9 L=1").tokens(40)
                .takesWholeSequences().is(SelectiveScanTest::textbook);
    }

    /** A prompt of 13 in chunks of 4 and of 3, then one element, three, and one by one. */
    @Test
    void aPromptInChunksGoesOnInSteps() {
        Idea.example("both_ways").file("prefill.weir").context("prefill", 13)
                .small("C=4").sizes("D=5 N=2 R=3 C=3 L=1").tokens(6)
                .scaled(".wc", 0.2)
                .is(SelectiveScanTest::textbook);
    }

    @Test
    void allPairsAtOnce() {
        Idea.example("both_ways").file("parallel.weir").sizes("D=5 N=2 R=3 L=1")
                .takesWholeSequences().is(SelectiveScanTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.stream("x");
        for (int i = 0; i < given.size("L"); i++) {
            double[][] scanned = scanned(given, "layers." + i, y);
            double[][] next = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                next[t] = plus(y[t], scanned[t]);
            }
            y = next;
        }
        return y;
    }

    /** What is left of each token at each later one, decay by decay. */
    private static double[][] scanned(Given given, String layer, double[][] x) {
        int channels = x[0].length;
        double[][] rate = given.matrix(layer + ".rate");
        double[][] step = new double[x.length][channels];
        double[][] y = new double[x.length][channels];
        for (int t = 0; t < x.length; t++) {
            double[] wide = plus(given.vector(layer + ".bias"), times(
                    given.matrix(layer + ".wt"), times(given.matrix(layer + ".low"), x[t])));
            for (int d = 0; d < channels; d++) {
                step[t][d] = wide[d] > 30 ? wide[d] : Math.log1p(Math.exp(wide[d]));
            }
        }
        for (int t = 0; t < x.length; t++) {
            double[] asked = times(given.matrix(layer + ".wc"), x[t]);
            for (int d = 0; d < channels; d++) {
                double[] memory = new double[asked.length];
                for (int u = 0; u <= t; u++) {
                    double[] taken = times(given.matrix(layer + ".wb"), x[u]);
                    for (int n = 0; n < memory.length; n++) {
                        double left = step[u][d] * taken[n] * x[u][d];
                        for (int r = u + 1; r <= t; r++) {
                            left *= Math.exp(-Math.exp(rate[d][n]) * step[r][d]);
                        }
                        memory[n] += left;
                    }
                }
                y[t][d] = dot(memory, asked) + given.vector(layer + ".skip")[d] * x[t][d];
            }
        }
        return y;
    }
}
