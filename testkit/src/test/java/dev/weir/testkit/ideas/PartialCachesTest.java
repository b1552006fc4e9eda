package dev.weir.testkit.ideas;

import dev.weir.testkit.TestModel;
import org.junit.jupiter.api.Test;

/** A01: what later tokens cannot see is not kept; a window and what stays are under one softmax. */
class PartialCachesTest {
    /** The program for prompts has the same parameters, and keeps everything behind a mask. */
    @Test
    void isTheTextbooks() {
        Idea.example("partial_caches")
                .sizes("D=5 H=3 G=1 C=2 F=4 L=3 Window=4 Sinks=2 Block=3 Every=2").tokens(31)
                .form("for prompts, with a mask", s -> TestModel.text(
                        TestModel.ROOT.resolve("examples/long_contexts/idea.weir")))
                .form("one softmax, written out", s -> s.replace(s.substring(
                        s.indexOf("        near_total[t, h]"), s.indexOf("        y[t, d] =")), """
                                most[t, h] = max(
                                    max[s] near[t, h, s] where at[s] <= pos[t]
                                        and pos[t] - at[s] < Window,
                                    max[r] far[t, h, r] where pos[t] - far_at[r] >= Window)
                                a[t, h, s] = if at[s] <= pos[t] and pos[t] - at[s] < Window {
                                    exp(near[t, h, s] - most[t, h])
                                } else {
                                    0.0
                                }
                                b[t, h, r] = if pos[t] - far_at[r] >= Window {
                                    exp(far[t, h, r] - most[t, h])
                                } else {
                                    0.0
                                }
                                z[t, h, c] = ((sum[s] a[t, h, s] * values[s, h / (H / G), c])
                                    + sum[r] b[t, h, r] * far_values[r, h / (H / G), c])
                                    / ((sum[s] a[t, h, s]) + sum[r] b[t, h, r])
                        """))
                .is(PartialCachesTest::textbook);
    }

    /** Windows that are full, and one that is not; each keeps for good what is its own. */
    @Test
    void sequencesOfABatchKeepCachesOfTheirOwn() throws Exception {
        Company.changesNothing("partial_caches", new Company.Step("forward", 23, 1, 16),
                new Company.Step("forward", 1, 1, 1), new Company.Step("forward", 2, 7, 1));
    }

    private static double[][] textbook(Given given) {
        for (int i = 0; i < given.size("L"); i++) {
            boolean whole = i >= given.size("L") / 3 && i < given.size("L") - given.size("L") / 3;
            for (int t = 0; !whole && t < given.rows("x").length; t++) {
                int block = t / given.size("Block");
                given.work().came("layers." + i + ".attention.gate0", t < given.size("Sinks")
                        || block == block / given.size("Every") * given.size("Every"));
            }
        }
        return LongContextsTest.textbook(given);
    }
}
