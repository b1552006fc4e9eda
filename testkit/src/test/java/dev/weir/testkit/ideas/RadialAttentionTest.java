package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A02: the window halves whenever the distance of frames doubles. */
class RadialAttentionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("radial_attention").sizes("S=2 D=5 H=1 C=3 L=1").tokens(17)
                .takesWholeSequences()
                .form("powers of two by comparison", s -> s.replace(
                        "(filled(filled(filled(filled(x, 1), 2), 4), 8) + 1) / 2",
                        "if x < 2 { 1 } else { if x < 4 { 2 } else { if x < 8 { 4 } else { 8 } } }"))
                .is(RadialAttentionTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String path = "layers." + i;
            double[][] x = rmsNorm(given.vector("norms." + i + ".scale"), y);
            double[][] next = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                next[t] = y[t];
                for (int h = 0; h < given.size("H"); h++) {
                    next[t] = plus(next[t], head(given, path, x, t, h));
                }
            }
            y = next;
        }
        return y;
    }

    private static double[] head(Given given, String path, double[][] x, int t, int h) {
        double[] query = times(given.cube(path + ".wq")[h], x[t]);
        double[] score = new double[x.length];
        Arrays.fill(score, Double.NEGATIVE_INFINITY);
        for (int s = 0; s < x.length; s++) {
            if (isSeen(t, s, given.size("S"))) {
                score[s] = dot(query, times(given.cube(path + ".wk")[h], x[s]))
                        / Math.sqrt(query.length);
            }
        }
        double[] p = softmax(score);
        double[] read = new double[query.length];
        for (int s = 0; s < x.length; s++) {
            add(read, p[s], times(given.cube(path + ".wv")[h], x[s]));
        }
        double[] y = new double[x[t].length];
        for (int d = 0; d < y.length; d++) {
            y[d] = dot(given.cube(path + ".wo")[d][h], read);
        }
        return y;
    }

    private static boolean isSeen(int query, int key, int tokens) {
        int frames = Math.max(1, Math.abs(query / tokens - key / tokens));
        double window = tokens / Math.pow(2, Math.floor(Math.log(frames + 0.5) / Math.log(2)));
        return key < tokens || Math.abs(query % tokens - key % tokens) < window;
    }
}
