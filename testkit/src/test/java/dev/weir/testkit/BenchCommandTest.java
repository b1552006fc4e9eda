package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** {@code weir bench}: which lines there are and what they say, whatever the times. */
class BenchCommandTest {
    private static final String FIXTURE = TestModel.fixture("llama").toString();
    private static final String RATE = "\\d+\\.\\d\\d ± \\d+\\.\\d\\d";
    private static final String WORDS = """
            import stdlib.embedding { Embedding, Head }

            model Words<V = 24, D = 8> {
                embed: Embedding<V, D>
                head: Head<V, D>

                forward(input_ids[T]: int) -> logits[T, V] {
                    x = embed(input_ids)
                    y[t, d] = x[t, d] + (x[%s, d] or 0)
                    logits = head(y)
                }
            }
            """;

    /** A model that has places for six tokens of a sequence; the seventh is a fault. */
    private static final String PLACES = """
            import stdlib.embedding { Embedding, Head }

            model Places<V = 24, D = 8> {
                embed: Embedding<V, D>
                param place[6, D]
                head: Head<V, D>

                forward(input_ids[T]: int, pos[T]: int = positions) -> logits[T, V] {
                    x = embed(input_ids)
                    y[t, d] = x[t, d] + place[pos[t], d]
                    logits = head(y)
                }
            }
            """;

    @TempDir
    private Path folder;

    /** Few and short repetitions. */
    private static Outcome bench(String model, String... rest) {
        return weir(Stream.concat(
                Stream.of("bench", model, "-r", "2", "-p", "4", "-n", "2", "--warmup", "0.001"),
                Arrays.stream(rest)).toArray(String[]::new));
    }

    private static List<String> tests(JsonNode rows) {
        List<String> tests = new ArrayList<>();
        rows.forEach(row -> tests.add(row.path("n_threads").asInt() + " "
                + row.path("batch").asInt() + " " + row.path("test").asText()));
        return tests;
    }

    private static JsonNode rows(Outcome outcome) throws IOException {
        assertEquals(0, outcome.code(), outcome.err());
        return new ObjectMapper().readTree(outcome.out());
    }

    private String words(String place) throws IOException {
        return Files.writeString(
                folder.resolve("words.weir"), WORDS.formatted(place)).toString();
    }

    @ParameterizedTest
    @EnumSource(TestModel.Target.class)
    void aTableHasALineForEachTest(TestModel.Target target) {
        Outcome outcome = bench(FIXTURE, "-t", "1", "--target", target.name().toLowerCase());
        assertEquals(0, outcome.code(), outcome.err());
        assertEquals("", outcome.err(), "nothing is said to a terminal that is not there");
        List<String> lines = outcome.out().lines().toList();
        assertEquals(4, lines.size(), outcome.out());
        String rest = " *\\| 461.75 KiB \\| 118.21 K \\| " + target.name().toLowerCase()
                + " +\\| +1 \\| +1 \\| +";
        assertTrue(lines.get(2).matches("\\| Llama" + rest + "pp4 \\| +" + RATE + " \\|"),
                outcome.out());
        assertTrue(lines.get(3).matches("\\| Llama" + rest + "tg2 \\| +" + RATE + " \\|"),
                outcome.out());
    }

    @Test
    void lengthsBatchesAndThreadsAreCombined() throws IOException {
        JsonNode rows = rows(weir("bench", FIXTURE, "-o", "json", "-r", "3", "--warmup", "0",
                "-p", "4,5", "-n", "0,2", "-b", "1,3", "-t", "1,2"));
        assertEquals(
                List.of("1 1 pp4", "1 1 pp5", "1 1 tg2", "1 3 pp4", "1 3 pp5", "1 3 tg2",
                        "2 1 pp4", "2 1 pp5", "2 1 tg2", "2 3 pp4", "2 3 pp5", "2 3 tg2"),
                tests(rows));
        for (JsonNode row : rows) {
            JsonNode samples = row.path("samples_ns");
            assertEquals(3, samples.size());
            int tokens = (row.path("n_prompt").asInt() + row.path("n_gen").asInt())
                    * row.path("batch").asInt();
            double rates = 0;
            for (JsonNode sample : samples) {
                rates += tokens * 1e9 / sample.asLong();
            }
            assertEquals(rates / 3, row.path("avg_ts").asDouble(), rates * 1e-9,
                    "the tokens of all sequences count");
        }
    }

    @ParameterizedTest
    @EnumSource(TestModel.Target.class)
    void everySequenceGetsAllItsTokens(TestModel.Target target) throws IOException {
        String model = Files.writeString(folder.resolve("places.weir"), PLACES).toString();
        String[] fitting = {"bench", model, "--random", "7", "-o", "json", "-r", "2", "--warmup",
            "0", "-b", "3", "-t", "1", "--target", target.name().toLowerCase(),
            "-p", "6", "-n", "6"};
        assertEquals(List.of("1 3 pp6", "1 3 tg6"), tests(rows(weir(fitting))));
        String[] prompt = fitting.clone();
        prompt[prompt.length - 3] = "6,7";
        assertFault(List.of("1 3 pp6"), weir(prompt));
        String[] generation = fitting.clone();
        generation[generation.length - 1] = "7";
        assertFault(List.of("1 3 pp6"), weir(generation));
    }

    /** What was measured before is shown all the same. */
    private static void assertFault(List<String> before, Outcome outcome) throws IOException {
        assertEquals(1, outcome.code(), outcome.err());
        assertTrue(outcome.err().contains("place"), outcome.err());
        assertEquals(before, tests(new ObjectMapper().readTree(outcome.out())));
    }

    /** A decoder behind an encoder; the encoder by itself; and what is said without it. */
    @Test
    void entriesRunOneBehindTheOther() throws IOException {
        String model = TestModel.fixture("switch_transformers").toString();
        Outcome behind = bench(model, "-o", "json", "-t", "1", "--context", "encode=5");
        assertEquals(List.of("1 1 pp4 @ encode 5", "1 1 tg2 @ encode 5"), tests(rows(behind)));
        assertEquals("", behind.err());
        assertEquals(5, rows(behind).path(0).path("n_depth").asInt());
        Outcome alone = bench(model, "-o", "json", "-t", "1");
        assertEquals(List.of("1 1 pp4", "1 1 tg2"), tests(rows(alone)));
        assertTrue(alone.err().contains("--context encode="), alone.err());
        Outcome encoder = bench(model, "-o", "json", "-t", "1", "--entry", "encode");
        assertEquals(List.of("1 1 pp4"), tests(rows(encoder)));
        assertTrue(encoder.err().contains("takes a whole sequence"), encoder.err());
        Outcome unknown = bench(model, "--entry", "decode");
        assertEquals(1, unknown.code());
        assertTrue(unknown.err().contains("no entry decode; the model has forward, encode"),
                unknown.err());
    }

    /** The context is there: places for six tokens hold three behind three, and no fourth. */
    @Test
    void whatCameBeforeTakesItsPlaces() throws IOException {
        String model = Files.writeString(folder.resolve("places.weir"), PLACES).toString();
        assertEquals(List.of("1 1 pp3 @ d3"), tests(rows(weir("bench", model, "--random", "7",
                "-o", "json", "-r", "1", "--warmup", "0", "-p", "3", "-n", "0", "-t", "1",
                "--context", "3"))));
        Outcome full = weir("bench", model, "--random", "7", "-o", "json", "-r", "1",
                "--warmup", "0", "-p", "3", "-n", "0", "-t", "1", "--context", "4");
        assertEquals(1, full.code());
        assertTrue(full.err().contains("place"), full.err());
    }

    @Test
    void everyLineOfCsvHasAValueForEachName() {
        Outcome outcome = bench(FIXTURE, "-o", "csv");
        assertEquals(0, outcome.code(), outcome.err());
        List<String> lines = outcome.out().lines().toList();
        assertEquals(3, lines.size());
        assertTrue(lines.getFirst().startsWith("model_filename,model_type,"), outcome.out());
        for (String line : lines) {
            assertEquals(lines.getFirst().split(",").length, line.split(",").length);
        }
    }

    @Test
    void randomWeightsNeedAConfigurationOnly() throws IOException {
        Files.copy(Path.of(FIXTURE, "config.json"), folder.resolve("config.json"));
        Outcome without = bench(folder.toString());
        assertEquals(1, without.code());
        assertTrue(without.err().contains("there are no weights in"), without.err());
        JsonNode rows = rows(bench(folder.toString(), "-o", "json", "--random", "7"));
        assertEquals(118_208, rows.path(1).path("model_n_params").asLong());
        assertEquals(4 * 118_208, rows.path(1).path("model_size").asLong());
    }

    @Test
    void randomWeightsHaveTheSizesThatAreSet() throws IOException {
        JsonNode rows = rows(bench(words("t - 1"), "-o", "json", "--random", "7",
                "--set", "V=50", "--set", "D=10"));
        assertEquals(2 * 50 * 10, rows.path(0).path("model_n_params").asLong());
        assertEquals(2, rows.size());
    }

    @Test
    void aModelThatTakesWholeSequencesHasPromptsOnly() throws IOException {
        String model = words("t + 1");
        Outcome both = bench(model, "--random", "7", "-o", "json", "-t", "1,2");
        assertEquals(List.of("1 1 pp4", "2 1 pp4"), tests(rows(both)));
        assertEquals(1, both.err().lines().count(), both.err());
        assertTrue(both.err().contains("words.weir:9"), both.err());
        Outcome none = weir("bench", model, "--random", "7", "-p", "0");
        assertEquals(1, none.code());
        assertEquals("", none.out());
        assertTrue(none.err().contains("takes a whole sequence in one step"), none.err());
    }

    @Test
    void aModelWithoutTokensIsTold() throws IOException {
        Path model = Files.writeString(folder.resolve("m.weir"), """
                model M<D = 4> {
                    param w[D, D]
                    forward(x[T, D]) -> y[T, D] = w @ x
                }
                """);
        Outcome outcome = bench(model.toString(), "--random", "7");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("does not map a stream of ids to logits"),
                outcome.err());
    }

    @Test
    void memoryThatIsNotThereIsAMessage() throws IOException {
        Outcome outcome = bench(words("t - 1"), "--random", "7", "--set", "V=1000000000000");
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("there is not enough memory"), outcome.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            -p -1                           | --n-prompt
            -n 4,-1                         | --n-gen
            -p 0 -n 0                       | --n-prompt and --n-gen are both 0
            -b 0                            | --batch-size
            -b 100000 -p 100000             | 10000000000
            -t 1,0                          | --threads
            -r 0                            | --repetitions
            -t 5000                         | --threads
            --warmup -1                     | --warmup
            --warmup NaN                    | --warmup
            -o xml                          | --output
            --random x                      | --random
            -t 2 --target interpreter       | --threads
            """)
    void aSenselessCommandLineIsTold(String options, String named) {
        Outcome outcome = weir(("bench " + FIXTURE + " " + options).split(" "));
        assertEquals(2, outcome.code(), outcome.err());
        assertEquals("", outcome.out());
        assertTrue(outcome.err().lines().findFirst().orElseThrow().contains(named),
                outcome.err());
    }
}
