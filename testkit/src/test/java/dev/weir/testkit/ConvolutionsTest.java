package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions of awkward sizes: gathered rows, weights turned towards the lanes. */
class ConvolutionsTest {
    private static final String PATCHES = """
            import stdlib.vision { OverlappingPatches }

            model M {
                net: OverlappingPatches<%1$d, %2$d, %3$d, %4$d, %5$d>
                forward(x[%6$d, %7$d, %1$d]) -> y[
                    (%6$d + 2 * %5$d - %3$d) / %4$d + 1, (%7$d + 2 * %5$d - %3$d) / %4$d + 1, %2$d
                ] = net(x)
            }
            """;
    private static final String DEPTHWISE = """
            import stdlib.vision { DepthwiseConvolution }

            model M {
                net: DepthwiseConvolution<%1$d, %2$d>
                forward(x[%3$d, %4$d, %1$d]) -> y[%3$d, %4$d, %1$d] = net(x)
            }
            """;

    /** Channels in and out, side, stride and border, height and width of the image. */
    @ParameterizedTest
    @CsvSource({
        "3, 5, 3, 1, 1, 7, 6", "16, 33, 3, 1, 1, 9, 5", "19, 64, 3, 2, 1, 8, 11",
        "35, 40, 1, 1, 0, 6, 6", "3, 32, 7, 2, 3, 13, 9", "64, 8, 5, 3, 2, 12, 12",
        "300, 4, 6, 1, 5, 3, 4", "3, 33, 7, 2, 3, 15, 23", "5, 17, 4, 3, 1, 11, 13"})
    void patches(int in, int out, int side, int stride, int border, int height, int width)
            throws Exception {
        agree(PATCHES.formatted(in, out, side, stride, border, height, width),
                height, width, in);
    }

    @ParameterizedTest
    @CsvSource({"5, 3, 4, 6", "16, 7, 5, 5", "37, 3, 9, 4", "96, 5, 3, 8", "37, 3, 7, 11", "16, 5, 9, 14",
        "530, 3, 4, 9", "48, 1, 3, 6"})
    void depthwise(int channels, int side, int height, int width) throws Exception {
        agree(DEPTHWISE.formatted(channels, side, height, width), height, width, channels);
    }

    /** Two images at once, as the interpreter says, and the same bytes from both generators. */
    private static void agree(String program, int height, int width, int channels)
            throws Exception {
        Tensor images = Tensor.zeros(Format.F32, 2, height, width, channels);
        Random random = new Random(1);
        for (long i = 0; i < images.elements(); i++) {
            images.setReal(i, random.nextGaussian());
        }
        try (TestModel oracle = TestModel.random(program, 3, Target.INTERPRETER, 1);
                TestModel jvm = TestModel.random(program, 3, Target.JVM, 2);
                TestModel nativeCode = TestModel.random(program, 3, Target.NATIVE, 2)) {
            Tensor compiled = run(nativeCode, images);
            FixtureTest.assertClose(program, run(oracle, images), compiled);
            assertEquals(compiled, run(jvm, images), program);
        }
    }

    private static Tensor run(TestModel model, Tensor images) {
        Engine engine = model.engine();
        return engine.step(List.of(engine.start(), engine.start()), new long[] {1, 1},
                List.of(images), Engine.Tracer.NONE).getFirst();
    }

    private static String forms(String program) throws Exception {
        try (TestModel model = TestModel.random(program, 3, Target.NATIVE, 1)) {
            return model.kernels().stories().stream().map(KernelProgram.Story::form)
                    .collect(Collectors.joining("; "));
        }
    }

    /** What stands behind a condition is decided once for a row, not for each of its panels. */
    @Test
    void rowsThatReachOverABorderAreGathered() throws Exception {
        assertTrue(forms(PATCHES.formatted(16, 64, 3, 1, 1, 8, 8)).contains("rows gathered"));
        assertFalse(forms("""
                import stdlib.vision { Patches }

                model M {
                    net: Patches<16, 64, 4>
                    forward(x[8, 8, 16]) -> y[2, 2, 64] = net(x)
                }
                """).contains("rows gathered"));
    }

    /** Neighbouring channels of the filters are neighbours in memory, made so at load. */
    @Test
    void filtersOfChannelsAreTurned() throws Exception {
        try (TestModel model = TestModel.random(
                DEPTHWISE.formatted(32, 3, 8, 8), 3, Target.NATIVE, 1)) {
            assertTrue(model.kernels().kernels().stream()
                    .anyMatch(k -> k.name().contains("turned")), "" + model.kernels().stories());
        }
    }

    /** Far from the border neighbours share what they read of filters, and nobody asks. */
    @Test
    void neighboursInsideOfTheImageGoTogether() throws Exception {
        try (TestModel model = TestModel.random(
                DEPTHWISE.formatted(32, 3, 8, 8), 3, Target.NATIVE, 1)) {
            assertTrue(model.kernels().kernels().stream()
                    .flatMap(k -> k.body().stream())
                    .anyMatch(s -> sumsWithoutQuestion(s) >= 8), "" + model.kernels().kernels());
        }
    }

    /** The most sums that a loop inside adds to without an `if`. */
    private static int sumsWithoutQuestion(Statement statement) {
        return switch (statement) {
            case Statement.For loop when loop.body().stream()
                    .allMatch(s -> s instanceof Statement.Assign) -> loop.body().size();
            case Statement.For loop -> most(loop.body());
            case Statement.If choice ->
                    Math.max(most(choice.then()), most(choice.otherwise()));
            default -> 0;
        };
    }

    private static int most(List<Statement> statements) {
        return statements.stream().mapToInt(ConvolutionsTest::sumsWithoutQuestion)
                .max().orElse(0);
    }

    /** A fallback that cannot be needed costs nothing: no row is gathered behind a condition. */
    @ParameterizedTest
    @CsvSource({"1, 1, 0, 0", "4, 4, 0, 0", "3, 2, 0, 0", "3, 1, 1, 1", "4, 4, 2, 1"})
    void rowsAreGatheredOnlyIfTheyMayLeaveTheImage(
            int side, int stride, int border, int gathered) throws Exception {
        try (TestModel model = TestModel.random(
                PATCHES.formatted(16, 32, side, stride, border, 12, 12), 1, Target.NATIVE, 1)) {
            assertEquals(gathered, model.kernels().stories().stream()
                    .filter(story -> story.form().contains("rows gathered")).count());
        }
    }
}
