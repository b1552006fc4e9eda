package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.among;
import static dev.weir.testkit.ideas.Textbook.largest;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.swiGlu;
import static dev.weir.testkit.ideas.Textbook.times;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** D13: of L layers those work that are equally far apart, as many as the scale asks for. */
class FlexibleDepthTest {
    /** At the first two scales all layers work, at the others two. */
    @Test
    void scalesAreTheTextbooks() {
        Idea.example("flexible_depth").sizes("K=4 D=5 H=1 C=4 F=3 V=5 L=3")
                .form("depths written out", s -> s.replace("""
                            for i in 0..L {
                                if (i + 1) * depth(k) / L > i * depth(k) / L { BODY }
                            }
                """.replace("BODY", "x = layers[i](x) using layer[i]"), """
                            if k < 2 {
                                for i in 0..L { x = layers[i](x) using layer[i] }
                            } else {
                                x = layers[(L + 1) / 2 - 1](x) using layer[(L + 1) / 2 - 1]
                                x = layers[L - 1](x) using layer[L - 1]
                            }
                """))
                .is(FlexibleDepthTest::scales);
    }

    /** The depth is an argument of the call. */
    @Test
    void whoCallsMayChoose() {
        Idea.example("flexible_depth").file("chosen.weir").ids(4).small("L=5").sizes("D=5 F=3 L=7")
                .is(FlexibleDepthTest::chosen);
    }

    private static double[][] scales(Given given) {
        int layers = given.size("L");
        int side = given.size("K") * (given.size("K") + 1) / 2;
        double[][] image = new double[side * side][];
        Arrays.setAll(image, pixel -> given.values("start").clone());
        List<List<double[]>> kept = new ArrayList<>();  // what each layer has seen so far
        for (int i = 0; i < layers; i++) {
            kept.add(new ArrayList<>());
        }
        for (int k = 0, scale = 1; k < given.size("K"); k++, scale += k + 1) {
            double[][] place = given.matrix("downs." + k + ".place");
            double[][] x = new double[scale * scale][];
            for (int n = 0; n < x.length; n++) {
                int i = n / scale * side / scale;
                int j = n % scale * side / scale;
                x[n] = plus(place[n], image[i * side + j]);
            }
            for (int i : worked(layers, k < 2 ? layers : 2)) {
                x = layer(given, "layers." + i, x, kept.get(i));
            }
            double[][] code = new double[x.length][];
            for (int n = 0; n < x.length; n++) {
                code[n] = given.matrix("codes")[largest(times(given.matrix("head"),
                        rmsNorm(given.vector("norm.scale"), x[n])))];
            }
            for (int pixel = 0; pixel < image.length; pixel++) {
                int i = pixel / side * scale / side;
                int j = pixel % side * scale / side;
                add(image[pixel], 1, code[i * scale + j]);
            }
        }
        return image;
    }

    private static double[][] layer(
            Given given, String path, double[][] x, List<double[]> kept) {
        double[][] normed = rmsNorm(given.vector(path + ".attention_norm.scale"), x);
        kept.addAll(List.of(normed));
        double[][] y = among(given, path, normed, kept.toArray(double[][]::new));
        for (int n = 0; n < y.length; n++) {
            add(y[n], 1, x[n]);
            add(y[n], 1, swiGlu(given, path + ".network",
                    rmsNorm(given.vector(path + ".norm.scale"), y[n])));
        }
        return y;
    }

    /** The last layer of each of {@code depth} parts of the stack. */
    private static int[] worked(int layers, int depth) {
        return IntStream.rangeClosed(1, depth).map(
                step -> (layers * step + depth - 1) / depth - 1).toArray();
    }

    private static double[][] chosen(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        int layers = given.size("L");
        int depth = given.ids("depth")[0];
        for (int i = 0; i < layers; i++) {
            int layer = i;
            given.work().came("if chosen.weir:13:13",
                    Arrays.stream(worked(layers, depth)).anyMatch(w -> w == layer));
        }
        for (int i : worked(layers, depth)) {
            for (double[] row : y) {
                double[] x = rmsNorm(given.vector("norms." + i + ".scale"), row);
                add(row, 1, swiGlu(given, "layers." + i, x));
            }
        }
        return y;
    }
}
