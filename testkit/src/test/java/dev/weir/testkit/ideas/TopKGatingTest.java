package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import org.junit.jupiter.api.Test;

/** R01: y = Σ p_e E_e(x) over the k best, p the softmax of all scores, or of these k alone. */
class TopKGatingTest {
    @Test
    void softmaxOfTheChosen() {
        Idea.example("top_k_gating").sizes("D=5 F=3 N=4 K=3 L=1")
                .form("softmax, then the k best, to sum 1, one by one", text -> moe(text, """
                        w, e = top(K, softmax(router @ x))
                        y[d in 0..D] = sum[j] w[j] / (sum[i] w[i]) * experts[e[j]](x)[d]"""))
                .form("the k best, then softmax", text -> moe(text, """
                        score = router @ x
                        best, e = top(K, score)
                        w = softmax(best)
                        y[d in 0..D] = sum[j] w[j] * experts[e[j]](x)[d]"""))
                .is(given -> textbook(given, true));
    }

    @Test
    void softmaxOfAll() {
        Idea.example("top_k_gating").sizes("D=5 F=3 N=4 K=3 L=1")
                .written(text -> text.replace("SwiGlu<D, F>> * L",
                        "SwiGlu<D, F>>(normalize: false) * L"))
                .form("one by one", text -> moe(text, """
                        w, e = top(K, softmax(router @ x))
                        y[d in 0..D] = sum[j] w[j] * experts[e[j]](x)[d]"""))
                .is(given -> textbook(given, false));
    }

    /** The program with a block of its own for the library's. */
    private static String moe(String text, String body) {
        return text.replace("import stdlib.mixture { Moe }\n", "")
                .replace("(normalize: false)", "") + """

                block Moe<D, N, K, Expert: Block<D, D>> {
                    param router[N, D]
                    experts: Expert * N
                    forward(x[D]) -> y[D] {
                """ + body + "}}";
    }

    private static double[][] textbook(Given given, boolean normalized) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] p = softmax(times(given.matrix(layer + ".router"), x));
                int[] chosen = top(given.size("K"), p);
                double total = 0;
                for (int e : chosen) {
                    total += p[e];
                }
                for (int e : chosen) {
                    given.work().served(layer + ".experts", e, p.length);
                    add(row, normalized ? p[e] / total : p[e],
                            swiGlu(given, layer + ".experts." + e, x));
                }
            }
        }
        return y;
    }
}
