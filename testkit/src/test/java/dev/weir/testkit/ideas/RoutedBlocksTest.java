package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.among;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.layerNorm;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.product;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * R15: a diffusion transformer with a shared and some routed experts for the network, and of a row
 * of blocks those that the step asks for.
 */
class RoutedBlocksTest {
    private static final String GATE = "if idea.weir:68:13";
    private static final String ROUTE = "shared[0](x) + (route x to experts by top(K, p))";

    @Test
    void isTheTextbooks() {
        example()
                .form("one by one", text -> Routes.oneByOne(text, "N", "D"))
                .is(given -> textbook(given, true));
    }

    /** Experts are the dense network's hidden units: all of them with weight 1 make it again. */
    @Test
    void allExpertsAreTheDenseNetwork() {
        example().written(text -> text.replace("    param router[N, D]\n    shared", "    shared")
                        .replace("        p = softmax(router @ x)\n", "")
                        .replace("        y = " + ROUTE, """

                                y = shared[0](x)
                                for e in 0..N + 0 * K { y = y + experts[e](x) }"""))
                .is(given -> textbook(given, false));
    }

    private static Idea example() {
        return Idea.example("routed_blocks")
                .sizes("I=4 J=2 Z=1 E=3 D=4 H=1 C=5 F=3 N=2 K=1 M=2 B=1 L=1");
    }

    private static double[][] textbook(Given given, boolean routed) {
        int columns = given.size("J");
        int size = given.size("Z");
        double[][] latent = given.rows("latent");
        double[] when = when(given);
        double[][] y = Textbook.copy(given.matrix("place"));
        double[][] embed = given.matrix("embed");
        for (int pixel = 0; pixel < latent.length; pixel++) {
            int u = pixel / columns % size;
            int v = pixel % columns % size;
            double[] patch = y[patch(pixel, columns, size)];
            for (int d = 0; d < patch.length; d++) {
                patch[d] += Textbook.dot(embed[(d * size + u) * size + v], latent[pixel]);
            }
        }
        for (int i = 0; i < given.size("L"); i++) {
            String group = "groups." + i;
            double[] p = softmax(times(given.matrix(group + ".router"), when));
            int[] chosen = top(given.size("B"), p);
            for (int m = 0; m < p.length; m++) {
                int block = m;
                boolean works = Arrays.stream(chosen).anyMatch(c -> c == block);
                given.work().came(GATE, works);
                if (works) {
                    double[][] after = block(given, group + ".blocks." + m, y, when, routed);
                    for (int t = 0; t < y.length; t++) {
                        add(after[t], -1, y[t]);
                        add(y[t], p[m], after[t]);
                    }
                }
            }
        }
        double[][] noise = new double[latent.length][];
        for (int pixel = 0; pixel < latent.length; pixel++) {
            int place = pixel / columns % size * size + pixel % columns % size;
            double[][] out = Arrays.copyOfRange(given.matrix("out"),
                    place * latent[0].length, (place + 1) * latent[0].length);
            noise[pixel] = times(out, y[patch(pixel, columns, size)]);
        }
        return noise;
    }

    private static int patch(int pixel, int columns, int size) {
        return pixel / columns / size * (columns / size) + pixel % columns / size;
    }

    private static double[] when(Given given) {
        double[] wave = new double[given.size("D")];
        for (int d = 0; d < wave.length; d++) {
            double angle = given.ids("step")[0] * Math.pow(10000, -1.0 * d / wave.length);
            wave[d] = d % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
        }
        return times(given.matrix("step_embedding.second"),
                each(times(given.matrix("step_embedding.first"), wave), Textbook::silu));
    }

    private static double[][] block(
            Given given, String path, double[][] x, double[] when, boolean routed) {
        double[][] m = new double[6][];
        for (int i = 0; i < 6; i++) {
            m[i] = times(given.cube(path + ".modulation")[i], each(when, Textbook::silu));
        }
        double[][] normed = modulated(x, m[0], m[1]);
        double[][] mixed = among(given, path + ".attention", normed, normed);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = plus(x[t], product(m[2], mixed[t]));
        }
        double[][] z = modulated(y, m[3], m[4]);
        for (int t = 0; t < x.length; t++) {
            add(y[t], 1, product(m[5], network(given, path + ".network", z[t], routed)));
        }
        return y;
    }

    private static double[][] modulated(double[][] x, double[] shift, double[] scale) {
        return Arrays.stream(x).map(row ->
                plus(product(layerNorm(row), each(scale, s -> 1 + s)), shift))
                .toArray(double[][]::new);
    }

    private static double[] network(Given given, String path, double[] x, boolean routed) {
        double[] y = swiGlu(given, path + ".shared.0", x);
        if (routed) {
            double[] p = softmax(times(given.matrix(path + ".router"), x));
            for (int e : top(given.size("K"), p)) {
                given.work().served(path + ".experts", e, p.length);
                add(y, p[e], swiGlu(given, path + ".experts." + e, x));
            }
            return y;
        }
        return dense(given, path, x);
    }

    /** One network whose hidden units are those of all experts, one behind the other. */
    private static double[] dense(Given given, String path, double[] x) {
        double[] hidden = new double[0];
        double[][] down = new double[x.length][0];
        for (int e = -1; e < given.size("N"); e++) {
            String expert = path + (e < 0 ? ".shared.0" : ".experts." + e);
            hidden = Textbook.joined(hidden, product(
                    each(times(given.matrix(expert + ".gate"), x), Textbook::silu),
                    times(given.matrix(expert + ".up"), x)));
            for (int d = 0; d < x.length; d++) {
                down[d] = Textbook.joined(down[d], given.matrix(expert + ".down")[d]);
            }
        }
        return times(down, hidden);
    }
}
