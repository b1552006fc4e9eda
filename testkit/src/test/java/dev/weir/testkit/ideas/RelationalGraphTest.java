package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A18: edge by edge, with the matrix of its kind, and a softmax over those that reach a node. */
class RelationalGraphTest {
    @Test
    void isTheTextbooks() {
        Idea.example("relational_graph").sizes("N=4 R=5 D=3 L=1").tokens(23)
                .takesWholeSequences().is(given -> textbook(given, true));
    }

    /** One equation reads the matrix that an edge's kind says. */
    @Test
    void asOneEquation() {
        Idea.example("relational_graph").file("equation.weir").sizes("N=4 R=5 D=3 L=1").tokens(23)
                .takesWholeSequences().is(given -> textbook(given, false));
    }

    private static double[][] textbook(Given given, boolean blocks) {
        double[][] y = given.rows("x");
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] x = rmsNorm(given.vector("norms." + i + ".scale"), y);
            double[][] next = new double[y.length][];
            for (int n = 0; n < y.length; n++) {
                double[] sum = node(given, layer, x, n, blocks);
                next[n] = y[n].clone();
                add(next[n], 1, Textbook.each(sum, Textbook::relu));
            }
            y = next;
        }
        return y;
    }

    /** What a node keeps of itself, and the weighted messages that come in. */
    private static double[] node(
            Given given, String layer, double[][] x, int node, boolean blocks) {
        int nodes = given.size("N");
        double[] y = times(given.matrix(layer + ".own"), x[node]);
        double total = 0;
        double[] sum = new double[y.length];
        for (int edge : given.ids("edges")) {
            int kind = edge / (nodes * nodes) % given.size("R");
            // The last count is of edges that choose no kind, of which there are none.
            if (blocks && node == 0) {
                given.work().served(layer + ".map.kinds", kind, given.size("R") + 1);
            }
            if (edge / nodes % nodes == node) {
                double[] message = times(blocks
                        ? given.matrix(layer + ".map.kinds." + kind + ".w")
                        : given.cube(layer + ".w")[kind], x[edge % nodes]);
                double weight = Math.exp(dot(given.matrix(layer + ".attend")[kind], message));
                total += weight;
                add(sum, weight, message);
            }
        }
        if (total > 0) {
            add(y, 1 / total, sum);
        }
        return y;
    }
}
