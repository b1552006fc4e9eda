package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.part;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.silu;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.TestModel.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** D14: the first layers, in the first channels and hidden units of each. */
class SlimmablePrefixesTest {
    @TempDir
    private Path folder;

    @Test
    void isTheTextbooks() {
        Idea.example("slimmable_prefixes").sizes("D=6 F=5 L=2 W=6 G=2 Depth=1")
                .is(SlimmablePrefixesTest::textbook);
    }

    /** Depth and width are arguments of the call, counted in layers and in groups. */
    @Test
    void whoCallsMayChoose() {
        Idea.example("slimmable_prefixes").file("chosen.weir").small("D=6 F=9 L=3 N=3")
                .sizes("D=9 F=3 L=3 N=3").seed(1)
                .form("unrolled", s -> s.replace("""
                        for l in 0..L {
                            if l < depth { y = y + layers[l](y, width, hidden) }
                        }
                """, """
                        if depth > 0 { y = y + layers[0](y, width, hidden) }
                        if depth > 1 { y = y + layers[1](y, width, hidden) }
                        if depth > 2 { y = y + layers[2](y, width, hidden) }
                """))
                .is(SlimmablePrefixesTest::chosen);
    }

    /**
     * One set of weights serves prefixes chosen one after the other: each gives what the model
     * compiled for it gives, and reads the weights of its own layers and groups.
     */
    @Test
    void eachChoiceIsThePrefixCompiledForIt() throws Exception {
        Random random = new Random(6);
        Map<String, Tensor> weights = new HashMap<>();
        for (int l = 0; l < 3; l++) {
            for (String name : List.of("gate", "up", "down", "scale")) {
                long[] shape = switch (name) {
                    case "scale" -> new long[] {6};
                    case "down" -> new long[] {6, 8};
                    default -> new long[] {8, 6};
                };
                weights.put("layers." + l + "." + name, random(random, shape));
            }
        }
        Files.writeString(folder.resolve("config.json"), "{}");
        SafeTensors.write(folder.resolve("model.safetensors"), weights);
        Tensor x = random(random, 5, 6);
        Tensor groups = Tensor.zeros(Format.F32, new long[] {5, 2, 3});
        for (long i = 0; i < x.elements(); i++) {
            groups.setReal(i, x.real(i));
        }
        long before = 0;
        try (TestModel all = TestModel.of(text("chosen.weir").replace(
                "D = 256, F = 1024, L = 8, N = 4", "D = 6, F = 8, L = 3, N = 2"), folder,
                Target.NATIVE, 2, false)) {
            for (int[] choice : new int[][] {{3, 2, 2}, {2, 1, 2}, {3, 2, 1}, {1, 1, 1}}) {
                int width = 3 * choice[1];
                int hidden = 4 * choice[2];
                Tensor part = step(all, groups, choice);
                try (TestModel one = TestModel.of(text("idea.weir").replace(
                        "D = 256, F = 1024, L = 8, W = D, G = F, Depth = L", "D = 6, F = 8, L = 3"
                        + ", W = " + width + ", G = " + hidden + ", Depth = " + choice[0])
                        .replaceAll("(?s)model Prefix.*", ""), folder, Target.NATIVE, 2, false)) {
                    Tensor prefix = step(one, x);
                    for (int t = 0; t < 5; t++) {
                        for (int d = 0; d < 6; d++) {
                            assertEquals(d < width ? prefix.real(t * width + d) : 0,
                                    part.real(6 * t + d), 1e-5, Arrays.toString(choice));
                        }
                    }
                }
                long read = all.engine().ledger().weightBytes();
                // Three matrices and a scale for each layer, of four bytes a number.
                assertEquals(4L * choice[0] * (3 * width * hidden + 6), read - before,
                        Arrays.toString(choice));
                before = read;
            }
        }
    }

    private static String text(String file) {
        return TestModel.text(
                TestModel.ROOT.resolve("examples/slimmable_prefixes").resolve(file));
    }

    private static Tensor random(Random random, long... shape) {
        Tensor tensor = Tensor.zeros(Format.F32, shape);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setReal(i, random.nextGaussian());
        }
        return tensor;
    }

    private static Tensor step(TestModel model, Tensor x, int... choice) {
        List<Tensor> arguments = new ArrayList<>(List.of(x));
        for (int number : choice) {
            Tensor one = Tensor.zeros(Format.I64, new long[] {1});
            one.setWhole(0, number);
            arguments.add(one);
        }
        return model.batch(List.of(model.engine().start()), new long[] {5}, arguments).copy();
    }

    /** The layers' matrices put together of their tiles, and of these the first parts. */
    private static double[][] chosen(Given given) {
        double[][] x = given.rows("x");
        int groups = given.size("N");
        int w = given.size("D") / groups;
        int h = given.size("F") / groups;
        int width = w * given.ids("width")[0];
        int hidden = h * given.ids("hidden")[0];
        double[][] y = new double[x.length / groups][w * groups];
        for (int t = 0; t < y.length; t++) {
            for (int d = 0; d < width; d++) {
                y[t][d] = x[t * groups + d / w][d % w];
            }
            for (int l = 0; l < given.ids("depth")[0]; l++) {
                String layer = "layers." + l;
                double[] scale = given.vector(layer + ".scale");
                double[] normed = rmsNorm(part(scale, 0, width), part(y[t], 0, width));
                for (int g = 0; g < hidden; g++) {
                    double gate = 0;
                    double up = 0;
                    for (int d = 0; d < width; d++) {
                        String tile = layer + ".tiles." + (g / h * groups + d / w);
                        gate += given.matrix(tile + ".gate")[g % h][d % w] * normed[d];
                        up += given.matrix(tile + ".up")[g % h][d % w] * normed[d];
                    }
                    for (int d = 0; d < width; d++) {
                        String tile = layer + ".tiles." + (g / h * groups + d / w);
                        y[t][d] += given.matrix(tile + ".down")[d % w][g % h] * silu(gate) * up;
                    }
                }
            }
        }
        return y;
    }

    private static double[][] textbook(Given given) {
        double[][] x = given.rows("x");
        int width = given.size("W");
        double[][] y = new double[x.length][];
        for (int t = 0; t < x.length; t++) {
            y[t] = part(x[t], 0, width);
            for (int i = 0; i < given.size("Depth"); i++) {
                String layer = "layers." + i;
                double[] normed = rmsNorm(part(given.vector(layer + ".scale"), 0, width), y[t]);
                double[] step = new double[width];
                for (int g = 0; g < given.size("G"); g++) {
                    double gate = 0;
                    double up = 0;
                    for (int w = 0; w < width; w++) {
                        gate += given.matrix(layer + ".gate")[g][w] * normed[w];
                        up += given.matrix(layer + ".up")[g][w] * normed[w];
                    }
                    for (int w = 0; w < width; w++) {
                        step[w] += given.matrix(layer + ".down")[w][g] * silu(gate) * up;
                    }
                }
                add(y[t], 1, step);
            }
        }
        return y;
    }
}
