package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.cosine;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.type.Format;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A14: tokens join those most like them, later layers see fewer, and all come back. */
class TokenMergingTest {
    private static final double CUT = 0.1;

    @Test
    void isTheTextbooks() {
        Idea.example("token_merging").sizes("D=5 H=1 C=3 F=4 A=1 L=2").takesWholeSequences()
                .form("who goes on is selected", s -> s.replace("""
                                if goes {
                                    for i in 0..L {
                                        z = late[i](z, size)
                                    }
                                }
                        """, """
                                kept = [t where goes[t]]
                                rest[k, d] = z[kept[k], d]
                                sizes[k] = size[kept[k]]
                                for i in 0..L {
                                    rest = late[i](rest, sizes)
                                }
                                z[kept[k], d] = rest[k, d]
                        """))
                .is(TokenMergingTest::textbook);
    }

    private static double[][] textbook(Given given) {
        double[][] z = given.rows("x");
        double[] size = new double[z.length];
        Arrays.fill(size, 1);
        for (int i = 0; i < given.size("A"); i++) {
            z = layer(given, "early." + i, z, size);
        }
        int[] best = new int[z.length];
        List<Integer> going = new ArrayList<>();
        double[][] merged = Textbook.copy(z);
        for (int t = 0; t < z.length; t++) {
            best[t] = t;
            double most = Double.NEGATIVE_INFINITY;
            for (int s = 1; s < z.length; s += 2) {
                if (cosine(z[t], z[s]) > most) {
                    most = cosine(z[t], z[s]);
                    best[t] = s;
                }
            }
            boolean joins = t % 2 == 0 && given.work().isAbove("cut", most, CUT);
            given.work().came("gate0", !joins);
            if (joins) {
                add(merged[best[t]], 1, z[t]);
                size[best[t]]++;
            } else {
                best[t] = t;
                going.add(t);
            }
        }
        double[][] rest = new double[going.size()][];
        double[] sizes = new double[rest.length];
        for (int k = 0; k < rest.length; k++) {
            sizes[k] = size[going.get(k)];
            rest[k] = scaled(1 / sizes[k], merged[going.get(k)]);
        }
        for (int i = 0; i < given.size("L"); i++) {
            rest = layer(given, "late." + i, rest, sizes);
        }
        double[][] y = new double[z.length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = rest[going.indexOf(best[t])];
        }
        return y;
    }

    private static double[][] layer(Given given, String path, double[][] x, double[] size) {
        double[][] n = rmsNorm(given.vector(path + ".norm.scale"), x);
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            double[] h = x[t];
            for (int head = 0; head < given.size("H"); head++) {
                h = plus(h, head(given, path + ".attention", n, size, t, head));
            }
            y[t] = plus(h, swiGlu(given, path + ".net",
                    rmsNorm(given.vector(path + ".net_norm.scale"), h)));
        }
        return y;
    }

    /** What a head reads, as often from each token as it stands for tokens. */
    private static double[] head(
            Given given, String path, double[][] x, double[] size, int t, int head) {
        double[] query = times(given.cube(path + ".wq")[head], x[t]);
        double[] score = new double[x.length];
        for (int s = 0; s < x.length; s++) {
            score[s] = dot(query, times(given.cube(path + ".wk")[head], x[s]))
                    / Math.sqrt(query.length) + Math.log(size[s]);
        }
        double[] p = softmax(score);
        double[] z = new double[query.length];
        for (int s = 0; s < x.length; s++) {
            add(z, p[s], times(given.cube(path + ".wv")[head], x[s]));
        }
        double[] y = new double[x[t].length];
        for (int d = 0; d < y.length; d++) {
            y[d] = dot(given.cube(path + ".wo")[d][head], z);
        }
        return y;
    }

    /** Images of unlike sizes in one step merge each for itself, and give the bytes of one by one. */
    @Test
    void imagesOfABatchMergeEachForItself() throws Exception {
        Path program = TestModel.ROOT.resolve("examples/token_merging/idea.weir");
        String small = TestModel.text(program).replace("D = 128, H = 4, C = 32, F = 256, A = 1, L = 5",
                "D = 8, H = 2, C = 4, F = 6, A = 1, L = 2");
        long[] rows = {9, 16, 5};
        Tensor all = Tensor.zeros(Format.F32, new long[] {30, 8});
        Random random = new Random(4);
        for (long i = 0; i < all.elements(); i++) {
            all.setReal(i, random.nextGaussian());
        }
        try (TestModel model = TestModel.random(small, 2, Target.NATIVE, 2)) {
            List<Engine.Session> three = List.of(model.engine().start(), model.engine().start(),
                    model.engine().start());
            Tensor together = model.batch(three, rows, List.of(all)).copy();
            long entered = entered(model.engine().ledger());
            long from = 0;
            for (long n : rows) {
                Tensor alone = model.batch(List.of(model.engine().start()), new long[] {n},
                        List.of(all.rows(from, from + n)));
                assertEquals(alone, together.rows(from, from + n), "the image at " + from);
                from += n;
            }
            assertEquals(2 * entered, entered(model.engine().ledger()),
                    "who goes on in a batch, and one by one");
        }
    }

    private static long entered(Ledger ledger) {
        return ledger.gates().stream().mapToLong(Ledger.Gate::entered).sum();
    }
}
