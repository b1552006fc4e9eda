package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R19: a knapsack of blocks, filled from the one that is worth most for its cost. */
class BudgetedMasksTest {
    private static final String GATE = "where idea.weir:10:16";

    @Test
    void untilTheNextDoesNotFit() {
        Idea.example("budgeted_masks").sizes("N=7 D=10 F=6 G=12 O=6 B=6")
                .form("all blocks computed, and the rest cleared", s -> s
                        .replace("taken[b] > 0.5]", "taken[b] > -1.0]")
                        .replace("value[kept[k]] *", "taken[kept[k]] * value[kept[k]] *"))
                .form("one by one", s -> s.substring(0, s.indexOf("        kept =")) + """
                        y[t in 0..T, o in 0..O] = bias[o]
                        for b in 0..B {
                            if taken[b] > 0.5 {
                                made[t, s] = sum[i] weight[b, s, i] * x[t, i]
                                y[t, b * (O / B) + s] += value[b] * made[t, s]
                            }
                        }
                """ + s.substring(s.indexOf("    }\n}\n")))
                .form("what those cost that are worth more", s -> s.replace(
                        "taken[m in 0..3 * B] = 0.0", """
                        before[m] = sum[n] (if gain[n] < gain[m] or gain[n] == gain[m] and n <= m {
                            cost[n]
                        } else {
                            0.0
                        })""").replace("taken[order[j]] = if spent[j]", "taken[m] = if before[m]"))
                .is(given -> textbook(given, false));
    }

    /** A block that does not fit is left out, and smaller ones behind it are still taken. */
    @Test
    void asLongAsSomethingFits() {
        Idea.example("budgeted_masks").sizes("N=7 D=10 F=6 G=12 O=6 B=6")
                .written(s -> s.substring(0, s.indexOf("        paid[j]")) + """
                        left = budget * (D * F + F * G + G * O)
                        taken[m in 0..3 * B] = 0.0
                        for j in 0..3 * B {
                            fits = cost[order[j]] <= left
                            taken[order[j]] = if fits { 1.0 } else { 0.0 }
                            left = if fits { left - cost[order[j]] } else { left }
                        }
                """ + s.substring(s.indexOf("        h = relu(first")))
                .is(given -> textbook(given, true));
    }

    private static double[][] textbook(Given given, boolean goesOn) {
        double[][] y = given.rows("x");
        int count = given.size("B");
        int[] widths = {given.size("D"), given.size("F"), given.size("G"), given.size("O")};
        double[] pooled = new double[widths[0]];
        for (double[] row : y) {
            add(pooled, 1.0 / y.length, row);
        }
        double[] value = each(times(given.matrix("gate"),
                rmsNorm(given.vector("norm.scale"), pooled)), Textbook::sigmoid);
        boolean[] taken = knapsack(value, widths, count, goesOn);
        String[] layers = {"first", "second", "third"};
        for (int i = 0; i < 3; i++) {
            double[][] z = new double[y.length][];
            for (int t = 0; t < y.length; t++) {
                z[t] = given.vector(layers[i] + ".bias").clone();
            }
            for (int b = 0; b < count; b++) {
                int n = i * count + b;
                given.work().came(GATE, taken[n]);
                for (int t = 0; taken[n] && t < y.length; t++) {
                    double[] made = times(given.cube(layers[i] + ".weight")[b], y[t]);
                    for (int s = 0; s < made.length; s++) {
                        z[t][b * made.length + s] += value[n] * made[s];
                    }
                }
            }
            for (int t = 0; t < y.length; t++) {
                z[t] = i < 2 ? each(z[t], Textbook::relu) : z[t];
            }
            y = z;
        }
        return y;
    }

    private static boolean[] knapsack(
            double[] value, int[] widths, int count, boolean goesOn) {
        double[] cost = new double[value.length];
        double left = 0;
        for (int n = 0; n < cost.length; n++) {
            int layer = n / count;
            cost[n] = (double) widths[layer] * widths[layer + 1] / count;
            left += 0.25 * cost[n];
        }
        boolean[] seen = new boolean[cost.length];
        boolean[] taken = new boolean[cost.length];
        for (int round = 0; round < cost.length; round++) {
            int best = -1;
            for (int n = 0; n < cost.length; n++) {
                if (!seen[n] && (best < 0 || value[n] / cost[n] > value[best] / cost[best])) {
                    best = n;
                }
            }
            seen[best] = true;
            taken[best] = cost[best] <= left;
            left -= taken[best] ? cost[best] : 0;
            if (!taken[best] && !goesOn) {
                break;
            }
        }
        return taken;
    }
}
