package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A05: potentials that leak and fire, and means of values weighted by keys that decay. */
class SpikingMixingTest {
    /** The program carries two sums; the textbook form sums over all tokens before, each time. */
    @Test
    void isTheTextbooks() {
        Idea.example("spiking_mixing").sizes("D=6 F=5 L=1").tokens(40)
                .form("products with spikes of 0 and 1", s -> s.replace("""
                                firing = [d where spikes[d] > 0.5]
                                y[e in 0..E] = sum[k] w[firing[k], e]
                        """, """
                                y[e] = sum[d] w[d, e] * spikes[d]
                        """))
                .is(SpikingMixingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] spikes = fired(x);
            double[][] near = Textbook.copy(spikes);
            for (int t = 0; t < x.length; t++) {
                for (int d = 0; d < x[t].length / 2; d++) {
                    near[t][d] = t == 0 ? 0 : spikes[t - 1][d];
                }
            }
            mix(given, layer + ".mixing", near, x);
            double[][] again = fired(x);
            for (int t = 0; t < x.length; t++) {
                network(given, layer + ".network", again[t], x[t]);
                count(given, 3, near[t]);
                count(given, 2, again[t]);
            }
        }
        return x;
    }

    /** As many maps read these spikes, each only where a neuron fires. */
    private static void count(Given given, int maps, double[] spikes) {
        for (int m = 0; m < maps; m++) {
            for (double spike : spikes) {
                given.work().came("where idea.weir:6:18", spike > 0);
            }
        }
    }

    private static double[][] fired(double[][] x) {
        double[][] spikes = new double[x.length][x[0].length];
        for (int d = 0; d < x[0].length; d++) {
            double potential = 0;
            for (int t = 0; t < x.length; t++) {
                potential += 0.5 * (x[t][d] - potential);
                if (potential >= 1) {
                    spikes[t][d] = 1;
                    potential = 0;
                }
            }
        }
        return spikes;
    }

    /** The sum of the weights' rows, each as often as its channel fires. */
    private static double[] map(Given given, String path, double[] spikes) {
        double[][] w = given.matrix(path + ".w");
        double[] y = new double[w[0].length];
        for (int d = 0; d < spikes.length; d++) {
            add(y, spikes[d], w[d]);
        }
        return y;
    }

    private static void mix(Given given, String path, double[][] s, double[][] x) {
        for (int t = 0; t < s.length; t++) {
            double[] receptance = map(given, path + ".receptance", s[t]);
            double[] mixed = new double[s[t].length];
            for (int d = 0; d < mixed.length; d++) {
                double above = 0;
                double below = 0;
                for (int u = 0; u <= t; u++) {
                    double decay = Math.exp(given.vector(path + ".decay")[d]);
                    double weight = Math.exp(map(given, path + ".key", s[u])[d] + (u == t
                            ? given.vector(path + ".bonus")[d] : -(t - 1 - u) * decay));
                    above += weight * map(given, path + ".value", s[u])[d];
                    below += weight;
                }
                mixed[d] = Textbook.sigmoid(receptance[d]) * above / below;
            }
            add(x[t], 1, times(given.matrix(path + ".wo"), mixed));
        }
    }

    private static void network(Given given, String path, double[] s, double[] row) {
        double[] h = each(map(given, path + ".up", s), v -> Math.pow(Math.max(v, 0), 2));
        double[] down = times(given.matrix(path + ".down"), h);
        double[] receptance = each(map(given, path + ".receptance", s), Textbook::sigmoid);
        add(row, 1, Textbook.product(receptance, down));
    }
}
