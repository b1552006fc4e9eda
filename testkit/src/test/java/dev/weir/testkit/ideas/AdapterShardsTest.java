package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** R13: the rows of A and the columns of B are put together from shards of two pools. */
class AdapterShardsTest {
    @Test
    void isTheTextbooks() {
        Idea.example("adapter_shards").sizes("D=6 R=2 S=3 P=4 L=2")
                .is(AdapterShardsTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int pool = given.size("P");
        for (int i = 0; i < given.size("L"); i++) {
            double[][] down = new double[given.size("R")][];
            double[][] up = new double[down.length][];
            for (int r = 0; r < down.length; r++) {
                down[r] = new double[0];
                up[r] = new double[0];
                for (int s = 0; s < given.size("S"); s++) {
                    down[r] = Textbook.joined(down[r],
                            given.matrix("pools.down")[(7 * i + 5 * r + 3 * s) % pool]);
                    up[r] = Textbook.joined(up[r],
                            given.matrix("pools.up")[(11 * i + 3 * r + 5 * s) % pool]);
                }
            }
            for (double[] row : y) {
                double[] low = times(down, row);
                for (int r = 0; r < low.length; r++) {
                    add(row, low[r], up[r]);
                }
            }
        }
        return y;
    }
}
