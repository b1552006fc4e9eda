package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.cli.Weir;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Dumps with words exchanged at random: whatever compiles may compile, and all else is a message.
 * {@code -Dfuzz.rounds=2000} takes its time.
 */
class DumpsFuzzTest {
    private static final Pattern TOKEN =
            Pattern.compile("\\s+|[%$]?\\d+(\\.\\d+)?|\\w+|\"[^\"]*\"|.");
    private static final List<String> ODD = List.of("0", "-1", "7", "9223372036854775807", "0.5",
            "f16", "bool", "i64", "f32", "\"", "", "}", "%999", "$999", "add", "NaN", "yield");
    private static final List<String> STAGES = List.of("tensor", "lift", "split-elementary",
            "factor-sums", "demand", "common-code", "inline", "kernels");
    private static final int ROUNDS = Integer.getInteger("fuzz.rounds", 5);

    @TempDir
    private Path folder;

    private record Outcome(int code, String out, String err) {}

    private static Outcome weir(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int code = Weir.run(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8), arguments);
        return new Outcome(code, out.toString(StandardCharsets.UTF_8),
                err.toString(StandardCharsets.UTF_8));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "sketches/convolution", "sketches/long_range", "sketches/moe_plus_plus",
        "sketches/recursive", "tinyworld/tinyworld"
    })
    void aChangedDumpIsNeverAnInternalError(String model) throws Exception {
        Random random = new Random(model.hashCode() + Long.getLong("fuzz.seed", 0));
        List<String> failures = new ArrayList<>();
        for (String stage : STAGES) {
            Outcome sound = weir("dump",
                    TestModel.ROOT.resolve("examples/" + model + ".weir").toString(),
                    "--stage", stage);
            Path dump = folder.resolve(stage.equals("kernels") ? "m.kernels" : "m.tensor");
            List<String> tokens = tokens(sound.out);
            Files.writeString(dump, sound.out);
            assertEquals("", failure(dump, 0), "unchanged");
            for (int round = 0; round < ROUNDS; round++) {
                List<String> changed = new ArrayList<>(tokens);
                String what = change(changed, random);
                Files.writeString(dump, String.join("", changed));
                String failure = failure(dump, 1);
                if (!failure.isEmpty()) {
                    failures.add(stage + ", round " + round + ": " + what + "\n" + failure);
                }
            }
        }
        assertEquals("", String.join("\n\n", failures));
    }

    /** What goes wrong all the way to kernels, and no further than what can be read back. */
    private static String failure(Path dump, int most) {
        Outcome outcome = weir("dump", dump.toString(), "--stage", "kernels");
        return outcome.code >= 0 && outcome.code <= most ? "" : outcome.err;
    }

    private static List<String> tokens(String text) {
        List<String> tokens = new ArrayList<>();
        Matcher matcher = TOKEN.matcher(text);
        while (matcher.find()) {
            tokens.add(matcher.group());
        }
        return tokens;
    }

    private static String change(List<String> tokens, Random random) {
        int at = place(tokens, random);
        int other = place(tokens, random);
        String before = tokens.get(at);
        switch (random.nextInt(4)) {
            case 0 -> tokens.set(at, "");
            case 1 -> {
                tokens.set(at, tokens.get(other));
                tokens.set(other, before);
            }
            case 2 -> tokens.set(at, alike(tokens, before, random));
            default -> tokens.set(at, ODD.get(random.nextInt(ODD.size())));
        }
        return "token " + at + ", " + before + " becomes " + tokens.get(at) + " in "
                + String.join("", tokens.subList(
                        Math.max(0, at - 30), Math.min(tokens.size(), at + 30)));
    }

    private static int place(List<String> tokens, Random random) {
        while (true) {
            int at = random.nextInt(tokens.size());
            if (!tokens.get(at).isBlank()) {
                return at;
            }
        }
    }

    /** Another token of the same kind: a number for a number, a word for a word. */
    private static String alike(List<String> tokens, String token, Random random) {
        for (int attempt = 0; attempt < 200; attempt++) {
            String other = tokens.get(place(tokens, random));
            if (kind(other) == kind(token)) {
                return other;
            }
        }
        return token;
    }

    private static int kind(String token) {
        char first = token.charAt(0);
        return Character.isDigit(first) ? '0' : Character.isLetter(first) ? 'a' : first;
    }

    @Test
    void operandsOfTheWrongFormatAreTold() throws Exception {
        String dump = weir("dump",
                TestModel.ROOT.resolve("examples/sketches/moe_plus_plus.weir").toString()).out;
        Path file = folder.resolve("m.tensor");
        String changed = dump.replaceFirst("(parameter %\\d+ \"\\w+\" : )f32", "$1bool");
        assertFalse(changed.equals(dump), dump);
        Files.writeString(file, changed);
        Outcome outcome = weir("dump", file.toString(), "--stage", "kernels");
        assertTrue(outcome.code == 1 && outcome.err.contains("E1002"), outcome.err);
    }
}
