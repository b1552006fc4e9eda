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
        Idea.example("masked_layers").sizes("C=2 E=3 I=9 J=6 P=3 L=2 N=2").takesWholeSequences()
                .form("all pixels computed, and the rest cleared", s -> s
                        .replace("[p where row[p] > 0.5]", "[p where row[p] > -1.0]")
                        .replace("= made[k, e]",
                                "= made[k, e] * grown[kept[k] / J, kept[k] % J]"))
                .is(MaskedLayersTest::textbook);
    }

    /** Rows are pixels, line by line. */
    private static double[][] textbook(Given given) {
        int columns = given.size("J");
        double[][] x = given.rows("image");
        boolean[] inside = new boolean[x.length];
        double[] score = given.values("score");
        int size = given.size("P");
        for (int p = 0; p < x.length; p++) {
            inside[p] = score[p / columns / size * (columns / size) + p % columns / size] > 1;
        }
        for (int i = 0; i <= given.size("L"); i++) {
            String path = i == 0 ? "stem" : "layers." + (i - 1);
            boolean[] grown = new boolean[x.length];
            for (int p = 0; p < x.length; p++) {
                for (int q = 0; q < x.length; q++) {
                    grown[p] |= inside[q] && isNear(columns, p, q);
                }
                given.work().came("where idea.weir:16:16", grown[p]);
            }
            x = convolution(given, path, filled(columns, x, inside), grown);
            inside = grown;
        }
        double[] sum = new double[x[0].length];
        int seen = 0;
        for (int p = 0; p < x.length; p++) {
            if (inside[p]) {
                add(sum, 1, x[p]);
                seen++;
            }
        }
        return new double[][] {times(given.matrix("head"), scaled(1.0 / Math.max(seen, 1), sum))};
    }

    private static boolean isNear(int columns, int p, int q) {
        return Math.abs(p / columns - q / columns) <= 1
                && Math.abs(p % columns - q % columns) <= 1;
    }

    /** A pixel outside is the mean of its neighbours inside. */
    private static double[][] filled(int columns, double[][] x, boolean[] inside) {
        double[][] y = new double[x.length][];
        for (int p = 0; p < x.length; p++) {
            double[] sum = new double[x[p].length];
            int count = 0;
            for (int q = 0; q < x.length; q++) {
                if (inside[q] && isNear(columns, p, q)) {
                    add(sum, 1, x[q]);
                    count++;
                }
            }
            y[p] = inside[p] ? x[p] : scaled(1.0 / Math.max(count, 1), sum);
        }
        return y;
    }

    /** Of the pixels of the grown mask; the others are 0. */
    private static double[][] convolution(
            Given given, String path, double[][] x, boolean[] grown) {
        int columns = given.size("J");
        double[][] w = given.matrix(path + ".w");
        double[] bias = given.vector(path + ".bias");
        double[][] y = new double[x.length][bias.length];
        for (int p = 0; p < x.length; p++) {
            for (int e = 0; grown[p] && e < bias.length; e++) {
                double sum = bias[e];
                for (int q = 0; q < x.length; q++) {
                    for (int c = 0; isNear(columns, p, q) && c < x[q].length; c++) {
                        sum += w[(e * x[q].length + c) * 3 + q / columns - p / columns + 1][
                                q % columns - p % columns + 1] * x[q][c];
                    }
                }
                y[p][e] = relu(sum);
            }
        }
        return y;
    }
}
