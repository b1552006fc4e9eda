package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Weights that are NaN or infinite run, with a warning that names and counts them. */
class NotFiniteWeightsTest {
    private static final String SUM = """
            model Sum<N = 8> {
                param w[N]
                forward(x[T]) -> y[T] {
                    y[t] = sum[n] w[n] * x[t]
                }
            }
            """;

    @TempDir
    private Path folder;

    private String run(String target, String program, Map<String, Tensor> weights)
            throws Exception {
        Files.writeString(folder.resolve("m.weir"), program);
        Files.writeString(folder.resolve("config.json"), "{}");
        SafeTensors.write(folder.resolve("model.safetensors"), weights);
        Path inputs = folder.resolve("inputs");
        SafeTensors.write(inputs, Map.of("x", Tensor.zeros(Format.F32, 2)));
        CommandTest.Outcome outcome = CommandTest.weir("run", folder.toString(),
                "--target", target, "--inputs", inputs.toString(),
                "--outputs", folder.resolve("outputs").toString());
        assertEquals(0, outcome.code(), outcome.err());
        return outcome.err();
    }

    private static Tensor tensor(Format format, int size) {
        Tensor tensor = Tensor.zeros(format, size);
        for (int i = 0; i < size; i++) {
            // The largest, the smallest and the most negative numbers are finite.
            tensor.setReal(i, switch (i % 3) {
                case 0 -> largest(format);
                case 1 -> -largest(format);
                default -> 1e-40;
            });
        }
        return tensor;
    }

    private static double largest(Format format) {
        return switch (format) {
            case F64 -> Double.MAX_VALUE;
            case F32 -> Float.MAX_VALUE;
            case BF16 -> 0x1.fep127;
            case F16 -> 65504;
            case F8E5M2 -> 57344;
            case F8E4M3 -> 448;
            default -> throw new IllegalArgumentException();
        };
    }

    /** Sizes around a machine word, and around the blocks in which tensors are looked at. */
    static Stream<Arguments> sizes() {
        return Stream.of(Format.values()).filter(Format::isFloat).flatMap(format ->
                Stream.of(1, 2, 7, 8, 9, 31, (1 << 18) / format.bytes() - 1,
                                (1 << 18) / format.bytes() + 3)
                        .map(size -> Arguments.of(format, size)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void everyPlaceIsLookedAt(Format format, int size) throws Exception {
        String program = SUM.replace("8", "" + size);
        Tensor weights = tensor(format, size);
        assertEquals("", run("interpreter", program, Map.of("w", weights)));
        weights.setReal(size - 1, Double.NaN);
        String text = run("interpreter", program, Map.of("w", weights));
        assertTrue(text.contains("w (w) has 1 NaN of " + size + " numbers"), text);
        if (size > 1 && format != Format.F8E4M3) {
            weights.setReal(0, Double.NEGATIVE_INFINITY);
            if (format == Format.F8E5M2) {
                // A conversion gives the largest number instead.
                weights.memory().set(ValueLayout.JAVA_BYTE, 0, (byte) 0xFC);
            }
            text = run("interpreter", program, Map.of("w", weights));
            assertTrue(text.contains("w (w) has 1 NaN and 1 infinite of "), text);
        }
    }

    @ParameterizedTest
    @CsvSource({"interpreter", "jvm", "native"})
    void eachTargetWarnsOnceAndGoesOn(String target) throws Exception {
        Tensor weights = tensor(Format.F32, 8);
        weights.setReal(3, Double.POSITIVE_INFINITY);
        String text = run(target, SUM, Map.of("w", weights));
        assertTrue(text.startsWith("warning: weights that are not finite make"), text);
        assertEquals(text.indexOf("w (w) has 1 infinite of 8 numbers"),
                text.lastIndexOf("w (w) has"), text);
    }

    /** Two entries read the table; it is one tensor. */
    @Test
    void whatSeveralEntriesReadIsNamedOnce() throws Exception {
        Tensor weights = tensor(Format.BF16, 8);
        weights.setReal(3, Double.NaN);
        String text = run("native", SUM.replace("    forward",
                "    other(x[T]) -> z[T] { z[t] = sum[n] w[n] + x[t] }\n    forward"),
                Map.of("w", weights));
        assertEquals(text.indexOf("w (w) has 1 NaN"), text.lastIndexOf("w (w) has"), text);
    }

    @Test
    void whatTheModelDoesNotReadIsNotLookedAt() throws Exception {
        Tensor extra = tensor(Format.F32, 8);
        extra.setReal(0, Double.NaN);
        Map<String, Tensor> weights = new LinkedHashMap<>();
        weights.put("w", tensor(Format.F32, 8));
        weights.put("extra", extra);
        String text = run("native", SUM, weights);
        assertTrue(!text.contains("finite") && text.contains("no use for 1"), text);
    }

    @Test
    void manyAreCounted() throws Exception {
        StringBuilder parameters = new StringBuilder();
        StringBuilder sum = new StringBuilder();
        Map<String, Tensor> weights = new LinkedHashMap<>();
        for (int i = 0; i < 12; i++) {
            parameters.append("    param w").append(i).append("[2]\n");
            sum.append(i == 0 ? "" : " + ").append("w").append(i).append("[0]");
            Tensor one = Tensor.zeros(Format.F32, 2);
            one.setReal(1, Double.NaN);
            weights.put("w" + i, one);
        }
        String text = run("interpreter", "model M {\n" + parameters
                + "    forward(x[T]) -> y[T] { y[t] = x[t] + " + sum + " }\n}\n", weights);
        assertTrue(text.contains("w9 (w9) has 1 NaN of 2 numbers\n  … and 2 more tensors"), text);
    }
}
