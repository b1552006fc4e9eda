package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.among;
import static dev.weir.testkit.ideas.Textbook.cosine;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** D04: image and words leave the encoder, a token the decoder, when a layer changes little. */
class SimilarityExitsTest {
    private static final double ALIKE = 0.9;

    @Test
    void isTheTextbooks() {
        Idea.example("similarity_exits").sizes("P=3 U=2 D=5 H=1 C=2 F=4 L=3")
                .form("the image's exit as a gate", s -> s.replace("""
                        for i in 0..L {
                            before = seen
                            seen = encoder[i](seen)
                            change = cosine(seen, before)  // [P]
                            if (mean[p] change[p]) > alike { break }
                        }
                """, """
                        agree = 0.0
                        for i in 0..L {
                            if agree <= alike {
                                before = seen
                                seen = encoder[i](seen)
                                change = cosine(seen, before)
                                agree = mean[p] change[p]
                            }
                        }
                """))
                .is(SimilarityExitsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] seen = encoded(given, given.rows("image"), "if idea.weir:83:13");
        double[][] heard = encoded(given, given.rows("words"), "if idea.weir:90:13");
        double[][] known = Stream.concat(Stream.of(seen), Stream.of(heard))
                .toArray(double[][]::new);
        double[][] y = Textbook.copy(given.rows("x"));
        boolean[] left = new boolean[y.length];
        for (int i = 0; i < given.size("L"); i++) {
            double[][] before = Textbook.copy(y);
            for (int t = 0; t < y.length; t++) {
                if (!left[t]) {
                    y[t] = decoder(given, "decoder." + i, before, t, known);
                    left[t] = given.work().isAbove(
                            "alike", cosine(y[t], before[t]), ALIKE);
                    given.work().came("gate1", left[t]);
                }
            }
        }
        return y;
    }

    private static double[][] encoded(Given given, double[][] x, String gate) {
        double[][] y = x;
        for (int i = 0; i < given.size("L"); i++) {
            double[][] before = y;
            String path = "encoder." + i;
            double[][] normed = rmsNorm(given.vector(path + ".norm.scale"), before);
            y = among(given, path, normed, normed);
            double alike = 0;
            for (int p = 0; p < y.length; p++) {
                add(y[p], 1, before[p]);
                add(y[p], 1, network(given, path, y[p]));
                alike += cosine(y[p], before[p]) / y.length;
            }
            boolean leaves = given.work().isAbove(gate, alike, ALIKE);
            given.work().came(gate, leaves);
            if (leaves) {
                break;
            }
        }
        return y;
    }

    /** What the layer makes of a token beside all tokens before it, those that left included. */
    private static double[] decoder(
            Given given, String path, double[][] x, int t, double[][] known) {
        double[][] z = rmsNorm(given.vector(path + ".self_norm.scale"), x);
        double[] g = x[t].clone();
        for (int h = 0; h < given.size("H"); h++) {
            double[] asked = times(given.cube(path + ".sq")[h], z[t]);
            double[] score = new double[t + 1];
            for (int s = 0; s <= t; s++) {
                score[s] = dot(asked, times(given.cube(path + ".sk")[h], z[s]))
                        / Math.sqrt(asked.length);
            }
            double[] p = softmax(score);
            double[] said = new double[asked.length];
            for (int s = 0; s <= t; s++) {
                add(said, p[s], times(given.cube(path + ".sv")[h], z[s]));
            }
            for (int d = 0; d < g.length; d++) {
                g[d] += dot(given.cube(path + ".so")[d][h], said);
            }
        }
        double[] normed = rmsNorm(given.vector(path + ".norm.scale"), g);
        double[] h = plus(g, among(given, path, new double[][] {normed}, known)[0]);
        return plus(h, network(given, path, h));
    }

    private static double[] network(Given given, String path, double[] x) {
        return swiGlu(given, path + ".network",
                rmsNorm(given.vector(path + ".network_norm.scale"), x));
    }
}
