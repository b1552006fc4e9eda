package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.silu;

import org.junit.jupiter.api.Test;

/** A17: a function for each edge: splines by the recursion of Cox and de Boor, or a qubit. */
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
                .is(given -> layers(given, SplineEdgesTest::splines));
    }

    /** What a qubit is expected to show; another form turns a point of the unit sphere. */
    @Test
    void functionsOfAQubit() {
        Idea.example("spline_edges").file("qubit.weir").small("R=2").sizes("D=3 E=6 R=3 L=1")
                .form("a point of the sphere", s -> s.replace(
                        s.substring(s.indexOf("        a[e in 0..E"), s.indexOf("        y[e] =")),
                        """
                                u[e in 0..E, i in 0..D] = 0.0
                                v[e in 0..E, i in 0..D] = 0.0
                                w[e in 0..E, i in 0..D] = 1.0
                                for r in 0..R {
                                    c[e, i] = cos(turn[e, i, r])
                                    s[e, i] = sin(turn[e, i, r])
                                    ahead = c * u + s * w
                                    w = c * w - s * u
                                    phase[e, i] = rate[e, i, r] * x[i] + shift[e, i, r]
                                    u = cos(phase) * ahead - sin(phase) * v
                                    v = sin(phase) * ahead + cos(phase) * v
                                }
                                shown = cos(last) * w - sin(last) * u
                        """))
                .is(given -> layers(given, SplineEdgesTest::qubits));
    }

    /** A layer, from its weights and the rows that it gets. */
    private interface Layer {
        double[][] of(Given given, String path, double[][] x);
    }

    private static double[][] layers(Given given, Layer layer) {
        double[][] y = layer.of(given, "first", given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            y = layer.of(given, "layers." + i, y);
        }
        return y;
    }

    private static double[][] qubits(Given given, String path, double[][] x) {
        double[][] scale = given.matrix(path + ".scale");
        double[][] y = new double[x.length][scale.length];
        for (int t = 0; t < x.length; t++) {
            for (int e = 0; e < scale.length; e++) {
                for (int i = 0; i < x[t].length; i++) {
                    Complex[][] state = {{new Complex(1, 0)}, {new Complex(0, 0)}};
                    for (int r = 0; r < given.size("R"); r++) {
                        state = times(aroundY(given.cube(path + ".turn")[e][i][r]), state);
                        state = times(aroundZ(given.cube(path + ".rate")[e][i][r] * x[t][i]
                                + given.cube(path + ".shift")[e][i][r]), state);
                    }
                    state = times(aroundY(given.matrix(path + ".last")[e][i]), state);
                    y[t][e] += scale[e][i] * (state[0][0].square() - state[1][0].square());
                }
            }
        }
        return y;
    }

    private record Complex(double re, double im) {
        Complex plus(Complex other) {
            return new Complex(re + other.re, im + other.im);
        }

        Complex times(Complex other) {
            return new Complex(re * other.re - im * other.im, re * other.im + im * other.re);
        }

        /** Of its length. */
        double square() {
            return re * re + im * im;
        }
    }

    private static Complex[][] aroundY(double angle) {
        Complex c = new Complex(Math.cos(angle / 2), 0);
        return new Complex[][] {{c, new Complex(-Math.sin(angle / 2), 0)},
            {new Complex(Math.sin(angle / 2), 0), c}};
    }

    private static Complex[][] aroundZ(double angle) {
        Complex zero = new Complex(0, 0);
        return new Complex[][] {
            {new Complex(Math.cos(angle / 2), -Math.sin(angle / 2)), zero},
            {zero, new Complex(Math.cos(angle / 2), Math.sin(angle / 2))}};
    }

    private static Complex[][] times(Complex[][] a, Complex[][] b) {
        Complex[][] product = new Complex[a.length][b[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < b[0].length; j++) {
                product[i][j] = new Complex(0, 0);
                for (int k = 0; k < b.length; k++) {
                    product[i][j] = product[i][j].plus(a[i][k].times(b[k][j]));
                }
            }
        }
        return product;
    }

    private static double[][] splines(Given given, String path, double[][] x) {
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
