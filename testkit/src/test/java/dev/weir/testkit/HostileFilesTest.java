package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.cli.Weir;
import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

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
                Arguments.of("a size that is not whole",
                        file(-1, good.replace("[2]", "[2.5]"), 8), "size 2.5"),
                Arguments.of("an offset that is not whole",
                        file(-1, good.replace("[0,8]", "[0,8.0]"), 8), "stands at bytes"),
                Arguments.of("data behind the tensors",
                        file(-1, good, 20), "bytes 8 to 20 of its data belong to no tensor"),
                Arguments.of("a hole between tensors", file(-1,
                        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                                + "\"b\":{\"dtype\":\"F32\",\"shape\":[2],"
                                + "\"data_offsets\":[12,20]}}", 20),
                        "bytes 8 to 12 of its data belong to no tensor"),
                Arguments.of("text behind the header",
                        file(-1, good + " {}", 8), "header is not sound JSON"),
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

    /** What is too many is as telling as what is missing: names are often just spelt otherwise. */
    @Test
    void missingMisshapenAndExtraTensorsAreListedTogether() throws IOException {
        rewrite(weights -> {
            weights.put("model.final_norm.weight", weights.remove("model.norm.weight"));
            weights.put("lm_head.weight", Tensor.zeros(Format.F32, 3, 5));
        });
        String text = run();
        assertTrue(text.contains("missing: model.norm.weight (norm.scale), of the shape [64]"),
                text);
        assertTrue(text.contains("lm_head.weight (head.table) has the shape [3, 5]"), text);
        assertTrue(text.contains(
                "no place in the model: model.final_norm.weight, of the shape [64]"), text);
    }

    @ParameterizedTest
    @EnumSource(names = {"I64", "I32", "BOOL"})
    void whatIsStoredAsAnotherKindOfNumberIsNamed(Format format) throws IOException {
        rewrite(weights -> weights.put("model.norm.weight", Tensor.zeros(format, 64)));
        String text = run();
        assertTrue(text.contains("model.norm.weight (norm.scale) holds "
                + (format == Format.BOOL ? "truth values (bool)"
                        : "whole numbers (" + format.word() + ")") + ", expected floats"), text);
    }

    private void rewrite(Consumer<Map<String, Tensor>> change) throws IOException {
        Path file = folder.resolve("model.safetensors");
        Path changed = folder.resolve("changed");
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> weights = SafeTensors.map(file, arena);
            change.accept(weights);
            SafeTensors.write(changed, weights);
        }
        Files.move(changed, file, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Where equations say what is read, a size that is too small leaves something over. */
    @Test
    void tensorsThatAreReadInPartAreMisshapen() throws IOException {
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(TestModel.fixture("gpt_oss").resolve(name), folder.resolve(name),
                    StandardCopyOption.REPLACE_EXISTING);
        }
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replaceFirst("\"intermediate_size\": \\d+", "\"intermediate_size\": 24"));
        String text = run();
        for (String name : new String[] {"gate_up_proj", "gate_up_proj_bias", "down_proj"}) {
            assertTrue(text.contains("model.layers.1.mlp.experts." + name + " ("), text);
        }
        assertTrue(text.contains(", 64], expected [") && text.contains(
                ", 48], which is all that the model reads of it"), text);
    }

    /** As version 5 of transformers does: what is stored counts, and the contradiction is told. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void tiedWeightsThatDifferAreAWarning(boolean differ) throws IOException {
        set("config.json", "tie_word_embeddings", "true");
        String stored = greedy().out();
        if (!differ) {
            rewrite(weights -> weights.put(
                    "lm_head.weight", weights.get("model.embed_tokens.weight")));
        }
        CommandTest.Outcome outcome = greedy();
        assertEquals(differ ? """
                warning: config.json says tie_word_embeddings, but lm_head.weight and \
                model.embed_tokens.weight are both stored, and differ: lm_head.weight is read as it is
                help: set tie_word_embeddings to false, or take lm_head.weight out of the file
                """ : "", outcome.err());
        assertEquals(differ, outcome.out().equals(stored));
        String both = outcome.out();
        rewrite(weights -> weights.remove("lm_head.weight"));
        assertEquals(new CommandTest.Outcome(0, greedy().out(), ""), greedy());
        assertEquals(!differ, greedy().out().equals(both));
    }

    private CommandTest.Outcome greedy() {
        return CommandTest.weir(
                "run", folder.toString(), "--prompt-ids", "5,17", "-n", "8");
    }

    static Stream<Arguments> indexes() {
        return Stream.of(
                Arguments.of("", "no `weight_map`"),
                Arguments.of("[]", "no `weight_map`"),
                Arguments.of("{}", "no `weight_map`"),
                Arguments.of("{\"weight_map\": []}", "no `weight_map`"),
                Arguments.of("{\"weight_map\": {}}", "without tensors"),
                Arguments.of("{\"weight_map\": {\"a\": 3}}", "says that a is in 3"),
                Arguments.of("{\"weight_map\": {\"a\": null}}", "says that a is in null"),
                Arguments.of("{\"weight_map\": {\"a\": \"\"}}", "names a file \"\""),
                Arguments.of("{\"weight_map\": {\"a\": \".\"}}", "names a file \".\""),
                Arguments.of("{\"weight_map\": {\"a\": \"b/..\"}}", "names a file \"b/..\""),
                Arguments.of("{\"weight_map\": {\"a\": \"..\"}}", "outside of its folder"),
                Arguments.of("{\"weight_map\": {\"a\": \"/etc/passwd\"}}",
                        "outside of its folder"),
                Arguments.of("{\"weight_map\": {\"a\": \"../../secret.safetensors\"}}",
                        "outside of its folder"),
                Arguments.of("{\"weight_map\": {\"a\": \"x\\u0000y\"}}", "no name of a file"),
                Arguments.of("{\"weight_map\": {\"a\": \"gone.safetensors\"}}",
                        "there is no such file"),
                Arguments.of("{\"weight_map\": {\"a\": \"config.json\"}}",
                        "config.json is not a sound safetensors file"),
                Arguments.of("{\"weight_map\": {\"a\": \"x\", \"a\": \"y\"}}", "JSON"),
                Arguments.of("[".repeat(100_000), "JSON"));
    }

    @ParameterizedTest
    @MethodSource("indexes")
    void brokenIndexesAreNamed(String text, String message) throws IOException {
        Files.writeString(folder.resolve("model.safetensors.index.json"), text);
        String found = run();
        assertTrue(found.contains(message), found);
    }

    @Test
    void aTensorInTwoFilesIsNamed() throws IOException {
        Path weights = folder.resolve("model.safetensors");
        Files.copy(weights, folder.resolve("model-2.safetensors"));
        Files.move(weights, folder.resolve("model-1.safetensors"));
        String text = run();
        assertTrue(text.contains(" is in both " + folder.resolve("model-1.safetensors") + " and "
                + folder.resolve("model-2.safetensors")), text);
    }

    /** What would be read without an end, or not at all. */
    @ParameterizedTest
    @ValueSource(strings = {"config.json", "model.safetensors", "model.safetensors.index.json",
        "generation_config.json"})
    void pipesAndFoldersAreNoFiles(String name) throws Exception {
        Path file = folder.resolve(name);
        Files.deleteIfExists(file);
        Files.createDirectory(file);
        assertTrue(run().contains(file + " is a folder, expected a file"));
        Files.delete(file);
        assertEquals(0, new ProcessBuilder("mkfifo", file.toString()).start().waitFor());
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> assertTrue(
                run().contains(file + " is a pipe or a device, expected a file")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "[", "{\"model\": {\"type\": \"NoSuch\"}}", "folder"})
    void aMalformedTokenizerIsNamedOnce(String text) throws IOException {
        Path file = folder.resolve("tokenizer.json");
        if (text.equals("folder")) {
            Files.createDirectory(file);
        } else {
            Files.writeString(file, text);
        }
        CommandTest.Outcome outcome = CommandTest.weir(
                "run", folder.toString(), "--prompt", "x", "-n", "1");
        assertEquals(1, outcome.code(), outcome.err());
        assertEquals(outcome.err().indexOf("tokenizer.json"),
                outcome.err().lastIndexOf("tokenizer.json"), outcome.err());
    }

    static Stream<Arguments> tokens() {
        return Stream.of(
                Arguments.of("config.json", "\"x\""),
                Arguments.of("config.json", "1.5"),
                Arguments.of("config.json", "{}"),
                Arguments.of("config.json", "[1, \"x\"]"),
                Arguments.of("config.json", "[[1]]"),
                Arguments.of("config.json", "99999999999999999999"),
                Arguments.of("generation_config.json", "\"x\""),
                Arguments.of("generation_config.json", "true"));
    }

    @ParameterizedTest
    @MethodSource("tokens")
    void aStopTokenThatIsNoIdIsNamed(String name, String value) throws IOException {
        set(name, "eos_token_id", value);
        String text = run();
        assertTrue(text.contains("`eos_token_id` in " + name + " is "), text);
        assertTrue(text.contains("expected a token id"), text);
    }

    /** The token before a text: what is no id, and one that the model does not have. */
    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', value = {
        "`\"x\"`, expected a token id", "1.5, expected a token id", "{}, expected a token id",
        "-1, expected a token id", "[1], expected a token id",
        "2147483648, which config.json gives as bos_token_id"
    })
    void aFirstTokenThatIsNoIdIsNamed(String value, String message) throws IOException {
        Files.copy(TestModel.tinyworld().resolve("tokenizer.json"),
                folder.resolve("tokenizer.json"));
        set("config.json", "bos_token_id", value);
        CommandTest.Outcome outcome = CommandTest.weir(
                "run", folder.toString(), "--prompt", "x", "-n", "1");
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("bos_token_id"), outcome.err());
        assertTrue(outcome.err().contains(message), outcome.err());
    }

    private void set(String name, String field, String value) throws IOException {
        Path file = folder.resolve(name);
        String old = Files.exists(file)
                ? Files.readString(file).replaceAll("\"" + field + "\": [^,\\n]+,\n", "") : "{}";
        Files.writeString(file, old.replaceFirst("\\{", "{\"" + field + "\": " + value
                + (old.equals("{}") ? "" : ",")));
    }

    /** Fields of the wrong kind are told, and not taken for absent ones. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "rope_parameters       | [1]                                 | an object is expected",
        "rope_parameters       | \"x\"                               | an object is expected",
        "tie_word_embeddings   | \"yes\"                             | true or false is expected"
    })
    void fieldsOfAnotherKindAreNamed(String field, String value, String message)
            throws IOException {
        Path config = folder.resolve("config.json");
        ObjectNode fields = (ObjectNode) new ObjectMapper().readTree(Files.readString(config));
        fields.set(field, new ObjectMapper().readTree(value));
        Files.writeString(config, fields.toString());
        String text = run();
        assertTrue(text.contains(field), text);
        assertTrue(text.contains(message), text);
    }

    /** What the programs of the library do not do is refused, under each of its names. */
    @ParameterizedTest
    @ValueSource(strings = {"type", "rope_type"})
    void stretchedPositionsAreRefused(String name) throws IOException {
        Path config = folder.resolve("config.json");
        ObjectNode fields = (ObjectNode) new ObjectMapper().readTree(Files.readString(config));
        fields.remove("rope_parameters");
        fields.putObject("rope_scaling").put(name, "linear").put("factor", 4.0);
        Files.writeString(config, fields.toString());
        String text = run();
        assertTrue(text.contains("E0311") && text.contains("rope_scaling"), text);
    }

    @Test
    void aFieldThatIsThereTwiceIsNamed() throws IOException {
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config)
                .replaceFirst("\\{", "{\"hidden_size\": 64,"));
        String text = run();
        assertTrue(text.contains("hidden_size") && text.contains("config.json"), text);
    }

    @Test
    void weightsThatAreNoFolderAreNamed() throws IOException {
        String program = Files.writeString(folder.resolve("m.weir"), """
                model M<V = config.vocab_size> {
                    param table[V]
                    forward(token[T]: int) -> y[T] = table[token[t]]
                }
                """).toString();
        for (String weights : new String[] {"/no/such/folder", program}) {
            CommandTest.Outcome outcome = CommandTest.weir(
                    "run", program, "--weights", weights, "--prompt-ids", "1");
            assertEquals(1, outcome.code());
            assertTrue(outcome.err().startsWith("error: " + (weights.equals(program)
                    ? program + " is not a folder" : "there is no folder " + weights)),
                    outcome.err());
        }
    }

    static Stream<Arguments> configurations() {
        return Stream.of(
                Arguments.of("", "model_type"),
                Arguments.of("[]", "model_type"),
                Arguments.of("{\"model_type\": \"../../etc\"}", "model_type"),
                Arguments.of("{\"model_type\": \"nosuch\"}", "has no program"),
                Arguments.of("{\"model_type\": 7}", "is no name"),
                Arguments.of("{\"model_type\": \"llama\"} {}", "stands behind"),
                Arguments.of("{\"model_type\": NaN}", "Non-standard token 'NaN'\n"),
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
}
