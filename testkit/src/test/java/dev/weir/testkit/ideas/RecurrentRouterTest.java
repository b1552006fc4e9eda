package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R05: h_i = GRU(P_i x_i, h_{i-1}) chooses the experts of layer i. */
class RecurrentRouterTest {
    @Test
    void isTheTextbooks() {
        Idea.example("recurrent_router").sizes("D=5 F=3 N=4 K=2 R=3 L=3").tokens(17)
                .form("one by one", text -> Routes.oneByOne(text, "N", "D"))
                .is(RecurrentRouterTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int width = given.size("R");
        for (double[] row : y) {
            double[] memory = new double[width];
            for (int i = 0; i < given.size("L"); i++) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[][] project = new double[width][];
                System.arraycopy(given.matrix("project"), i * width, project, 0, width);
                memory = gru(given, times(project, x), memory);
                String experts = "layers." + i + ".experts";
                double[] p = softmax(times(given.matrix("layers." + i + ".router"), memory));
                int[] chosen = top(given.size("K"), p);
                double total = 0;
                for (int e : chosen) {
                    total += p[e];
                }
                for (int e : chosen) {
                    given.work().served(experts, e, p.length);
                    add(row, p[e] / total, swiGlu(given, experts + "." + e, x));
                }
            }
        }
        return y;
    }

    private static double[] gru(Given given, double[] x, double[] h) {
        double[] z = each(plus(times(given.matrix("memory.wz"), x),
                times(given.matrix("memory.uz"), h)), Textbook::sigmoid);
        double[] r = each(plus(times(given.matrix("memory.wr"), x),
                times(given.matrix("memory.ur"), h)), Textbook::sigmoid);
        double[] candidate = times(given.matrix("memory.wn"), x);
        double[] recurrent = times(given.matrix("memory.un"), h);
        double[] after = new double[h.length];
        for (int i = 0; i < h.length; i++) {
            double n = Math.tanh(candidate[i] + r[i] * recurrent[i]);
            after[i] = (1 - z[i]) * n + z[i] * h[i];
        }
        return after;
    }
}
