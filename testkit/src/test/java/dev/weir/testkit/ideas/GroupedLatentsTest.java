package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** A07: tokens see their group, latents see each other, and each group sees its latents. */
class GroupedLatentsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("grouped_latents").sizes("G=2 N=3 M=3 D=4 H=1 C=5 F=3 L=1")
                .form("one row of all tokens and a mask", s -> s.replace("""
                                h = near(x)
                        """, """
                                tokens[r in 0..G * N, d] = x[r / N, r % N, d]
                                all_near = near.masked(tokens, N)
                                h[g in 0..G, n in 0..N, d] = all_near[g * N + n, d]
                        """).replace("""
                            forward(x[N, D], others[M, D]) -> y[N, D] {
                        """, """
                            masked(x[N, D], size: int) -> y[N, D] {
                                query = wq @ x
                                key = wk @ x
                                value = wv @ x
                                score[n, h, m] = sum[c] query[n, h, c] * key[m, h, c]
                                p[n, h, m] = softmax[m] score[n, h, m] / sqrt(C)
                                    where n / size == m / size
                                z[n, h, c] = sum[m] p[n, h, m] * value[m, h, c]
                                y[n, d] = sum[h, c] wo[d, h, c] * z[n, h, c]
                            }

                            forward(x[N, D], others[M, D]) -> y[N, D] {
                        """).replace("""
                            forward(x[N, D]) -> y[N, D] {
                        """, """
                            masked(x[N, D], size: int) -> y[N, D] {
                                h = x + attention.masked(norm(x), size)
                                y = h + down(gelu(up(net_norm(h))))
                            }

                            forward(x[N, D]) -> y[N, D] {
                        """))
                .is(GroupedLatentsTest::textbook);
    }

    /** Rows are tokens, group by group. */
    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        double[][] latents = Textbook.copy(given.matrix("latent"));
        int size = given.size("N");
        int few = given.size("M");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (int g = 0; g < given.size("G"); g++) {
                put(y, g * size, layer(given, layer + ".near", group(y, g, size)));
                put(latents, g * few, cross(given, layer + ".gather",
                        group(latents, g, few), group(y, g, size)));
            }
            latents = layer(given, layer + ".far", latents);
            for (int g = 0; g < given.size("G"); g++) {
                put(y, g * size, cross(given, layer + ".spread",
                        group(y, g, size), group(latents, g, few)));
            }
        }
        return y;
    }

    private static double[][] group(double[][] x, int g, int size) {
        return Arrays.copyOfRange(x, g * size, (g + 1) * size);
    }

    private static void put(double[][] x, int from, double[][] rows) {
        System.arraycopy(rows, 0, x, from, rows.length);
    }

    private static double[][] normed(Given given, String path, double[][] x) {
        return Arrays.stream(x).map(row -> layerNorm(given.vector(path + ".scale"),
                given.vector(path + ".shift"), row)).toArray(double[][]::new);
    }

    private static double[][] cross(
            Given given, String path, double[][] x, double[][] others) {
        double[][] seen = Textbook.among(given, path + ".attention",
                normed(given, path + ".norm", x), normed(given, path + ".other_norm", others));
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = plus(x[t], seen[t]);
        }
        return y;
    }

    private static double[][] layer(Given given, String path, double[][] x) {
        double[][] n = normed(given, path + ".norm", x);
        double[][] seen = Textbook.among(given, path + ".attention", n, n);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = plus(x[t], seen[t]);
            double[] inner = normed(given, path + ".net_norm", new double[][] {h})[0];
            double[] wide = each(linear(given, path + ".up", inner), Textbook::gelu);
            y[t] = plus(h, linear(given, path + ".down", wide));
        }
        return y;
    }

    private static double[] linear(Given given, String path, double[] x) {
        return plus(times(given.matrix(path + ".w"), x), given.vector(path + ".bias"));
    }
}
