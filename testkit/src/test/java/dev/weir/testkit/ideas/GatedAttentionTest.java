package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rope;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** G01: y = W_o (σ(W_g x) ⊙ attention(x)), σ(W_g x) for each element or for each head. */
class GatedAttentionTest {
    @Test
    void aGateForEachElement() {
        Idea.example("gated_attention").sizes("D=6 H=3 G=3 C=2 L=1")
                .is(given -> textbook(given, (layer, x, h) -> each(
                        times(given.cube(layer + ".wg")[h], x), Textbook::sigmoid)));
    }

    @Test
    void aGateForEachHead() {
        Idea.example("gated_attention").file("headwise.weir").sizes("D=6 H=3 G=3 C=2 L=1")
                .form("behind what each head gives", text -> text.replace(
                        "sum[h, c] wo[d, h, c] * gated[t, h, c]",
                        "sum[h] gate[t, h] * (sum[c] wo[d, h, c] * z[t, h, c])").replace(
                        "gated[t, h, c] = gate[t, h] * z[t, h, c]", ""))
                .is(given -> textbook(given, (layer, x, h) -> {
                    double[] gate = new double[given.size("C")];
                    Arrays.fill(gate, sigmoid(dot(given.matrix(layer + ".wg")[h], x)));
                    return gate;
                }));
    }

    /** What a token's head lets through, for each of its channels. */
    private interface Gate {
        double[] of(String layer, double[] x, int head);
    }

    private static double[][] textbook(Given given, Gate gate) {
        double[][] x = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            x = layer(given, "layers." + i, x, gate);
        }
        return x;
    }

    private static double[][] layer(Given given, String path, double[][] x, Gate gates) {
        int heads = given.size("H");
        int shared = heads / given.size("G");
        double[][] y = Textbook.copy(x);
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < heads; h++) {
                double[] query = rope(times(given.cube(path + ".wq")[h], x[t]), t);
                double[] score = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    double[] key = rope(times(given.cube(path + ".wk")[h / shared], x[s]), s);
                    score[s] = dot(query, key) / Math.sqrt(query.length);
                }
                double[] p = softmax(score);
                double[] z = new double[query.length];
                for (int s = 0; s <= t; s++) {
                    add(z, p[s], times(given.cube(path + ".wv")[h / shared], x[s]));
                }
                double[] gate = gates.of(path, x[t], h);
                for (int c = 0; c < z.length; c++) {
                    for (int d = 0; d < y[t].length; d++) {
                        y[t][d] += given.cube(path + ".wo")[d][h][c] * gate[c] * z[c];
                    }
                }
            }
        }
        return y;
    }
}
