package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.relu;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** G06: filters from the warmest on, until those before hold a share of all heat; the others give 0. */
class FilterMasksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("filter_masks").sizes("C=3 E=4 I=3 J=5 L=1").is(FilterMasksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        int height = given.size("I");
        int width = given.size("J");
        double[][][] image = Given.blocks(given.rows("image"), height);
        double[][][] y = new double[given.size("E")][height][width];
        for (int e = 0; e < y.length; e++) {
            for (int c = 0; c < image.length; c++) {
                for (int i = 0; i < height; i++) {
                    for (int j = 0; j < width; j++) {
                        y[e][i][j] += given.matrix("stem")[e][c] * image[c][i][j];
                    }
                }
            }
        }
        for (int l = 0; l < given.size("L"); l++) {
            double[][][] made = layer(given, "layers." + l, y);
            for (int e = 0; e < y.length; e++) {
                for (int i = 0; i < height; i++) {
                    Textbook.add(y[e][i], 1, made[e][i]);
                }
            }
        }
        double[][] rows = new double[y.length * height][];
        for (int r = 0; r < rows.length; r++) {
            rows[r] = y[r / height][r % height];
        }
        return rows;
    }

    private static double[][][] layer(Given given, String path, double[][][] x) {
        int height = x[0].length;
        int width = x[0][0].length;
        double[] pooled = new double[x.length];
        for (int c = 0; c < x.length; c++) {
            for (double[] row : x[c]) {
                for (double v : row) {
                    pooled[c] += v / (height * width);
                }
            }
        }
        double[] heat = softmax(times(given.matrix(path + ".predict"), pooled));
        double[][][] y = new double[heat.length][height][width];
        double before = 0;
        for (int e : top(heat.length, heat)) {
            if (before >= 0.7) {
                break;
            }
            before += heat[e];
            for (int i = 0; i < height; i++) {
                for (int j = 0; j < width; j++) {
                    y[e][i][j] = relu(convolution(given, path, x, new int[] {e, i, j}));
                }
            }
        }
        return y;
    }

    private static double convolution(Given given, String path, double[][][] x, int[] at) {
        double[][] weight = given.matrix(path + ".weight");
        double sum = 0;
        for (int c = 0; c < x.length; c++) {
            for (int u = 0; u < 3; u++) {
                for (int v = 0; v < 3; v++) {
                    int i = at[1] + u - 1;
                    int j = at[2] + v - 1;
                    if (i >= 0 && i < x[c].length && j >= 0 && j < x[c][0].length) {
                        sum += weight[(at[0] * x.length + c) * 3 + u][v] * x[c][i][j];
                    }
                }
            }
        }
        return sum;
    }
}
