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
import static dev.weir.testkit.ideas.Textbook.top;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import dev.weir.testkit.TestModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A14: tokens that matter little are left out, by page rank or by the class token's attention. */
class TokenPruningTest {
    private static final int ROUNDS = 4;

    @Test
    void pageRankIsTheTextbooks() {
        Idea.example("token_pruning").sizes("P=6 G=1 D=5 H=1 C=3 F=4 L=2")
                .form("layer by layer", TokenPruningTest::unrolled)
                .form("ranked by counting", s -> s.replace("""
                                among[t in 0..P] = if t == 0 { infinity } else { rank[t] }
                                _best, places = top(K, among)
                        """, """
                                ahead[t in 0..P, u in 0..P] =
                                    if u == 0 or rank[u] > rank[t] { 1 } else { 0 }
                                place[t] = if t == 0 { 0 } else { sum[u] ahead[t, u] }
                                is[k in 0..K, t] = if place[t] == k { 1.0 } else { 0.0 }
                                places[k] = argmax[t] is[k, t]
                        """))
                .is(TokenPruningTest::pageRank);
    }

    /** Page rank of the heads that vary neither too little nor too much, then similarity. */
    @Test
    void bothStagesAreTheTextbooks() {
        Idea.example("token_pruning").file("stages.weir").small("R=1")
                .sizes("P=9 G=3 R=2 D=5 H=3 C=3 F=4 L=2").scaled("wq", 2).seed(8)
                .is(TokenPruningTest::stages);
    }

    /** Each layer has fewer rows than the one before; the likeness of keys costs some of it. */
    @Test
    void laterLayersAreComputedForFewerTokens() {
        double all = operations("baseline.weir");
        assertEquals(0.66, operations("stages.weir") / all, 0.01);
        assertEquals(0.61, operations("idea.weir") / all, 0.01);
    }

    /** Of an image, at the sizes that are measured. */
    private static double operations(String file) {
        TensorProgram program = Compiler.entries(
                new Source(file, TestModel.text(
                        TestModel.ROOT.resolve("examples/token_pruning").resolve(file))),
                TestModel.library(), LowerOptions.of(Configuration.empty())).getFirst();
        return CostOf.program(
                Compiler.schedule(Compiler.optimise(program), TargetDescription.AVX512),
                new Question(1, List.of(), 1, Map.of()), Optional.empty()).total().operations();
    }

    /** A rate for each layer: the least seen leave, those before them join others, and leave. */
    @Test
    void ratesAreTheTextbooks() {
        Idea.example("token_pruning").file("rates.weir").sizes("D=5 H=1 C=3 F=4 L=3").tokens(13)
                .takesWholeSequences()
                .is(TokenPruningTest::rates);
    }

    /** How many stay is the image's own affair; all come back. */
    @Test
    void thresholdsAreTheTextbooks() {
        Idea.example("token_pruning").file("thresholds.weir").sizes("D=5 H=1 C=3 F=4 L=2")
                .takesWholeSequences()
                .form("layer by layer", TokenPruningTest::nested)
                .is(TokenPruningTest::thresholds);
    }

    private static String nested(String text) {
        int from = text.indexOf("        for i in 0..L {");
        return text.substring(0, from) + """
                y, seen = layers[0](y)
                drops[t] = t > 0 and seen[t] < least
                if not drops { y, _seen = layers[1](y) }
            }
        }
        """;
    }

    private static String unrolled(String text) {
        return text.replace("""
                        for i in 0..L {
                            z = layers[i](z)
                        }
                        y[d] = z[0, d]
                """, """
                        last = layers[1](layers[0](z))
                        y[d] = last[0, d]
                """);
    }

    private static double[][] pageRank(Given given) {
        double[][] z = given.rows("x");
        int patches = given.size("P");
        for (int i = 0; i < given.size("L"); i++) {
            String path = "layers." + i;
            double[][][] p = new double[given.size("H")][][];
            double[][] h = attended(given, path, z, null, p);
            double[] square = new double[z.length];
            for (double[][] head : p) {
                double[] rank = ranked(head);
                for (int t = 0; t < rank.length; t++) {
                    square[t] += rank[t] * rank[t];
                }
            }
            square[0] = Double.POSITIVE_INFINITY;
            int[] places = top(1 + patches - given.size("G") * (i + 1), square);
            z = new double[places.length][];
            for (int k = 0; k < z.length; k++) {
                z[k] = h[places[k]];
                z[k] = plus(z[k], network(given, path, z[k]));
            }
        }
        return new double[][] {z[0]};
    }

    private static double[][] stages(Given given) {
        double[][] z = given.rows("x");
        int patches = given.size("P");
        for (int i = 0; i < given.size("L"); i++) {
            String path = "layers." + i;
            double[][][] p = new double[given.size("H")][][];
            double[][] h = attended(given, path, z, null, p);
            double[] square = new double[z.length];
            for (double[][] head : p) {
                double[] rank = ranked(head);
                double variance = 0;
                for (double share : rank) {
                    variance += Math.pow(share * rank.length - 1, 2) / rank.length;
                }
                boolean varies = given.work().isAbove("least", variance, 0.01);
                boolean much = given.work().isAbove("most", variance, 0.7);
                for (int t = 0; varies && !much && t < rank.length; t++) {
                    square[t] += rank[t] * rank[t];
                }
            }
            square[0] = Double.POSITIVE_INFINITY;
            int goes = 1 + patches - given.size("G") * (i + 1);
            int[] order = top(goes + given.size("R"), square);
            double[][] keys = keys(given, path, of(z, order));
            double[] unlike = new double[order.length];
            for (int k = 0; k < order.length; k++) {
                unlike[k] = Double.POSITIVE_INFINITY;
                for (int u = 0; k >= order.length / 2 && u < order.length / 2; u++) {
                    unlike[k] = Math.min(unlike[k], -cosine(keys[k], keys[u]));
                }
            }
            int[] left = top(goes, unlike);
            z = new double[goes][];
            for (int n = 0; n < goes; n++) {
                double[] row = h[order[left[n]]];
                z[n] = plus(row, network(given, path, row));
            }
        }
        return new double[][] {z[0]};
    }

    /** The keys of all heads, one behind the other. */
    private static double[][] keys(Given given, String path, double[][] x) {
        double[][] n = rmsNorm(given.vector(path + ".norm.scale"), x);
        return Arrays.stream(n).map(row -> times(given.matrix(path + ".attention.wk"), row))
                .toArray(double[][]::new);
    }

    private static double[][] rates(Given given) {
        double[][] y = given.rows("x");
        int[] here = IntStream.range(0, y.length).toArray();
        double[] size = new double[y.length];
        Arrays.fill(size, 1);
        for (int i = 0; i < given.size("L"); i++) {
            String path = "layers." + i;
            double[][][] p = new double[given.size("H")][][];
            double[][] h = attended(given, path, of(y, here), sizes(size, here), p);
            double[] seen = new double[here.length];
            for (double[][] head : p) {
                add(seen, 1, head[0]);
            }
            seen[0] = Double.POSITIVE_INFINITY;
            int[] order = top(here.length, seen);
            int merged = Math.min(here.length, (int) Math.floor((1 - 0.12 * (i + 1)) * y.length));
            int pruned = Math.min(
                    here.length, (int) Math.floor((1 - 0.06 * (2 * i + 1)) * y.length));
            double[][] total = new double[h.length][];
            double[] now = new double[h.length];
            for (int t = 0; t < h.length; t++) {
                now[t] = size[here[t]];
                total[t] = scaled(now[t], h[t]);
            }
            for (int k = merged; k < pruned; k++) {
                int t = order[k];
                int best = order[0];
                for (int j = 1; j < merged; j++) {
                    if (cosine(h[t], h[order[j]]) > cosine(h[t], h[best])) {
                        best = order[j];
                    }
                }
                now[best] += size[here[t]];
                add(total[best], size[here[t]], h[t]);
            }
            for (int t = 0; t < h.length; t++) {
                y[here[t]] = scaled(1 / now[t], total[t]);
                size[here[t]] = now[t];
            }
            for (int k = 0; k < order.length; k++) {
                given.work().came("gate0", k >= merged);
            }
            int[] stay = IntStream.range(0, merged).map(k -> order[k]).sorted().toArray();
            for (int k = 0; k < stay.length; k++) {
                int t = here[stay[k]];
                y[t] = plus(y[t], network(given, path, y[t]));
                stay[k] = t;
            }
            here = stay;
        }
        return y;
    }

    private static double[][] thresholds(Given given) {
        double[][] y = given.rows("x");
        int[] here = IntStream.range(0, y.length).toArray();
        for (int i = 0; i < given.size("L"); i++) {
            String path = "layers." + i;
            double[][][] p = new double[given.size("H")][][];
            double[][] h = attended(given, path, of(y, here), null, p);
            int[] stay = new int[0];
            for (int t = 0; t < h.length; t++) {
                y[here[t]] = plus(h[t], network(given, path, h[t]));
                double seen = 0;
                for (double[][] head : p) {
                    seen += h.length * head[0][t] / p.length;
                }
                given.work().came("gate0", t > 0 && seen < 1);
                if (t == 0 || seen >= 1) {
                    stay = Arrays.copyOf(stay, stay.length + 1);
                    stay[stay.length - 1] = here[t];
                }
            }
            here = stay;
        }
        return y;
    }

    /** Two images of one step keep so many tokens as each would alone, to the byte. */
    @Test
    void imagesOfABatchKeepTokensOfTheirOwn() throws Exception {
        Path program = TestModel.ROOT.resolve("examples/token_pruning/thresholds.weir");
        String small = TestModel.text(program).replace("D = 128, H = 4, C = 32, F = 256, L = 6",
                "D = 8, H = 2, C = 4, F = 6, L = 3");
        long[] rows = {9, 17};
        Tensor both = Tensor.zeros(Format.F32, new long[] {26, 8});
        Random random = new Random(4);
        for (long i = 0; i < both.elements(); i++) {
            both.setReal(i, random.nextGaussian());
        }
        try (TestModel model = TestModel.random(small, 2, Target.NATIVE, 2)) {
            Engine engine = model.engine();
            Tensor together = model.batch(
                    List.of(engine.start(), engine.start()), rows, List.of(both)).copy();
            List<Ledger.Gate> batch = engine.ledger().gates();
            List<List<Ledger.Gate>> alone = new ArrayList<>();
            long from = 0;
            for (long n : rows) {
                Tensor image = model.batch(List.of(engine.start()), new long[] {n},
                        List.of(both.rows(from, from + n)));
                assertEquals(image, together.rows(from, from + n), "the image at " + from);
                alone.add(engine.ledger().gates());
                from += n;
            }
            long first = came(alone.get(0)) - came(batch);
            long second = came(alone.get(1)) - came(alone.get(0));
            assertEquals(came(batch), first + second, "rows in a batch, and one by one");
            assertTrue(3 * 9 > first && first != second && second < 3 * 17,
                    "layers got " + first + " and " + second + " rows");
        }
    }

    /** How many tokens came to the gate behind each layer: rows that layers were computed for. */
    private static long came(List<Ledger.Gate> gates) {
        return gates.stream().filter(g -> g.path().equals("gate0"))
                .mapToLong(Ledger.Gate::all).sum();
    }

    private static double[][] of(double[][] rows, int[] places) {
        return Arrays.stream(places).mapToObj(t -> rows[t]).toArray(double[][]::new);
    }

    private static double[] sizes(double[] size, int[] places) {
        return Arrays.stream(places).mapToDouble(t -> size[t]).toArray();
    }

    /** The power iteration on one head's transposed attention. */
    private static double[] ranked(double[][] p) {
        double[] rank = new double[p.length];
        Arrays.fill(rank, 1.0 / p.length);
        for (int i = 0; i < ROUNDS; i++) {
            double[] next = new double[p.length];
            for (int u = 0; u < p.length; u++) {
                add(next, rank[u], p[u]);
            }
            rank = next;
        }
        return rank;
    }

    /**
     * The residual path behind attention.
     *
     * @param size for how many tokens each stands; null where each stands for itself
     * @param p gets each head's attention
     */
    private static double[][] attended(
            Given given, String path, double[][] x, double[] size, double[][][] p) {
        double[][] n = rmsNorm(given.vector(path + ".norm.scale"), x);
        double[][] y = Textbook.copy(x);
        String at = path + ".attention";
        for (int h = 0; h < p.length; h++) {
            p[h] = new double[x.length][];
            for (int t = 0; t < x.length; t++) {
                double[] query = times(given.cube(at + ".wq")[h], n[t]);
                double[] score = new double[x.length];
                for (int s = 0; s < x.length; s++) {
                    score[s] = dot(query, times(given.cube(at + ".wk")[h], n[s]))
                            / Math.sqrt(query.length) + (size == null ? 0 : Math.log(size[s]));
                }
                p[h][t] = softmax(score);
                double[] z = new double[query.length];
                for (int s = 0; s < x.length; s++) {
                    add(z, p[h][t][s], times(given.cube(at + ".wv")[h], n[s]));
                }
                for (int d = 0; d < y[t].length; d++) {
                    y[t][d] += dot(given.cube(at + ".wo")[d][h], z);
                }
            }
        }
        return y;
    }

    private static double[] network(Given given, String path, double[] x) {
        return swiGlu(given, path + ".net", rmsNorm(given.vector(path + ".net_norm.scale"), x));
    }
}
