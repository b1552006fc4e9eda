package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R25: the sum of the k codes with the largest cosine; the mean of the nearest keys' values. */
class CodebookFeaturesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("codebook_features").sizes("D=5 F=3 N=4 K=2 H=3 C=2 E=3 L=1").tokens(17)
                .is(CodebookFeaturesTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] h = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            double[][] codes = given.matrix("books." + i + ".codes");
            for (double[] row : h) {
                double[] x = swiGlu(given, "networks." + i, row);
                double[] cosine = new double[codes.length];
                for (int n = 0; n < codes.length; n++) {
                    cosine[n] = dot(codes[n], x)
                            / Math.sqrt(dot(codes[n], codes[n]) * dot(x, x));
                }
                for (int n : top(given.size("K"), cosine)) {
                    add(row, 1, codes[n]);
                }
            }
        }
        double[][] y = new double[h.length][given.size("E")];
        for (int t = 0; t < h.length; t++) {
            for (int head = 0; head < given.size("H"); head++) {
                double[] query = times(given.cube("out.project")[head], h[t]);
                double[][] keys = given.cube("out.keys")[head];
                double[] likeness = new double[keys.length];
                for (int n = 0; n < keys.length; n++) {
                    for (int c = 0; c < query.length; c++) {
                        likeness[n] -= Math.pow(query[c] - keys[n][c], 2);
                    }
                }
                add(y[t], 1.0 / given.size("H"),
                        given.cube("out.values")[head][Textbook.largest(likeness)]);
            }
        }
        return y;
    }
}
