package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.add;
import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.testkit.TestModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** D15: the weights of each layer are sums of templates that all layers share. */
class WeightTemplatesTest {
    @Test
    void isTheTextbooks() {
        Idea.example("weight_templates").sizes("D=5 F=3 K=3 L=2")
                .is(WeightTemplatesTest::textbook);
    }

    /** Stage-wise sharing: each stored layer is repeated. */
    @Test
    void stages() {
        Idea.example("weight_templates").file("stages.weir")
                .sizes("D=5 F=3 Stages=3 Repeat=4").form("unrolled", text -> text.replace("""
                                for i in 0..Repeat {
                                    y = stages[s](y)
                                }
                    """, """
                                y = stages[s](stages[s](stages[s](stages[s](y))))
                    """))
                .is(given -> {
                    double[][] y = Textbook.copy(given.rows("x"));
                    for (int s = 0; s < given.size("Stages"); s++) {
                        for (int i = 0; i < given.size("Repeat"); i++) {
                            layer(given, "stages." + s, y);
                        }
                    }
                    return y;
                });
    }

    /** A store serves networks of any depth: they ask for the same tensors. */
    @Test
    void networksOfManyDepthsAskForTheSameStore() {
        assertEquals(stored("stages.weir", Map.of("Repeat", "2")),
                stored("stages.weir", Map.of("Repeat", "9")));
        assertEquals(List.of("downs [2, 256, 512]", "ups [2, 512, 256]"),
                stored("idea.weir", Map.of("L", "24")).stream()
                        .filter(tensor -> tensor.contains("s [")).toList());
    }

    /** The first layers of one network, a linear map, the last layers of another. */
    @Test
    void stitched() {
        Idea.example("weight_templates").file("stitched.weir").small("E=6 Front=2")
                .sizes("D=5 E=3 L=2 Front=1")
                .is(given -> {
                    double[][] y = Textbook.copy(given.rows("x"));
                    int front = given.size("Front");
                    for (int i = 0; i < front; i++) {
                        layer(given, "narrow." + i, y);
                    }
                    for (int t = 0; t < y.length; t++) {
                        y[t] = times(given.matrix("stitch"), y[t]);
                    }
                    for (int i = front; i < given.size("L"); i++) {
                        layer(given, "wide." + i, y);
                    }
                    return y;
                });
    }

    /** The tensors that a program reads, with their shapes. */
    private static List<String> stored(String file, Map<String, String> settings) {
        Path path = TestModel.ROOT.resolve("examples/weight_templates").resolve(file);
        return Compiler.lower(new Source(file, TestModel.text(path)), TestModel.library(),
                new LowerOptions(Optional.empty(), Optional.empty(), Configuration.empty(),
                        settings, false)).parameters().stream()
                .map(p -> p.path() + " " + p.value().type().shape()).sorted().toList();
    }

    private static void layer(Given given, String layer, double[][] y) {
        for (double[] row : y) {
            double[] z = rmsNorm(given.vector(layer + ".norm.scale"), row);
            add(row, 1, times(given.matrix(layer + ".down"),
                    each(times(given.matrix(layer + ".up"), z), Textbook::gelu)));
        }
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            String layer = "layers." + i;
            double[][] up = mixed(given.vector(layer + ".mix_up"), given.cube("ups"));
            double[][] down = mixed(given.vector(layer + ".mix_down"), given.cube("downs"));
            for (double[] row : y) {
                double[] z = rmsNorm(given.vector(layer + ".norm.scale"), row);
                add(row, 1, times(down, each(times(up, z), Textbook::gelu)));
            }
        }
        return y;
    }

    private static double[][] mixed(double[] mix, double[][][] templates) {
        double[][] sum = new double[templates[0].length][templates[0][0].length];
        for (int k = 0; k < mix.length; k++) {
            for (int row = 0; row < sum.length; row++) {
                add(sum[row], mix[k], templates[k][row]);
            }
        }
        return sum;
    }
}
