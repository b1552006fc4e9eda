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

    /** Each synapse has a bell curve over the last steps; another form keeps those in a state. */
    @Test
    void learntDelays() {
        Idea.example("spiking_mixing").file("delays.weir").small("W=4")
                .sizes("D=5 W=7 L=1").tokens(30).scaled("delay", 3).scaled(".w", 2.5)
                .form("the last steps as a state", s -> s
                        .replace("    param w[E, D], delay[E, D]\n", """
                                param w[E, D], delay[E, D]
                                state past[W, D] = 0
                            """)
                        .replace("y[t in 0..T, e] = sum[u, d] kernel[u, e, d] * (s[t - u, d] or 0)",
                                """
                                scan t {
                                    past[u, d] = if u == 0 { s[t, d] } else { past[u - 1, d] or 0 }
                                    y[t, e] = sum[u, d] kernel[u, e, d] * past[u, d]
                                }
                                """))
                .is(SpikingMixingTest::delayed);
    }

    /** As many steps as wanted. */
    @Test
    void oneTimeStepOfSeveral() {
        Idea.example("spiking_mixing").file("one_step.weir").small("E=4 S=3")
                .sizes("D=5 F=7 E=3 S=2").tokens(25)
                .scaled("threshold", 0.3).scaled("first", 2)
                .form("products with spikes of 0 and 1", SpikingMixingTest::withProducts)
                .is(SpikingMixingTest::steps);
    }

    /** As the program is: nothing is carried, so that it asks for no leak. */
    @Test
    void oneTimeStep() {
        Idea.example("spiking_mixing").file("one_step.weir").small("E=4").sizes("D=5 F=7 E=3")
                .tokens(25).scaled("threshold", 0.3).scaled("first", 2)
                .is(SpikingMixingTest::steps);
    }

    private static String withProducts(String program) {
        return program.replace("""
                        firing = [d where spikes[d] > 0.5]
                        y[e in 0..E] = sum[k] w[firing[k], e]
                """, """
                        y[e] = sum[d] w[d, e] * spikes[d]
                """);
    }

    private static double[][] delayed(Given given) {
        double[][] s = fired(given, given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String path = "synapses." + i;
            double[][] w = given.matrix(path + ".w");
            double[][] current = new double[s.length][w.length];
            for (int e = 0; e < w.length; e++) {
                for (int d = 0; d < w[e].length; d++) {
                    double[] curve = curve(given.size("W"),
                            Textbook.sigmoid(given.matrix(path + ".delay")[e][d]));
                    // Each spike arrives in the steps behind it.
                    for (int t = 0; t < s.length; t++) {
                        for (int u = 0; u < curve.length && t + u < s.length; u++) {
                            current[t + u][e] += w[e][d] * curve[u] * s[t][d];
                        }
                    }
                }
            }
            s = fired(given, current);
        }
        double[][] y = new double[s.length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = times(given.matrix("head"), s[t]);
        }
        return y;
    }

    /** Densities around a place between the first step and the last, to sum to 1. */
    private static double[] curve(int steps, double place) {
        double[] curve = new double[steps];
        double sum = 0;
        for (int u = 0; u < steps; u++) {
            double distance = (u - place * (steps - 1)) / 0.5;
            curve[u] = Math.exp(-distance * distance / 2);
            sum += curve[u];
        }
        return Textbook.scaled(1 / sum, curve);
    }

    private static double[][] steps(Given given) {
        double[][] x = given.rows("x");
        double[][] y = new double[x.length][given.size("E")];
        int width = given.size("F");
        for (int t = 0; t < x.length; t++) {
            double[] current = times(given.matrix("first"), x[t]);
            double[][] potential = new double[2][width];
            double[][] spikes = new double[2][width];
            for (int step = 0; step < given.size("S"); step++) {
                fire(given, 0, step, current, potential[0], spikes[0]);
                fire(given, 1, step, map(given, "hidden", spikes[0]),
                        potential[1], spikes[1]);
                add(y[t], 1, map(given, "head", spikes[1]));
            }
        }
        return y;
    }

    /** u = λ u + I - v s with the s of the step before, and in its place who fires now. */
    private static void fire(Given given, int layer, int step,
            double[] current, double[] potential, double[] spikes) {
        double threshold = Math.exp(given.scalar("neurons." + layer + ".threshold"));
        for (int f = 0; f < potential.length; f++) {
            double carried = step == 0 ? 0 : potential[f] * Textbook.sigmoid(
                    given.scalar("leaks." + layer + ".share")) - threshold * spikes[f];
            potential[f] = carried + current[f];
            boolean fires = given.work().isAbove("layer " + layer, potential[f], threshold);
            spikes[f] = fires ? 1 : 0;
        }
    }

    private static double[][] textbook(Given given) {
        double[][] x = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] spikes = fired(given, x);
            double[][] near = Textbook.copy(spikes);
            for (int t = 0; t < x.length; t++) {
                for (int d = 0; d < x[t].length / 2; d++) {
                    near[t][d] = t == 0 ? 0 : spikes[t - 1][d];
                }
            }
            mix(given, layer + ".mixing", near, x);
            double[][] again = fired(given, x);
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

    private static double[][] fired(Given given, double[][] x) {
        double[][] spikes = new double[x.length][x[0].length];
        for (int d = 0; d < x[0].length; d++) {
            double potential = 0;
            for (int t = 0; t < x.length; t++) {
                potential += 0.5 * (x[t][d] - potential);
                if (given.work().isAbove("potential", potential, 1)) {
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
