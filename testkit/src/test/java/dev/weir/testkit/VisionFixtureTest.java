package dev.weir.testkit;

import static dev.weir.testkit.FixtureTest.assertClose;
import static dev.weir.testkit.FixtureTest.golden;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.testkit.TestModel.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Stock checkpoints of models that classify images, from pixels, against golden numbers of an
 * independent implementation.
 */
class VisionFixtureTest {
    static Stream<Arguments> cases() {
        return Stream.of("vit", "convnext", "poolformer").flatMap(f ->
                Arrays.stream(Target.values()).map(t -> Arguments.of(f, t)));
    }

    /** The fixtures' images have 32 by 32 pixels; not every configuration says so. */
    private static TestModel open(String fixture, Target target, int threads, boolean trace) {
        return TestModel.stock(TestModel.fixture(fixture), fixture, Map.of("S", "32"), target,
                threads, trace);
    }

    /** One image after the other, each a sequence of one row. */
    private static Tensor step(TestModel model, Tensor pixels, int images) {
        List<Engine.Session> sessions = new ArrayList<>();
        for (int i = 0; i < images; i++) {
            sessions.add(model.engine().start());
        }
        long[] ones = new long[images];
        Arrays.fill(ones, 1);
        return model.batch(sessions, ones, List.of(pixels)).copy();
    }

    /** The same with the axis of channels, the second, behind all others. */
    private static Tensor channelsLast(Tensor tensor) {
        long[] shape = tensor.shape();
        if (shape.length != 4) {
            return tensor;
        }
        Tensor turned = Tensor.zeros(tensor.format(),
                new long[] {shape[0], shape[2], shape[3], shape[1]});
        long pixels = shape[2] * shape[3];
        for (long i = 0; i < tensor.elements(); i++) {
            long pixel = i % pixels;
            long channel = i / pixels % shape[1];
            long image = i / pixels / shape[1];
            turned.setReal((image * pixels + pixel) * shape[1] + channel, tensor.real(i));
        }
        return turned;
    }

    /** What the golden numbers are about, in its order: layers, or stages of them. */
    private static List<Tensor> hidden(TestModel model, String fixture) {
        String path = switch (fixture) {
            case "vit" -> "layers\\.\\d+";
            case "convnext" -> "stages\\.\\d+";
            default -> "stages\\.\\d+\\.layers\\.\\d+";
        };
        return model.traced().entrySet().stream().filter(e -> e.getKey().matches(path))
                .map(Map.Entry::getValue).toList();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void logitsAndHiddenStatesAreGolden(String fixture, Target target) throws Exception {
        Map<String, Tensor> golden = golden(fixture);
        Tensor pixels = golden.get("pixel_values");
        try (TestModel model = open(fixture, target, 2, true)) {
            assertClose("logits", golden.get("logits"), step(model, pixels, 2));
            List<Tensor> hidden = hidden(model, fixture);
            assertEquals(golden.keySet().stream().filter(k -> k.startsWith("hidden.")).count(),
                    hidden.size());
            for (int i = 0; i < hidden.size(); i++) {
                assertClose("hidden." + i, channelsLast(golden.get("hidden." + i)),
                        hidden.get(i));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bytesDependNeitherOnCompanionsNorThreads(String fixture, Target target)
            throws Exception {
        Tensor pixels = golden(fixture).get("pixel_values");
        Tensor both;
        try (TestModel model = open(fixture, target, 2, false)) {
            both = step(model, pixels, 2);
        }
        try (TestModel model = open(fixture, target, 1, false)) {
            for (int i = 0; i < 2; i++) {
                assertEquals(both.rows(i, i + 1), step(model, pixels.rows(i, i + 1), 1),
                        "image " + i);
            }
        }
    }
}
