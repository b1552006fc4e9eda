package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static dev.weir.testkit.ideas.Textbook.top;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** R15: a shared and a routed expert for the network; of a row of blocks, those that a token needs. */
class RoutedBlocksTest {
    @Test
    void isTheTextbooks() {
        Idea.example("routed_blocks").sizes("D=6 F=3 N=3 K=2 M=2 B=1 L=1").tokens(13)
                .is(RoutedBlocksTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (double[] row : y) {
            for (int i = 0; i < given.size("L"); i++) {
                String layer = "layers." + i;
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                double[] p = softmax(times(given.matrix(layer + ".router"), x));
                add(row, 1, swiGlu(given, layer + ".shared", x));
                for (int e : top(given.size("K"), p)) {
                    given.work().served(layer + ".experts", e, p.length);
                    add(row, p[e], swiGlu(given, layer + ".experts." + e, x));
                }
                blocks(given, "blocks." + i, row);
            }
        }
        return y;
    }

    private static void blocks(Given given, String path, double[] row) {
        double[] p = softmax(times(given.matrix(path + ".router"), row));
        int[] chosen = top(given.size("B"), p);
        Arrays.sort(chosen);
        for (int m : chosen) {
            double[] z = row.clone();
            for (int n = 0; n < 2; n++) {
                String block = path + ".blocks." + m;
                z = plus(z, swiGlu(given, block + ".networks." + n,
                        rmsNorm(given.vector(block + ".norms." + n + ".scale"), z)));
            }
            add(z, -1, row);
            add(row, p[m], z);
        }
    }
}
