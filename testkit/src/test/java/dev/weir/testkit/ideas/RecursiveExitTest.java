package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.attention;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** D01: one layer at every depth, a low-rank relaxation for each, and tokens that leave. */
class RecursiveExitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("recursive_exit").sizes("V=9 D=6 H=3 G=3 C=2 F=5 R=3 Depth=3")
                .form("unrolled", RecursiveExitTest::unrolled)
                .is(RecursiveExitTest::textbook);
    }

    /** The start from a full model: its layers' mean, and singular values cut off behind R. */
    @Test
    void relaxationsStartAsCutSingularValues() {
        Idea.example("recursive_exit").file("relax.weir").small("O=7 I=6 L=3 R=2 Rounds=400")
                .sizes("O=4 I=9 L=2 R=3 Rounds=400").is(RecursiveExitTest::relaxed);
    }

    private static double[][] relaxed(Given given) {
        double[][][] weight = new double[given.size("L")][given.size("O")][];
        for (int l = 0, at = 0; l < weight.length; l++) {
            for (int o = 0; o < weight[l].length; o++, at += given.size("I")) {
                weight[l][o] = part(given.values("weight"), at, at + given.size("I"));
            }
        }
        double[][] mean = new double[weight[0].length][weight[0][0].length];
        for (double[][] layer : weight) {
            for (int o = 0; o < mean.length; o++) {
                add(mean[o], 1.0 / weight.length, layer[o]);
            }
        }
        List<double[]> rows = new ArrayList<>();
        for (double[][] layer : weight) {
            double[][] rest = Textbook.copy(layer);
            for (int o = 0; o < rest.length; o++) {
                add(rest[o], -1, mean[o]);
            }
            // Best of rank R: projected on the eigenvectors of A' A with the largest eigenvalues.
            double[][] vectors = eigenvectors(rest);
            for (int o = 0; o < rest.length; o++) {
                double[] row = mean[o].clone();
                for (int r = 0; r < given.size("R"); r++) {
                    add(row, dot(rest[o], vectors[r]), vectors[r]);
                }
                rows.add(row);
            }
        }
        return rows.toArray(double[][]::new);
    }

    /** The eigenvectors of A' A by Jacobi's rotations, largest eigenvalues first. */
    private static double[][] eigenvectors(double[][] a) {
        int n = a[0].length;
        double[][] square = new double[n][n];
        double[][] vectors = new double[n][n];
        for (int i = 0; i < n; i++) {
            vectors[i][i] = 1;
            for (int j = 0; j < n; j++) {
                for (double[] row : a) {
                    square[i][j] += row[i] * row[j];
                }
            }
        }
        for (int sweep = 0; sweep < 50; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    double angle = Math.atan2(2 * square[p][q], square[q][q] - square[p][p]) / 2;
                    rotate(square, p, q, angle);
                    transpose(square);
                    rotate(square, p, q, angle);
                    transpose(square);
                    rotate(vectors, p, q, angle);
                }
            }
        }
        Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -square[i][i]));
        return Arrays.stream(order).map(i -> vectors[i]).toArray(double[][]::new);
    }

    private static void rotate(double[][] rows, int p, int q, double angle) {
        for (int k = 0; k < rows[p].length; k++) {
            double x = rows[p][k];
            double y = rows[q][k];
            rows[p][k] = Math.cos(angle) * x - Math.sin(angle) * y;
            rows[q][k] = Math.sin(angle) * x + Math.cos(angle) * y;
        }
    }

    private static void transpose(double[][] square) {
        for (int i = 0; i < square.length; i++) {
            for (int j = 0; j < i; j++) {
                double kept = square[i][j];
                square[i][j] = square[j][i];
                square[j][i] = kept;
            }
        }
    }

    /** Three depths, each inside the gate of the one before. */
    private static String unrolled(String text) {
        int from = text.indexOf("        for i in 0..Depth {");
        int to = text.indexOf("        logits =");
        return text.substring(0, from) + """
                x = layer(x, pos) + relax[0](x)
                if not (sigmoid(norm(x) @ halt) > sure) {
                    x = layer(x, pos) + relax[1](x)
                    if not (sigmoid(norm(x) @ halt) > sure) { x = layer(x, pos) + relax[2](x) }
                }
                """ + text.substring(to);
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        List<Integer> here = new ArrayList<>();
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
            here.add(t);
        }
        for (int i = 0; i < given.size("Depth"); i++) {
            double[][] entrants = here.stream().map(t -> x[t]).toArray(double[][]::new);
            double[][] after = layer(given, entrants,
                    here.stream().mapToInt(t -> t).toArray());
            List<Integer> stay = new ArrayList<>();
            for (int k = 0; k < entrants.length; k++) {
                add(after[k], 1, times(given.matrix("relax." + i + ".up"),
                        times(given.matrix("relax." + i + ".down"), entrants[k])));
                x[here.get(k)] = after[k];
                double[] normed = rmsNorm(given.vector("norm.scale"), after[k]);
                if (sigmoid(dot(normed, given.vector("halt"))) <= 0.5) {
                    stay.add(here.get(k));
                }
            }
            here = stay;
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = times(given.matrix("table"), rmsNorm(given.vector("norm.scale"), x[t]));
        }
        return logits;
    }

    private static double[][] layer(Given given, double[][] x, int[] positions) {
        double[][] normed = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            normed[t] = rmsNorm(given.vector("layer.attention_norm.scale"), x[t]);
        }
        double[][] mixed = attention(given, "layer.attention", normed, positions);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = plus(x[t], mixed[t]);
            y[t] = plus(h, swiGlu(given, "layer.network",
                    rmsNorm(given.vector("layer.norm.scale"), h)));
        }
        return y;
    }
}
