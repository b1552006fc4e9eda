package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.relu;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A19: a convolution sees what is inside a mask, which grows with each layer. */
class MaskedLayersTest {
    @Test
    void isTheTextbooks() {
        Idea.example("masked_layers").sizes("C=2 E=3 I=12 J=8 P=2 L=2 N=2").takesWholeSequences()
                .form("all pixels computed, and the rest cleared", s -> s
                        .replace("[p where row[p] > 0.5]", "[p where row[p] > -1.0]")
                        .replace("= made[k, e]",
                                "= made[k, e] * grown[kept[k] / (J / S), kept[k] % (J / S)]"))
                .is(MaskedLayersTest::textbook);
    }

    /** Activations of pixels, line by line, and which of them are inside. */
    private record Image(int columns, double[][] pixels, boolean[] inside) {
        boolean isNear(int p, int q) {
            return Math.abs(p / columns - q / columns) <= 1
                    && Math.abs(p % columns - q % columns) <= 1;
        }

        int rows() {
            return pixels.length / columns;
        }
    }

    private static double[][] textbook(Given given) {
        int columns = given.size("J");
        double[][] image = given.rows("image");
        boolean[] inside = new boolean[image.length];
        double[] score = given.values("score");
        int size = given.size("P");
        for (int p = 0; p < image.length; p++) {
            inside[p] = given.work().isAbove("score",
                    score[p / columns / size * (columns / size) + p % columns / size], 1);
        }
        Image x = layer(given, "stem", new Image(columns, image, inside), 2);
        for (int i = 0; i < given.size("L"); i++) {
            x = layer(given, "layers." + i, x, 1);
        }
        x = halved(x);
        for (int i = 0; i < given.size("L"); i++) {
            x = layer(given, "last." + i, x, 1);
        }
        double[] sum = new double[x.pixels[0].length];
        int seen = 0;
        for (int p = 0; p < x.pixels.length; p++) {
            if (x.inside[p]) {
                add(sum, 1, x.pixels[p]);
                seen++;
            }
        }
        return new double[][] {times(given.matrix("head"), scaled(1.0 / Math.max(seen, 1), sum))};
    }

    /** Every so many pixels of a convolution, those to which the mask grows; the others are 0. */
    private static Image layer(Given given, String path, Image x, int stride) {
        double[][] filled = filled(x);
        int columns = x.columns / stride;
        double[][] y = new double[x.rows() / stride * columns][];
        boolean[] inside = new boolean[y.length];
        for (int o = 0; o < y.length; o++) {
            int p = o / columns * stride * x.columns + o % columns * stride;
            for (int q = 0; q < x.pixels.length; q++) {
                inside[o] |= x.inside[q] && x.isNear(p, q);
            }
            given.work().came("where idea.weir:16:16", inside[o]);
            y[o] = convolved(given, path, x, filled, p);
            if (!inside[o]) {
                y[o] = new double[y[o].length];
            }
        }
        return new Image(columns, y, inside);
    }

    /** The largest of each four pixels, as far as they are inside. */
    private static Image halved(Image x) {
        int columns = x.columns / 2;
        double[][] y = new double[x.rows() / 2 * columns][x.pixels[0].length];
        boolean[] inside = new boolean[y.length];
        for (int q = 0; q < x.pixels.length; q++) {
            int o = q / x.columns / 2 * columns + q % x.columns / 2;
            // Activations are not negative.
            for (int c = 0; x.inside[q] && c < y[o].length; c++) {
                y[o][c] = Math.max(y[o][c], x.pixels[q][c]);
            }
            inside[o] |= x.inside[q];
        }
        return new Image(columns, y, inside);
    }

    /** A pixel outside is the mean of its neighbours inside. */
    private static double[][] filled(Image x) {
        double[][] y = new double[x.pixels.length][];
        for (int p = 0; p < y.length; p++) {
            double[] sum = new double[x.pixels[p].length];
            int count = 0;
            for (int q = 0; q < y.length; q++) {
                if (x.inside[q] && x.isNear(p, q)) {
                    add(sum, 1, x.pixels[q]);
                    count++;
                }
            }
            y[p] = x.inside[p] ? x.pixels[p] : scaled(1.0 / Math.max(count, 1), sum);
        }
        return y;
    }

    /** All filters around one pixel. */
    private static double[] convolved(
            Given given, String path, Image x, double[][] filled, int p) {
        double[][] w = given.matrix(path + ".w");
        double[] y = given.vector(path + ".bias").clone();
        for (int e = 0; e < y.length; e++) {
            for (int q = 0; q < filled.length; q++) {
                for (int c = 0; x.isNear(p, q) && c < filled[q].length; c++) {
                    y[e] += w[(e * filled[q].length + c) * 3 + q / x.columns - p / x.columns + 1][
                            q % x.columns - p % x.columns + 1] * filled[q][c];
                }
            }
            y[e] = relu(y[e]);
        }
        return y;
    }
}
