package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.cli.Weir;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Checkpoint folders that are broken, lie, or mean harm: a message, exit code 1, no stack trace. */
class HostileFilesTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(TestModel.fixture("llama").resolve(name), folder.resolve(name));
        }
    }

    private String run(String... more) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        String[] arguments = Stream.concat(
                Stream.of("run", folder.toString(), "--prompt-ids", "5,17", "-n", "2"),
                Arrays.stream(more)).toArray(String[]::new);
        int code = Weir.run(
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), arguments);
        String text = err.toString(StandardCharsets.UTF_8);
        assertFalse(text.contains("\tat ") || text.contains("internal error"), text);
        // A model with fewer layers than are stored is sound, and says what it leaves out.
        assertEquals(text.startsWith("warning: the model has no use for ") ? 0 : 1, code, text);
        return text;
    }

    private static byte[] file(long claimed, String header, int data) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN)
                .putLong(claimed == -1 ? text.length : claimed).put(text).array();
    }

    static Stream<Arguments> headers() {
        String good = "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}";
        return Stream.of(
                Arguments.of("empty", new byte[0], "header length"),
                Arguments.of("five bytes", new byte[5], "header length"),
                Arguments.of("no header", file(0, "", 0), "header"),
                Arguments.of("gigantic header", file(1L << 60, good, 8), "header claims"),
                Arguments.of("negative header", file(Long.MIN_VALUE, good, 8), "header claims"),
                Arguments.of("not JSON", file(-1, "{\"a\":", 8), "JSON"),
                Arguments.of("a list", file(-1, "[1,2]", 8), "JSON object"),
                Arguments.of("deeply nested",
                        file(-1, "{\"a\":".repeat(5000) + "1" + "}".repeat(5000), 8), "JSON"),
                Arguments.of("twice the same name", file(-1,
                        good.replace("}}", "},") + good.substring(1), 8), "JSON"),
                Arguments.of("truncated", file(-1, good, 4), "stands at bytes"),
                Arguments.of("overlapping", file(-1,
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
                                + "\"data_offsets\":[4,12]}}", 12), "overlap"),
                Arguments.of("lying shape",
                        file(-1, good.replace("[2]", "[3]"), 8), "shape takes 12"),
                Arguments.of("negative size",
                        file(-1, good.replace("[2]", "[-2]"), 8), "size -2"),
                Arguments.of("size beyond 64 bits",
                        file(-1, good.replace("[2]", "[99999999999999999999]"), 8), "size"),
                Arguments.of("product beyond 64 bits", file(-1,
                        good.replace("[2]", "[4294967296,4294967296]"), 8), "more elements"),
                Arguments.of("negative offset",
                        file(-1, good.replace("[0,8]", "[-8,0]"), 8), "stands at bytes"),
                Arguments.of("offsets the wrong way round",
                        file(-1, good.replace("[0,8]", "[8,0]"), 8), "stands at bytes"),
                Arguments.of("unknown format",
                        file(-1, good.replace("F32", "F7"), 8), "unknown dtype"),
                Arguments.of("no shape",
                        file(-1, "{\"a\":{\"dtype\":\"F32\"}}", 8), "lacks"),
                Arguments.of("sound, but another model's", file(-1, good, 8), "missing: "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("headers")
    void brokenWeightsAreNamed(String name, byte[] bytes, String message) throws IOException {
        Files.write(folder.resolve("model.safetensors"), bytes);
        String text = run();
        assertTrue(text.contains(message), text);
    }

    @Test
    void everyMissingAndMisshapenTensorIsListedByBothNames() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replaceFirst("\"intermediate_size\": \\d+", "\"intermediate_size\": 99")
                .replaceFirst("\"num_hidden_layers\": \\d+", "\"num_hidden_layers\": 9"));
        String text = run();
        assertTrue(text.contains("missing: model.layers.8.mlp.up_proj.weight (layers.8.mlp.up)"),
                text);
        assertTrue(text.contains("model.layers.0.mlp.up_proj.weight (layers.0.mlp.up) has"
                + " the shape"), text);
    }

    static Stream<Arguments> configurations() {
        return Stream.of(
                Arguments.of("", "model_type"),
                Arguments.of("[]", "model_type"),
                Arguments.of("{\"model_type\": \"../../etc\"}", "model_type"),
                Arguments.of("{\"model_type\": \"nosuch\"}", "has no program"),
                Arguments.of("{\"model_type\": 7}", "no program"),
                Arguments.of("{\"model_type\": \"llama\"}", "E0702"),
                Arguments.of("{".repeat(100_000), "JSON"),
                Arguments.of("\uFEFF{\"model_type\": \"llama\"", "JSON"));
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void brokenConfigurationsAreNamed(String text, String message) throws IOException {
        Files.writeString(folder.resolve("config.json"), text);
        String found = run();
        assertTrue(found.contains(message), found);
    }

    /** One value of another kind or size at a time. */
    @Test
    void noValueInTheConfigurationCrashes() throws IOException {
        Path config = folder.resolve("config.json");
        String sound = Files.readString(config);
        for (String field : new String[] {
            "hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
            "head_dim", "intermediate_size", "vocab_size"
        }) {
            for (String value : new String[] {
                "0", "-1", "1.5", "\"x\"", "[]", "{}", "true", "9223372036854775807", "1e400"
            }) {
                Files.writeString(config, sound.replaceFirst(
                        "\"" + field + "\": [^,\\n]+", "\"" + field + "\": " + value));
                run();
            }
        }
    }

    @Test
    void aSizeOfMoreThan64BitsIsNamed() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst(
                "\"hidden_size\": [^,\\n]+", "\"hidden_size\": 18446744073709551680"));
        String text = run();
        assertTrue(text.contains("`hidden_size` in config.json is 18446744073709551680"), text);
    }

    /** Bytes changed at random: whatever runs may run, but nothing crashes or hangs. */
    @Test
    void changedBytesNeverCrash() throws IOException {
        Path weights = folder.resolve("model.safetensors");
        byte[] sound = Files.readAllBytes(weights);
        int header = (int) ByteBuffer.wrap(sound).order(ByteOrder.LITTLE_ENDIAN).getLong();
        Random random = new Random(7);
        for (int round = 0; round < 60; round++) {
            byte[] changed = sound.clone();
            for (int i = 0; i < 3; i++) {
                changed[random.nextInt(8 + header)] = (byte) random.nextInt(256);
            }
            Files.write(weights, changed);
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            int code = Weir.run(
                    new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                    new PrintStream(err, true, StandardCharsets.UTF_8),
                    "run", folder.toString(), "--prompt-ids", "5", "-n", "1",
                    "--target", "interpreter");
            String text = err.toString(StandardCharsets.UTF_8);
            assertTrue(code <= 1 && !text.contains("internal error"), text);
        }
    }

    @Test
    void anIndexMayNotLeaveItsFolder() throws IOException {
        Files.delete(folder.resolve("model.safetensors"));
        Files.writeString(folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"../../secret.safetensors\"}}");
        assertTrue(run().contains("outside of its folder"));
    }
}
