package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.cosine;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A14: patches are merged, then dropped while the prompt is read, then left out of the cache. */
class MustDropTest {
    @Test
    void isTheTextbooks() {
        Idea.example("must_drop").context("prefill", 22).entry("forward").tokens(5)
                .sizes("P=12 W=3 D=5 H=1 C=3 F=4 A=2 L=2")
                .is(MustDropTest::textbook);
    }

    /** Prompts of unlike lengths, and unlike numbers of tokens behind them. */
    @Test
    void sequencesOfABatchDropPatchesOfTheirOwn() throws Exception {
        Company.changesNothing("must_drop", new Company.Step("prefill", 23, 18, 29),
                new Company.Step("forward", 3, 2, 1), new Company.Step("forward", 1, 1, 4));
    }

    private static double[][] textbook(Given given) {
        double[][] y = given.rows("prefill.x");
        int patches = given.size("P");
        double[] marked = new double[patches];
        for (int i = 0; i < given.size("A"); i++) {
            double[][] x = rmsNorm(given.vector("looking_norms." + i + ".scale"),
                    Arrays.copyOf(y, patches));
            double[][][] p = new double[given.size("H")][patches][];
            marked = new double[patches];
            for (int t = 0; t < patches; t++) {
                double[] z = attended(given, "looking." + i, x[t], x, p, t);
                y[t] = plus(y[t], z);
                for (double[][] head : p) {
                    add(marked, 1.0 / p.length, head[t]);
                }
            }
            for (int t = 0; t < patches; t++) {
                y[t] = plus(y[t], swiGlu(given, "looking_nets." + i,
                        rmsNorm(given.vector("looking_net_norms." + i + ".scale"), y[t])));
            }
        }
        List<Integer> merged = merged(given, y);
        List<Integer> here = merged;
        List<List<double[]>> cache = new ArrayList<>();
        for (int i = 0; i < given.size("L"); i++) {
            for (int t : merged) {
                given.work().came("gate2", here.contains(t));
            }
            here = layer(given, i, y, here, marked, cache);
        }
        double[][] generated = given.rows("forward.x");
        double[][] result = Arrays.copyOf(y, y.length + generated.length);
        for (int u = 0; u < generated.length; u++) {
            double[] row = generated[u];
            for (int i = 0; i < given.size("L"); i++) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                cache.get(i).add(x);
                row = plus(row, attended(given, "layers." + i, x,
                        cache.get(i).toArray(double[][]::new),
                        new double[given.size("H")][1][], 0));
                row = plus(row, swiGlu(given, "nets." + i,
                        rmsNorm(given.vector("net_norms." + i + ".scale"), row)));
            }
            result[y.length + u] = row;
        }
        return result;
    }

    /** Patches like the first of their window join it; who is left. */
    private static List<Integer> merged(Given given, double[][] y) {
        int patches = given.size("P");
        int window = given.size("W");
        List<Integer> left = new ArrayList<>();
        double[][] sum = Textbook.copy(y);
        int[] size = new int[y.length];
        for (int t = 0; t < y.length; t++) {
            int first = t < patches ? t - t % window : t;
            boolean joins = first < t
                    && given.work().isAbove("like", cosine(y[t], y[first]), 0.3);
            given.work().came("gate3", !joins);
            if (joins) {
                add(sum[first], 1, y[t]);
                size[first]++;
            } else {
                left.add(t);
            }
        }
        for (int t = 0; t < y.length; t++) {
            y[t] = scaled(1.0 / (1 + size[t]), sum[t]);
        }
        return left;
    }

    /** A layer of the language model for those that are left; who goes on. */
    private static List<Integer> layer(Given given, int i, double[][] y, List<Integer> here,
            double[] marked, List<List<double[]>> cache) {
        int patches = given.size("P");
        double[][] x = new double[here.size()][];
        for (int n = 0; n < x.length; n++) {
            x[n] = rmsNorm(given.vector("norms." + i + ".scale"), y[here.get(n)]);
        }
        double[][][] p = new double[given.size("H")][x.length][];
        double[] mean = new double[x.length];
        double[] most = new double[x.length];
        double[] last = new double[x.length];
        int words = 0;
        for (int n = 0; n < x.length; n++) {
            double[] z = attended(given, "layers." + i, x[n],
                    Arrays.copyOf(x, n + 1), p, n);
            y[here.get(n)] = plus(y[here.get(n)], z);
            if (here.get(n) >= patches) {
                words++;
                for (int s = 0; s <= n; s++) {
                    double share = 0;
                    for (double[][] head : p) {
                        share += x.length * head[n][s] / p.length;
                    }
                    mean[s] += share;
                    most[s] = Math.max(most[s], share);
                    last[s] = share;
                }
            }
        }
        List<double[]> kept = new ArrayList<>();
        List<Integer> left = new ArrayList<>();
        for (int n = 0; n < x.length; n++) {
            int t = here.get(n);
            y[t] = plus(y[t], swiGlu(given, "nets." + i,
                    rmsNorm(given.vector("net_norms." + i + ".scale"), y[t])));
            boolean word = t >= patches;
            boolean asked = word || given.work().isAbove("output", last[n], 1.0);
            given.work().came("layers." + i + ".gate0", asked);
            if (asked) {
                kept.add(x[n]);
            }
            boolean stays = word || given.work().isAbove("must", marked[t], 1.1)
                    | given.work().isAbove("global", mean[n] / words, 1.2)
                    | given.work().isAbove("single", most[n], 1.6);
            given.work().came("gate1", !stays);
            if (stays) {
                left.add(t);
            }
        }
        cache.add(kept);
        return left;
    }

    /** What a row reads from others, and, in row {@code t} of each head, its shares. */
    private static double[] attended(
            Given given, String path, double[] x, double[][] others, double[][][] p, int t) {
        double[] y = new double[x.length];
        for (int h = 0; h < p.length; h++) {
            double[] query = times(given.cube(path + ".wq")[h], x);
            double[] score = new double[others.length];
            for (int s = 0; s < others.length; s++) {
                score[s] = dot(query, times(given.cube(path + ".wk")[h], others[s]))
                        / Math.sqrt(query.length);
            }
            p[h][t] = softmax(score);
            double[] z = new double[query.length];
            for (int s = 0; s < others.length; s++) {
                add(z, p[h][t][s], times(given.cube(path + ".wv")[h], others[s]));
            }
            for (int d = 0; d < y.length; d++) {
                y[d] += dot(given.cube(path + ".wo")[d][h], z);
            }
        }
        return y;
    }
}
