package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.silu;

import org.junit.jupiter.api.Test;

/** A17: a function for each edge, made of splines by the recursion of Cox and de Boor. */
class SplineEdgesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("spline_edges").sizes("D=3 E=6 G=4 L=1")
                .form("four terms instead of a sum", s -> s.replace(
                        "+ sum[i, k] value[e, i, cell[i] + k] * weight[i, k]", """
                                + (sum[i] value[e, i, cell[i]] * weight[i, 0])
                                + (sum[i] value[e, i, cell[i] + 1] * weight[i, 1])
                                + (sum[i] value[e, i, cell[i] + 2] * weight[i, 2])
                                + sum[i] value[e, i, cell[i] + 3] * weight[i, 3]
                                """))
                .is(SplineEdgesTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("x");
        y = layer(given, "first", y);
        for (int i = 0; i < given.size("L"); i++) {
            y = layer(given, "layers." + i, y);
        }
        return y;
    }

    private static double[][] layer(Given given, String path, double[][] x) {
        int cells = given.size("G");
        double[][] base = given.matrix(path + ".base");
        double[][][] value = given.cube(path + ".value");
        double[][] y = new double[x.length][base.length];
        for (int t = 0; t < x.length; t++) {
            for (int e = 0; e < base.length; e++) {
                for (int i = 0; i < x[t].length; i++) {
                    y[t][e] += base[e][i] * silu(x[t][i]);
                    double place = (Math.tanh(x[t][i]) + 1) * cells / 2;
                    for (int g = 0; g < cells + 3; g++) {
                        y[t][e] += value[e][i][g] * spline(3, g - 3, place);
                    }
                }
            }
        }
        return y;
    }

    /** The spline of a degree that begins at a knot; knots are whole numbers. */
    private static double spline(int degree, int knot, double place) {
        if (degree == 0) {
            return place >= knot && place < knot + 1 ? 1 : 0;
        }
        return (place - knot) / degree * spline(degree - 1, knot, place)
                + (knot + degree + 1 - place) / degree * spline(degree - 1, knot + 1, place);
    }
}
