package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.dot;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.rope;
import static dev.weir.testkit.ideas.Textbook.scaled;
import static dev.weir.testkit.ideas.Textbook.sigmoid;
import static dev.weir.testkit.ideas.Textbook.softmax;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** D01: one layer at every depth, a low-rank relaxation for each, and tokens that leave. */
class RecursiveExitTest {
    @Test
    void isTheTextbooks() {
        Idea.example("recursive_exit").sizes("V=9 D=6 H=3 G=3 C=2 F=5 R=3 Depth=3")
                .form("unrolled", RecursiveExitTest::unrolled)
                .is(RecursiveExitTest::textbook);
    }

    /** The start from a full model: its layers' mean, and singular values cut off behind R. */
    @Test
    void relaxationsStartAsCutSingularValues() {
        Idea.example("recursive_exit").file("relax.weir").small("O=7 I=6 L=3 R=2 Rounds=400")
                .sizes("O=4 I=9 L=2 R=3 Rounds=400").is(RecursiveExitTest::relaxed);
    }

    private static double[][] relaxed(Given given) {
        double[][][] weight = new double[given.size("L")][given.size("O")][];
        for (int l = 0, at = 0; l < weight.length; l++) {
            for (int o = 0; o < weight[l].length; o++, at += given.size("I")) {
                weight[l][o] = part(given.values("weight"), at, at + given.size("I"));
            }
        }
        double[][] mean = new double[weight[0].length][weight[0][0].length];
        for (double[][] layer : weight) {
            for (int o = 0; o < mean.length; o++) {
                add(mean[o], 1.0 / weight.length, layer[o]);
            }
        }
        List<double[]> rows = new ArrayList<>();
        for (double[][] layer : weight) {
            double[][] rest = Textbook.copy(layer);
            for (int o = 0; o < rest.length; o++) {
                add(rest[o], -1, mean[o]);
            }
            // Best of rank R: projected on the eigenvectors of A' A with the largest eigenvalues.
            double[][] vectors = eigenvectors(rest);
            for (int o = 0; o < rest.length; o++) {
                double[] row = mean[o].clone();
                for (int r = 0; r < given.size("R"); r++) {
                    add(row, dot(rest[o], vectors[r]), vectors[r]);
                }
                rows.add(row);
            }
        }
        return rows.toArray(double[][]::new);
    }

    /** The eigenvectors of A' A by Jacobi's rotations, largest eigenvalues first. */
    private static double[][] eigenvectors(double[][] a) {
        int n = a[0].length;
        double[][] square = new double[n][n];
        double[][] vectors = new double[n][n];
        for (int i = 0; i < n; i++) {
            vectors[i][i] = 1;
            for (int j = 0; j < n; j++) {
                for (double[] row : a) {
                    square[i][j] += row[i] * row[j];
                }
            }
        }
        for (int sweep = 0; sweep < 50; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    double angle = Math.atan2(2 * square[p][q], square[q][q] - square[p][p]) / 2;
                    rotate(square, p, q, angle);
                    transpose(square);
                    rotate(square, p, q, angle);
                    transpose(square);
                    rotate(vectors, p, q, angle);
                }
            }
        }
        Integer[] order = new Integer[n];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingDouble(i -> -square[i][i]));
        return Arrays.stream(order).map(i -> vectors[i]).toArray(double[][]::new);
    }

    private static void rotate(double[][] rows, int p, int q, double angle) {
        for (int k = 0; k < rows[p].length; k++) {
            double x = rows[p][k];
            double y = rows[q][k];
            rows[p][k] = Math.cos(angle) * x - Math.sin(angle) * y;
            rows[q][k] = Math.sin(angle) * x + Math.cos(angle) * y;
        }
    }

    private static void transpose(double[][] square) {
        for (int i = 0; i < square.length; i++) {
            for (int j = 0; j < i; j++) {
                double kept = square[i][j];
                square[i][j] = square[j][i];
                square[j][i] = kept;
            }
        }
    }

    /** Three depths, each inside the gate of the one before. */
    private static String unrolled(String text) {
        int from = text.indexOf("        for i in 0..Depth {");
        int to = text.indexOf("        logits =");
        String round = text.substring(text.indexOf("            z = attention_norm(x)"),
                text.indexOf("            if sigmoid"));
        String stay = "if not (sigmoid(norm(x) @ halt) > sure) {\n";
        return text.substring(0, from) + round.replace("[i]", "[0]") + stay
                + round.replace("[i]", "[1]") + stay + round.replace("[i]", "[2]") + "}}\n"
                + text.substring(to);
    }

    /** A round of the shared layer for tokens that are each at a depth of their own. */
    @Test
    void roundsAreTheTextbooks() {
        Idea.example("recursive_exit").file("rounds.weir").small("Depth=16 R=2")
                .sizes("D=6 H=3 G=3 C=2 F=5 R=3 Depth=16")
                .written(RecursiveExitTest::leaversTurned)
                .is(RecursiveExitTest::round);
    }

    /**
     * Tokens of two sequences at unlike depths share one step: as many kernels run as for tokens at
     * one depth, and all that is read besides are the other depth's relaxations.
     */
    @Test
    void tokensAtUnlikeDepthsAreComputedTogether() throws Exception {
        String program = TestModel.text(
                TestModel.ROOT.resolve("examples/recursive_exit/rounds.weir")).replace(
                "D = 256, H = 4, G = 2, C = 64, F = 768, R = 8",
                "D = 8, H = 2, G = 1, C = 4, F = 6, R = 2");
        Tensor x = Tensor.zeros(Format.F32, new long[] {2, 8});
        for (long i = 0; i < x.elements(); i++) {
            x.setReal(i, Math.sin(1 + i));
        }
        try (TestModel model = TestModel.random(program, 2, Target.NATIVE, 2)) {
            long[] alone = round(model, x.rows(0, 1), 3);
            long[] alike = round(model, x, 3, 3);
            long[] unlike = round(model, x, 3, 5);
            assertEquals(alone[1], alike[1], "weights of one token, and of two at one depth");
            assertEquals(alike[0], unlike[0], "kernels that ran");
            int relaxed = 2 * (4 * 8 + 8 + 4 + 4 + 8 + 3 * (8 + 6));
            assertEquals(4L * relaxed, unlike[1] - alike[1], "bytes of a depth's relaxations");
            Tensor together = step(model, x, 3, 5);
            assertEquals(step(model, x.rows(0, 1), 3), together.rows(0, 1));
        }
    }

    /** The first result is compared: who leaves shows in its sign. */
    private static String leaversTurned(String text) {
        String leaves = "leaves = sigmoid(norm(y) @ halt) > sure\n";
        return text.replace(leaves,
                leaves + "y[t, d] = if leaves[t] { -y[t, d] } else { y[t, d] }\n");
    }

    /** Kernels that ran, and bytes of weights that they read, for a token of each sequence. */
    private static long[] round(TestModel model, Tensor x, long... depths) {
        long launches = model.engine().ledger().launches();
        long bytes = model.engine().ledger().weightBytes();
        step(model, x, depths);
        return new long[] {model.engine().ledger().launches() - launches,
                model.engine().ledger().weightBytes() - bytes};
    }

    private static Tensor step(TestModel model, Tensor x, long... depths) {
        Tensor depth = Tensor.zeros(Format.I64, new long[] {depths.length});
        Tensor place = Tensor.zeros(Format.I64, new long[] {depths.length});
        List<Engine.Session> sessions = new ArrayList<>();
        long[] rows = new long[depths.length];
        for (int t = 0; t < depths.length; t++) {
            depth.setWhole(t, depths[t]);
            place.setWhole(t, 4 + t);
            sessions.add(model.engine().start());
            rows[t] = 1;
        }
        return model.engine().step("forward", sessions, rows,
                List.of(x, depth, place, Engine.positions("forward", sessions, rows)),
                Engine.Tracer.NONE).getFirst().copy();
    }

    private static double[][] round(Given given) {
        double[][] x = given.rows("x");
        int[] depth = given.ids("depth");
        int[] place = given.ids("place");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            List<Integer> seen = new ArrayList<>();
            for (int s = 0; s <= t; s++) {
                if (depth[s] == depth[t] && place[s] <= place[t]) {
                    seen.add(s);
                }
            }
            String relax = ".relax." + depth[t];
            y[t] = layer(given, x, place, seen, (matrix, row) -> plus(
                    times(given.matrix(matrix + ".w"), row),
                    relaxed(given, matrix + relax, row)));
            if (given.work().isAbove("sure", sigmoid(
                    dot(normed(given, "norm", y[t]), given.vector("halt"))), 0.5)) {
                y[t] = scaled(-1, y[t]);
            }
            given.work().served("query.relax", depth[t], given.size("Depth") + 1);
        }
        return y;
    }

    private static double[][] textbook(Given given) {
        int[] ids = given.ids("input_ids");
        double[][] x = new double[ids.length][];
        List<Integer> here = new ArrayList<>();
        for (int t = 0; t < ids.length; t++) {
            x[t] = given.matrix("table")[ids[t]].clone();
            here.add(t);
        }
        int[] places = IntStream.range(0, x.length).toArray();
        for (int i = 0; i < given.size("Depth"); i++) {
            double[][] before = Textbook.copy(x);
            List<Integer> stay = new ArrayList<>();
            String depth = "." + i;
            for (int t : here) {
                List<Integer> seen = here.stream().filter(s -> s <= t).toList();
                x[t] = layer(given, before, places, seen, (matrix, row) -> plus(
                        times(given.matrix(matrix), row),
                        relaxed(given, "relax_" + matrix + depth, row)));
                double[] normed = rmsNorm(given.vector("norm.scale"), x[t]);
                boolean leaves = given.work().isAbove(
                        "sure", sigmoid(dot(normed, given.vector("halt"))), 0.5);
                given.work().came("gate0", leaves);
                if (!leaves) {
                    stay.add(t);
                }
            }
            here = stay;
        }
        double[][] logits = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            logits[t] = times(given.matrix("table"), rmsNorm(given.vector("norm.scale"), x[t]));
        }
        return logits;
    }

    private static double[] relaxed(Given given, String path, double[] x) {
        return times(given.matrix(path + ".up"), times(given.matrix(path + ".down"), x));
    }

    /**
     * The layer for the last of the rows that it may see.
     *
     * @param product what a matrix of this name, relaxed, makes of a row
     */
    private static double[] layer(Given given, double[][] x, int[] places,
            List<Integer> seen, BiFunction<String, double[], double[]> product) {
        int t = seen.getLast();
        int heads = given.size("H");
        int width = given.size("C");
        double[] q = product.apply("query", normed(given, "attention_norm", x[t]));
        double[] read = new double[heads * width];
        for (int h = 0; h < heads; h++) {
            double[] query = rope(part(q, h * width, (h + 1) * width), places[t]);
            int g = h / (heads / given.size("G"));
            double[] score = new double[seen.size()];
            for (int s = 0; s < score.length; s++) {
                double[] k = product.apply("key", normed(given, "attention_norm", x[seen.get(s)]));
                score[s] = dot(query, rope(part(k, g * width, (g + 1) * width),
                        places[seen.get(s)])) / Math.sqrt(width);
            }
            double[] p = softmax(score);
            for (int s = 0; s < score.length; s++) {
                double[] v = product.apply(
                        "value", normed(given, "attention_norm", x[seen.get(s)]));
                for (int c = 0; c < width; c++) {
                    read[h * width + c] += p[s] * v[g * width + c];
                }
            }
        }
        double[] hidden = plus(x[t], product.apply("output", read));
        double[] n = normed(given, "network_norm", hidden);
        double[] wide = Textbook.product(
                each(product.apply("gate", n), Textbook::silu), product.apply("up", n));
        return plus(hidden, product.apply("down", wide));
    }

    private static double[] normed(Given given, String path, double[] x) {
        return rmsNorm(given.vector(path + ".scale"), x);
    }
}
