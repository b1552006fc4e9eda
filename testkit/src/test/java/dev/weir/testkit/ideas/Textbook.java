package dev.weir.testkit.ideas;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** What textbooks take for granted, written out naively: plain loops over doubles. */
final class Textbook {
    private Textbook() {}

    /** {@code y[o] = sum[i] w[o][i] x[i]}. */
    static double[] times(double[][] w, double[] x) {
        double[] y = new double[w.length];
        for (int o = 0; o < w.length; o++) {
            y[o] = dot(w[o], x);
        }
        return y;
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    static double[] plus(double[] a, double[] b) {
        double[] y = a.clone();
        add(y, 1, b);
        return y;
    }

    /** Adds {@code factor} times b to a. */
    static void add(double[] a, double factor, double[] b) {
        for (int i = 0; i < a.length; i++) {
            a[i] += factor * b[i];
        }
    }

    static double[] scaled(double factor, double[] a) {
        return each(a, v -> factor * v);
    }

    /** Element by element. */
    static double[] product(double[] a, double[] b) {
        double[] y = new double[a.length];
        for (int i = 0; i < a.length; i++) {
            y[i] = a[i] * b[i];
        }
        return y;
    }

    static double[] each(double[] x, DoubleUnaryOperator f) {
        return Arrays.stream(x).map(f).toArray();
    }

    /** The elements {@code from .. to}. */
    static double[] part(double[] x, int from, int to) {
        return Arrays.copyOfRange(x, from, to);
    }

    static double[] joined(double[] a, double[] b) {
        double[] y = Arrays.copyOf(a, a.length + b.length);
        System.arraycopy(b, 0, y, a.length, b.length);
        return y;
    }

    static double[][] copy(double[][] x) {
        return Arrays.stream(x).map(double[]::clone).toArray(double[][]::new);
    }

    static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    static double silu(double x) {
        return x * sigmoid(x);
    }

    static double relu(double x) {
        return Math.max(x, 0);
    }

    /** The Gaussian distribution function by its series: x exp(-x²/2) (1 + x²/3 + x⁴/15 + …). */
    static double gelu(double x) {
        if (Math.abs(x) > 8) {
            return relu(x);
        }
        double term = x;
        double sum = x;
        for (int n = 3; n < 300; n += 2) {
            term *= x * x / n;
            sum += term;
        }
        return x * (0.5 + sum * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI));
    }

    static double[] softmax(double[] x) {
        double most = Arrays.stream(x).max().orElseThrow();
        double[] e = each(x, v -> Math.exp(v - most));
        return scaled(1 / Arrays.stream(e).sum(), e);
    }

    /** The places of the k largest, the largest first; of equal ones the lower place first. */
    static int[] top(int k, double[] x) {
        boolean[] taken = new boolean[x.length];
        int[] places = new int[k];
        for (int j = 0; j < k; j++) {
            int best = -1;
            for (int i = 0; i < x.length; i++) {
                if (!taken[i] && (best < 0 || x[i] > x[best])) {
                    best = i;
                }
            }
            taken[best] = true;
            places[j] = best;
        }
        return places;
    }

    static int largest(double[] x) {
        return top(1, x)[0];
    }

    static double[] rmsNorm(double[] scale, double[] x) {
        double square = dot(x, x) / x.length;
        return product(scale, scaled(1 / Math.sqrt(square + 1e-6), x));
    }

    static double[] layerNorm(double[] scale, double[] shift, double[] x) {
        double mean = Arrays.stream(x).sum() / x.length;
        double[] centred = each(x, v -> v - mean);
        double spread = dot(centred, centred) / x.length;
        return plus(product(scale, scaled(1 / Math.sqrt(spread + 1e-5), centred)), shift);
    }

    /** Layer normalisation that has no weights. */
    static double[] layerNorm(double[] x) {
        double[] ones = new double[x.length];
        Arrays.fill(ones, 1);
        return layerNorm(ones, new double[x.length], x);
    }

    /** {@code down (silu(gate x) ⊙ up x)} with the library's names below {@code path}. */
    static double[] swiGlu(Given given, String path, double[] x) {
        double[] gate = each(times(given.matrix(path + ".gate"), x), Textbook::silu);
        return times(given.matrix(path + ".down"),
                product(gate, times(given.matrix(path + ".up"), x)));
    }

    /** Turns the pairs (c, c + C/2) of one head by the position (Su et al. 2021). */
    static double[] rope(double[] head, int position) {
        int half = head.length / 2;
        double[] y = new double[head.length];
        for (int c = 0; c < half; c++) {
            double angle = position * Math.pow(10000, -2.0 * c / head.length);
            y[c] = head[c] * Math.cos(angle) - head[c + half] * Math.sin(angle);
            y[c + half] = head[c + half] * Math.cos(angle) + head[c] * Math.sin(angle);
        }
        return y;
    }

    /**
     * Causal attention with grouped queries and rotary positions, with the library's names below
     * {@code path}: of each row to those before it and itself.
     *
     * @param positions of the rows, ascending
     */
    static double[][] attention(Given given, String path, double[][] x, int[] positions) {
        double[][][] wq = given.cube(path + ".wq");
        double[][][] wk = given.cube(path + ".wk");
        double[][][] wv = given.cube(path + ".wv");
        double[][][] wo = given.cube(path + ".wo");
        int heads = wq.length;
        int width = wq[0].length;
        double[][] y = new double[x.length][wo.length];
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < heads; h++) {
                int group = h / (heads / wk.length);
                double[] query = rope(times(wq[h], x[t]), positions[t]);
                double[] score = new double[t + 1];
                for (int s = 0; s <= t; s++) {
                    score[s] = dot(query, rope(times(wk[group], x[s]), positions[s]))
                            / Math.sqrt(width);
                }
                double[] p = softmax(score);
                double[] z = new double[width];
                for (int s = 0; s <= t; s++) {
                    add(z, p[s], times(wv[group], x[s]));
                }
                for (int d = 0; d < wo.length; d++) {
                    y[t][d] += dot(wo[d][h], z);
                }
            }
        }
        return y;
    }

    /** The same for rows at 0, 1, 2 and so on. */
    static double[][] attention(Given given, String path, double[][] x) {
        int[] positions = new int[x.length];
        Arrays.setAll(positions, t -> t);
        return attention(given, path, x, positions);
    }

    /**
     * Attention of each row to all of {@code others}, without positions; weights {@code wq wk wv wo}
     * below {@code path}, each head with keys and values of its own.
     */
    static double[][] among(Given given, String path, double[][] x, double[][] others) {
        double[][][] wq = given.cube(path + ".wq");
        double[][][] wo = given.cube(path + ".wo");
        double[][] y = new double[x.length][wo.length];
        for (int t = 0; t < x.length; t++) {
            for (int h = 0; h < wq.length; h++) {
                double[] query = times(wq[h], x[t]);
                double[] score = new double[others.length];
                for (int s = 0; s < others.length; s++) {
                    score[s] = dot(query, times(given.cube(path + ".wk")[h], others[s]))
                            / Math.sqrt(query.length);
                }
                double[] p = softmax(score);
                double[] z = new double[query.length];
                for (int s = 0; s < others.length; s++) {
                    add(z, p[s], times(given.cube(path + ".wv")[h], others[s]));
                }
                for (int d = 0; d < wo.length; d++) {
                    y[t][d] += dot(wo[d][h], z);
                }
            }
        }
        return y;
    }

    /** Each row normalised. */
    static double[][] rmsNorm(double[] scale, double[][] x) {
        return Arrays.stream(x).map(row -> rmsNorm(scale, row)).toArray(double[][]::new);
    }

    static double cosine(double[] a, double[] b) {
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }

    /** A layer of attention and a network, each behind a normalisation, on the residual. */
    static double[][] layer(Given given, String path, double[][] x) {
        double[][] mixed = attention(given, path + ".attention",
                rmsNorm(given.vector(path + ".attention_norm.scale"), x));
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = plus(x[t], mixed[t]);
            y[t] = plus(h, swiGlu(given, path + ".network",
                    rmsNorm(given.vector(path + ".norm.scale"), h)));
        }
        return y;
    }

    /**
     * A convolution with 3 × 3 filters of one image, its sides padded with 0.
     *
     * @param weight rows {@code (filter, channel, row)} of three
     */
    static double[][][] convolution(double[][] weight, double[][][] x) {
        int height = x[0].length;
        int width = x[0][0].length;
        double[][][] y = new double[weight.length / x.length / 3][height][width];
        for (int e = 0; e < y.length; e++) {
            for (int c = 0; c < x.length; c++) {
                for (int i = 0; i < height; i++) {
                    for (int j = 0; j < width; j++) {
                        y[e][i][j] += patch(weight, (e * x.length + c) * 3, x[c], i, j);
                    }
                }
            }
        }
        return y;
    }

    private static double patch(double[][] weight, int from, double[][] x, int i, int j) {
        double sum = 0;
        for (int u = -1; u <= 1; u++) {
            for (int v = -1; v <= 1; v++) {
                if (i + u >= 0 && i + u < x.length && j + v >= 0 && j + v < x[0].length) {
                    sum += weight[from + u + 1][v + 1] * x[i + u][j + v];
                }
            }
        }
        return sum;
    }

    /** The mean of each channel. */
    static double[] pooled(double[][][] x) {
        return Arrays.stream(x).mapToDouble(channel -> Arrays.stream(channel)
                .flatMapToDouble(Arrays::stream).average().orElseThrow()).toArray();
    }

    /** A product for each pixel: {@code y[o][i][j] = sum[c] w[o][c] x[c][i][j]}. */
    static double[][][] pointwise(double[][] w, double[][][] x) {
        double[][][] y = new double[w.length][x[0].length][x[0][0].length];
        for (int o = 0; o < w.length; o++) {
            for (int c = 0; c < x.length; c++) {
                for (int i = 0; i < x[c].length; i++) {
                    add(y[o][i], w[o][c], x[c][i]);
                }
            }
        }
        return y;
    }

    /** The rows of all channels, one channel behind the other. */
    static double[][] merged(double[][][] x) {
        return Arrays.stream(x).flatMap(Arrays::stream).toArray(double[][]::new);
    }
}
