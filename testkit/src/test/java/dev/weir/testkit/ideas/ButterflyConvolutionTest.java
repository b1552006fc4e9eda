package dev.weir.testkit.ideas;

import static dev.weir.testkit.ideas.Textbook.each;
import static dev.weir.testkit.ideas.Textbook.plus;
import static dev.weir.testkit.ideas.Textbook.rmsNorm;
import static dev.weir.testkit.ideas.Textbook.times;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.testkit.TestModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A11: transforms by butterflies give what a sum over all tokens before gives. */
class ButterflyConvolutionTest {
    @Test
    void isTheTextbooks() {
        Idea.example("butterfly_convolution").sizes("N=4 D=3 S=3 L=1").takesWholeSequences()
                .form("direct", s -> s.replace(
                        "z = butterflies.back(re, im)",
                        "z[n in 0..N, d] = sum[u in 0..n + 1] squashed[n - u, d] * x[u, d]"))
                .form("transforms by full matrices", s -> s
                        .replace("x_re, x_im = butterflies(long_x, none_yet)", """
                                turn[f in 0..2 * N, m in 0..2 * N] = 3.141592653589793 * (f * m) / N
                                x_re[f, d] = sum[m] cos(turn[f, m]) * long_x[m, d]
                                x_im[f, d] = -(sum[m] sin(turn[f, m]) * long_x[m, d])
                                """)
                        .replace("k_re, k_im = butterflies(long_kernel, none_yet)", """
                                k_re[f, d] = sum[m] cos(turn[f, m]) * long_kernel[m, d]
                                k_im[f, d] = -(sum[m] sin(turn[f, m]) * long_kernel[m, d])
                                """)
                        .replace("z = butterflies.back(re, im)", """
                                z[m in 0..2 * N, d] = mean[f]
                                    (cos(turn[f, m]) * re[f, d] - sin(turn[f, m]) * im[f, d])
                                """))
                .is(ButterflyConvolutionTest::textbook);
    }

    /**
     * Twice as many tokens make 2 · 11 / 10 times the butterflies of 512, and four times the pairs;
     * the maps behind the convolutions are linear in both.
     */
    @Test
    void workGrowsAsTheSequenceByItsDoublings() {
        double maps = 2 * 1024 * 64 * (2 * 64 + 8);
        double before = operations("idea.weir", Map.of("N", "512", "S", "10"));
        double after = operations("idea.weir", Map.of("N", "1024", "S", "11"));
        assertEquals(2.0 * 11 / 10, (after - maps) / (before - maps / 2), 0.02);
        double pairs = operations("baseline.weir", Map.of("N", "1024"));
        double half = operations("baseline.weir", Map.of("N", "512"));
        assertEquals(4, (pairs - maps) / (half - maps / 2), 0.1);
    }

    private static double operations(String file, Map<String, String> sizes) {
        List<TensorProgram> entries = Compiler.entries(new Source(file, TestModel.text(
                TestModel.ROOT.resolve("examples/butterfly_convolution").resolve(file))),
                TestModel.library(),
                new LowerOptions(Optional.empty(), Configuration.empty(), sizes, false));
        return CostOf.program(Compiler.schedule(Compiler.optimise(entries.getFirst()),
                        TargetDescription.AVX512), new Question(1, List.of(), 1, Map.of()),
                Optional.empty()).total().operations();
    }

    private static double[][] textbook(Given given) {
        double[][] y = Textbook.copy(given.rows("x"));
        for (int i = 0; i < given.size("L"); i++) {
            double[][] z = direct(given, "convolutions." + i,
                    rmsNorm(given.vector("norms." + i + ".scale"), y));
            for (int n = 0; n < y.length; n++) {
                double[] mixed = times(given.matrix("maps." + i + ".w"),
                        each(z[n], Textbook::gelu));
                y[n] = plus(y[n], plus(mixed, given.vector("maps." + i + ".bias")));
            }
        }
        return y;
    }

    private static double[][] direct(Given given, String path, double[][] x) {
        double[][] kernel = given.matrix(path + ".kernel");
        double[][] y = new double[x.length][x[0].length];
        for (int n = 0; n < x.length; n++) {
            for (int d = 0; d < x[n].length; d++) {
                y[n][d] = given.vector(path + ".skip")[d] * x[n][d];
                for (int u = 0; u <= n; u++) {
                    double k = kernel[n - u][d];
                    y[n][d] += Math.signum(k) * Math.max(Math.abs(k) - 0.05, 0) * x[u][d];
                }
            }
        }
        return y;
    }
}
