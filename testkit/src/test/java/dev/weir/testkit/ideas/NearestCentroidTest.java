package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R10: y = W_n x + b_n, n the centroid that is nearest to x. */
class NearestCentroidTest {
    @Test
    void isTheTextbooks() {
        Idea.example("nearest_centroid").sizes("D=3 E=2 N=5").tokens(23)
                .form("called at an index", text -> text.replace(
                        "one[n in 0..N] = 1.0", "_, nearest = top(1, -distance)").replace(
                        "y = route x to experts by top(1, -distance, weights: one)",
                        "y[e in 0..E] = sum[j] 1.0 * experts[nearest[j]](x)[e]"))
                .is(NearestCentroidTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] centroids = given.matrix("mixture.centroids");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            int nearest = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int n = 0; n < centroids.length; n++) {
                double[] apart = x[t].clone();
                add(apart, -1, centroids[n]);
                if (Textbook.dot(apart, apart) < least) {
                    least = Textbook.dot(apart, apart);
                    nearest = n;
                }
            }
            String expert = "mixture.experts." + nearest;
            given.work().served("mixture.experts", nearest, centroids.length);
            y[t] = plus(times(given.matrix(expert + ".weight"), x[t]),
                    given.vector(expert + ".bias"));
        }
        return y;
    }
}
