package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A15: a residual block of convolutions for one band of rows after the other. */
class BlockFusionTest {
    @TempDir
    private Path folder;

    @Test
    void bandsAreTheTextbooks() {
        Idea.example("block_fusion").sizes("I=3 J=4 D=2 E=5 B=3 L=1")
                .form("layer by layer", s -> inside(s, """
                        a[i in 0..I, j in 0..J, d] = sum[u in 0..3, v in 0..3] near[u, v, d]
                            * (x[i + u - 1, j + v - 1, d] or 0)
                        y = x + narrow @ relu(wide @ a)
                        """))
                .form("row by row in a scan", s -> inside(s, """
                        rows = 0
                        scan i {
                            a[j in 0..J, d] = sum[u in 0..3, v in 0..3] near[u, v, d]
                                * (x[i + u - 1, j + v - 1, d] or 0)
                            h[j, e] = relu(sum[d] wide[e, d] * a[j, d])
                            y[i, j, d] = x[i, j, d] + sum[e] narrow[d, e] * h[j, e]
                            rows = rows + 1
                        }
                        """))
                .is(BlockFusionTest::fused);
    }

    @Test
    void simpleNetIsTheTextbooks() {
        Idea.example("block_fusion").file("simple_net.weir").small("I=16 J=16 C=3 N=3")
                .sizes("I=16 J=32 C=2 N=2")
                .scaled(".w", 0.35).scaled("bias", 0.5)
                .is(BlockFusionTest::simpleNet);
    }

    @Test
    void theResidualNetworkBesideItIsTheTextbooks() {
        Idea.example("block_fusion").file("residual.weir").small("I=8 J=8 C=2 N=3")
                .sizes("I=8 J=16 C=1 N=2")
                .scaled(".w", 0.5).scaled("bias", 0.5)
                .is(BlockFusionTest::residual);
    }

    /** As wide as in their papers: 3 x 3 filters, those of one pixel, a bias for each filter. */
    @Test
    void networksHaveTheParametersOfTheirPapers() {
        Map<String, String> wide = Map.of("C", "64");
        assertEquals(9 * (3 * 64 + 64 * 128 + 4 * 128 * 128 + 128 * 256 + 3 * 256 * 256 + 256 * 512)
                + 512 * 2048 + 2048 * 256 + 256 * 10
                + 64 + 5 * 128 + 4 * 256 + 512 + 2048 + 256 + 10,
                parameters("simple_net.weir", wide));
        assertEquals(5.49e6, parameters("simple_net.weir", wide), 5e3);
        assertEquals(9 * (3 * 64 + 4 * 64 * 64 + 64 * 128 + 3 * 128 * 128 + 128 * 256
                + 3 * 256 * 256 + 256 * 512 + 3 * 512 * 512)
                + 64 * 128 + 128 * 256 + 256 * 512 + 512 * 10
                + 5 * 64 + 5 * 128 + 5 * 256 + 5 * 512 + 10, parameters("residual.weir", wide));
        assertEquals(11.17e6, parameters("residual.weir", wide), 5e3);
        // Filters of 7 x 7, the normalisation, the network and its scale, in four layers.
        assertEquals(4 * (49 * 64 + 64 + 2 * 64 + 2 * 64 * 256 + 256 + 64 + 64),
                parameters("conv_next.weir", Map.of()));
    }

    private static long parameters(String file, Map<String, String> sizes) {
        return Compiler.lower(new Source(file, TestModel.text(
                        TestModel.ROOT.resolve("examples/block_fusion").resolve(file))),
                        TestModel.library(), new LowerOptions(
                                Optional.empty(), Configuration.empty(), sizes, false))
                .parameters().stream()
                .mapToLong(p -> p.value().type().shape().stream()
                        .mapToLong(size -> size.constant().orElseThrow())
                        .reduce(1, (a, b) -> a * b))
                .sum();
    }

    @Test
    void prunedGroupsAreLeftOut() {
        Idea.example("block_fusion").file("sparse.weir").sizes("I=3 J=4 D=2 W=3 G=4 L=2")
                .is(BlockFusionTest::sparse);
    }

    /** The weights of a pruned group are not read. */
    @Test
    void prunedGroupsAreNotRead() throws Exception {
        long all = read(1, 1, 1);
        assertEquals(all - 4L * 2 * 2 * 3, read(1, -1, 1), "a group of 2 channels beside 3");
        assertEquals(all - 4L * 2 * 2 * 2 * 3, read(-1, -1, 1), "two of them");
    }

    /** Bytes of weights that a step reads. */
    private long read(double... kept) throws Exception {
        Map<String, Tensor> weights = new HashMap<>();
        weights.put("blocks.0.near", ones(3, 3, 3));
        Tensor gates = ones(3);
        for (int g = 0; g < kept.length; g++) {
            gates.setReal(g, kept[g]);
            weights.put("blocks.0.groups." + g + ".wide", ones(2, 3));
            weights.put("blocks.0.groups." + g + ".narrow", ones(3, 2));
        }
        weights.put("blocks.0.kept", gates);
        Files.writeString(folder.resolve("config.json"), "{}");
        SafeTensors.write(folder.resolve("model.safetensors"), weights);
        String text = TestModel.text(
                TestModel.ROOT.resolve("examples/block_fusion/sparse.weir")).replace(
                "I = 64, J = 64, D = 64, W = 32, G = 8, L = 4",
                "I = 4, J = 4, D = 3, W = 2, G = 3, L = 1");
        try (TestModel model = TestModel.of(text, folder, Target.NATIVE, 2, false)) {
            model.batch(List.of(model.engine().start()), new long[] {1},
                    List.of(ones(1, 4, 4, 3)));
            return model.engine().ledger().weightBytes();
        }
    }

    private static Tensor ones(long... shape) {
        Tensor tensor = Tensor.zeros(Format.F32, shape);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, 1);
        }
        return tensor;
    }

    /** Other statements for the block. */
    private static String inside(String text, String statements) {
        int from = text.indexOf("        y = x\n");
        return text.substring(0, from) + statements
                + text.substring(text.indexOf("    }\n}", from));
    }

    private static double[][] fused(Given given) {
        double[][] y = given.rows("x");
        for (int l = 0; l < given.size("L"); l++) {
            String path = "blocks." + l;
            y = block(given, path, y, a -> times(given.matrix(path + ".narrow"),
                    each(times(given.matrix(path + ".wide"), a), Textbook::relu)));
        }
        return y;
    }

    private static double[][] sparse(Given given) {
        double[][] y = given.rows("x");
        for (int l = 0; l < given.size("L"); l++) {
            String path = "blocks." + l;
            double[] kept = given.vector(path + ".kept");
            y = block(given, path, y, a -> {
                double[] sum = new double[a.length];
                for (int g = 0; g < kept.length; g++) {
                    if (kept[g] > 0) {
                        String group = path + ".groups." + g;
                        add(sum, 1, times(given.matrix(group + ".narrow"),
                                each(times(given.matrix(group + ".wide"), a), Textbook::relu)));
                    }
                }
                return sum;
            });
        }
        return y;
    }

    /** Thirteen convolutions; maps are channel by channel. */
    private static double[][] simpleNet(Given given) {
        double[][][] x = channels(given);
        x = convolved(given, "stem", x);
        x = convolved(given, "first.first", x);
        x = convolved(given, "first.others.0", x);
        x = halved(convolved(given, "first.last", x));
        x = convolved(given, "second.first", x);
        x = convolved(given, "second.others.0", x);
        x = halved(convolved(given, "second.last", x));
        x = convolved(given, "third.first", x);
        x = halved(convolved(given, "third.last", x));
        x = convolved(given, "wide", x);
        x = biased(given, "open", Textbook.pointwise(given.matrix("open.w"), x));
        x = halved(biased(given, "close", Textbook.pointwise(given.matrix("close.w"), x)));
        x = convolved(given, "last", x);
        double[] z = Arrays.stream(x).mapToDouble(channel -> Arrays.stream(channel)
                .flatMapToDouble(Arrays::stream).max().orElseThrow()).toArray();
        return new double[][] {
            Textbook.plus(times(given.matrix("head"), z), given.vector("bias"))};
    }

    /** The image channel by channel. */
    private static double[][][] channels(Given given) {
        double[][] pixels = given.rows("image");
        int width = given.size("J");
        double[][][] x = new double[3][pixels.length / width][width];
        for (int p = 0; p < pixels.length; p++) {
            for (int c = 0; c < 3; c++) {
                x[c][p / width][p % width] = pixels[p][c];
            }
        }
        return x;
    }

    /** Seventeen convolutions with residual paths, and a product. */
    private static double[][] residual(Given given) {
        double[][][] x = convolved(given, "stem", channels(given));
        x = basic(given, "basics.0", x);
        x = basic(given, "basics.1", x);
        for (String stage : List.of("second", "third", "fourth")) {
            String path = stage + ".halving";
            double[][][] beside = shifted(given, path,
                    Textbook.pointwise(given.matrix(path + ".w"), everySecond(x)));
            // Every second place of what filters give everywhere.
            x = together(beside, filtered(given, path + ".second",
                    everySecond(convolved(given, path + ".first", x))));
            x = basic(given, stage + ".basic", x);
        }
        double[] z = Arrays.stream(x).mapToDouble(channel -> Arrays.stream(channel)
                .flatMapToDouble(Arrays::stream).average().orElseThrow()).toArray();
        return new double[][] {
            Textbook.plus(times(given.matrix("head"), z), given.vector("bias"))};
    }

    private static double[][][] basic(Given given, String path, double[][][] x) {
        return together(x, filtered(given, path + ".second",
                convolved(given, path + ".first", x)));
    }

    /** relu(a + b). */
    private static double[][][] together(double[][][] a, double[][][] b) {
        double[][][] y = new double[a.length][a[0].length][];
        for (int c = 0; c < y.length; c++) {
            for (int i = 0; i < y[c].length; i++) {
                y[c][i] = each(Textbook.plus(a[c][i], b[c][i]), Textbook::relu);
            }
        }
        return y;
    }

    private static double[][][] everySecond(double[][][] x) {
        double[][][] y = new double[x.length][x[0].length / 2][x[0][0].length / 2];
        for (int c = 0; c < y.length; c++) {
            for (int i = 0; i < y[c].length; i++) {
                for (int j = 0; j < y[c][i].length; j++) {
                    y[c][i][j] = x[c][2 * i][2 * j];
                }
            }
        }
        return y;
    }

    /** Filters and their bias, without relu. */
    private static double[][][] filtered(Given given, String path, double[][][] x) {
        return shifted(given, path, Textbook.convolution(given.matrix(path + ".w"), x));
    }

    private static double[][][] convolved(Given given, String path, double[][][] x) {
        return biased(given, path, Textbook.convolution(given.matrix(path + ".w"), x));
    }

    private static double[][][] biased(Given given, String path, double[][][] x) {
        double[][][] y = shifted(given, path, x);
        return together(y, new double[y.length][y[0].length][y[0][0].length]);
    }

    private static double[][][] shifted(Given given, String path, double[][][] x) {
        double[] bias = given.vector(path + ".bias");
        double[][][] y = new double[x.length][x[0].length][];
        for (int e = 0; e < x.length; e++) {
            double shift = bias[e];
            for (int i = 0; i < x[e].length; i++) {
                y[e][i] = each(x[e][i], v -> v + shift);
            }
        }
        return y;
    }

    /** The largest of each four pixels. */
    private static double[][][] halved(double[][][] x) {
        double[][][] y = new double[x.length][x[0].length / 2][x[0][0].length / 2];
        for (int c = 0; c < y.length; c++) {
            for (int i = 0; i < y[c].length; i++) {
                for (int j = 0; j < y[c][i].length; j++) {
                    y[c][i][j] = Math.max(
                            Math.max(x[c][2 * i][2 * j], x[c][2 * i][2 * j + 1]),
                            Math.max(x[c][2 * i + 1][2 * j], x[c][2 * i + 1][2 * j + 1]));
                }
            }
        }
        return y;
    }

    /** A convolution for each channel, and behind it a network for each pixel. */
    private static double[][] block(
            Given given, String path, double[][] x, UnaryOperator<double[]> network) {
        int width = given.size("J");
        double[][] y = Textbook.copy(x);
        for (int pixel = 0; pixel < x.length; pixel++) {
            double[] a = new double[x[pixel].length];
            for (int u = -1; u <= 1; u++) {
                for (int v = -1; v <= 1; v++) {
                    int i = pixel / width + u;
                    int j = pixel % width + v;
                    if (i >= 0 && i < x.length / width && j >= 0 && j < width) {
                        add(a, 1, Textbook.product(given.cube(path + ".near")[u + 1][v + 1],
                                x[i * width + j]));
                    }
                }
            }
            add(y[pixel], 1, network.apply(a));
        }
        return y;
    }
}
