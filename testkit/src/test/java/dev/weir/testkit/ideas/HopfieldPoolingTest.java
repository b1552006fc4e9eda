package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;

import org.junit.jupiter.api.Test;

/** A06: what is asked for is replaced by what is found, until nothing changes. */
class HopfieldPoolingTest {
    @Test
    void isTheTextbooks() {
        Idea.example("hopfield_pooling").sizes("D=4 H=3 C=5 Most=9 N=2").takesWholeSequences()
                .form("while it changes", s -> s
                        .replace("for i in 0..Most {", """
                                change = least
                                while change >= least max Most {
                                """)
                        .replace("if change < least { break }", ""))
                .is(HopfieldPoolingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        double[][] y = Textbook.copy(given.matrix("find.query"));
        for (int i = 0; i < given.size("Most"); i++) {
            double change = 0;
            for (int h = 0; h < y.length; h++) {
                double[][] stored = new double[x.length][];
                double[] score = new double[x.length];
                for (int t = 0; t < x.length; t++) {
                    stored[t] = times(given.cube("find.wk")[h], x[t]);
                    score[t] = dot(y[h], stored[t]);
                }
                double[] p = softmax(scaled(0.25, score));
                double[] next = new double[y[h].length];
                for (int t = 0; t < x.length; t++) {
                    add(next, p[t], stored[t]);
                }
                for (int c = 0; c < next.length; c++) {
                    change = Math.max(change, Math.abs(next[c] - y[h][c]));
                }
                y[h] = next;
            }
            if (!given.work().isAbove("change", change, 0.05)) {
                break;
            }
        }
        double[] merged = new double[0];
        for (double[] found : y) {
            merged = Textbook.joined(merged, found);
        }
        return new double[][] {plus(times(given.matrix("head.w"), merged),
            given.vector("head.bias"))};
    }
}
