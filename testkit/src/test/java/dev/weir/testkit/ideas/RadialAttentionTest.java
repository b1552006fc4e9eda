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
        // Frames of two and three tokens thin out from a distance of four on.
        Idea.example("radial_attention").sizes("N=23 S=2 D=5 H=1 C=3 L=1").tokens(45)
                .takesWholeSequences()
                .form("powers of two by their bits", RadialAttentionTest::byBits)
                .form("frames before and behind", s -> s.replace(
                        "abs(q / S - k / S)",
                        "if q < k { k / S - q / S } else { q / S - k / S }"))
                .is(RadialAttentionTest::textbook);
    }

    /** Several tiles of keys, some of which are shut: frames of 64 tokens, and of 40. */
    @Test
    void overSeveralTiles() {
        Idea.example("radial_attention").small("S=64").sizes("S=40 D=5 H=1 C=3 L=1").tokens(163)
                .takesWholeSequences().is(RadialAttentionTest::textbook);
    }

    /** Frames so far apart that the widest bands say what is seen: one in 256. */
    @Test
    void overManyFrames() {
        Idea.example("radial_attention").small("N=300 S=1")
                .sizes("N=300 S=1 D=3 H=1 C=2 L=1").tokens(300)
                .takesWholeSequences().is(RadialAttentionTest::textbook);
    }

    /** One band whose width is computed, instead of a list of bands. */
    private static String byBits(String text) {
        String chain = text.substring(text.indexOf("/// The same by the dist"),
                text.indexOf("/// Attention among the tokens that"));
        return text.replace(chain, """
                fn near(frames: int, places: int, S: int, N: int) -> bool =
                    close(frames, places,
                        (filled(filled(filled(max(frames, 1), 1), 2), 4) + 1) / 2, S)

                fn filled(x: int, by: int) -> int = bit_or(x, shift_right(x, by))

                fn close(frames: int, places: int, r: int, S: int) -> bool = (places + 1) * r <= S
                    or places == 0 and frames % ((r + S - 1) / S) == 0

                """);
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

    /** Bands that narrow as the distance doubles, then diagonals of ever fewer frames. */
    private static boolean isSeen(int query, int key, int tokens) {
        int distance = Math.abs(query / tokens - key / tokens);
        int places = Math.abs(query % tokens - key % tokens);
        double width = tokens;
        for (int reach = 2; reach <= distance; reach *= 2) {
            width /= 2;
        }
        boolean first = key < tokens;
        if (first || width >= 1 && places <= width - 1) {
            return true;
        }
        return places == 0 && distance % (int) Math.ceil(1 / width) == 0;
    }
}
