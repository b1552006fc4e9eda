package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.grammar.WeirLexer;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.antlr.v4.runtime.CharStreams;
import org.antlr.v4.runtime.Token;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The one style. Each file of the folder {@code format} holds a source and, behind a line of {@code
 * ====}, the same formatted; {@code -Dbless=true} writes it.
 */
class FormatterTest {
    private static final Path PAIRS = Library.ROOT.resolve("frontend/src/test/resources/format");
    private static final String LINE = "====\n";
    private static final int SEEDS = 8;

    @TestFactory
    Stream<DynamicTest> pairs() {
        return pairFiles().map(file -> DynamicTest.dynamicTest(
                file.getFileName().toString(), () -> compare(file)));
    }

    private static void compare(Path file) throws IOException {
        String text = Files.readString(file);
        int split = text.indexOf(LINE);
        String program = split < 0 ? text : text.substring(0, split);
        if (Boolean.getBoolean("bless")) {
            Files.writeString(file, program + LINE + format(program));
        } else {
            assertEquals(split < 0 ? "" : text.substring(split + LINE.length()), format(program));
        }
    }

    @TestFactory
    Stream<DynamicTest> programsOfTheRepositoryAreFormatted() {
        return Library.programs().stream().map(file ->
                DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
                    String text = Library.read(file);
                    assertEquals(format(text), text, "run ./weir fmt " + file);
                }));
    }

    @Test
    void formattingChangesSpaceOnlyAndOnlyOnce() {
        for (String program : programs()) {
            assertHarmless(program);
        }
    }

    /** Where lines end does not matter, except at comments and blank lines. */
    @Test
    void programsThatDifferInSpaceBecomeTheSame() {
        for (String program : programs()) {
            String formatted = format(program);
            for (int seed = 0; seed < SEEDS; seed++) {
                String respaced = respaced(formatted, new Random(seed));
                assertEquals(formatted, format(respaced), respaced);
            }
        }
    }

    @Test
    void commentsStayWhereverTheyAre() {
        for (String program : programs()) {
            for (int seed = 0; seed < SEEDS; seed++) {
                assertHarmless(commented(program, new Random(seed)));
            }
        }
    }

    @Test
    void linesFitWhereTheyCanEnd() {
        for (String program : programs()) {
            format(program).lines()
                    .filter(l -> !l.contains("//"))
                    .forEach(l -> assertTrue(l.length() <= 100, l));
        }
    }

    @Test
    void whatDoesNotFollowTheGrammarIsReported() {
        FormatResult result = Frontend.format(new Source("a.weir", "block A {\n  x =\n}\n"));
        assertTrue(result.text().isEmpty());
        assertFalse(result.diagnostics().isEmpty());
        FormatResult deep = Frontend.format(new Source("a.weir", "(".repeat(100_000)));
        assertEquals(List.of("E0104"),
                deep.diagnostics().stream().map(Diagnostic::code).toList());
    }

    private static void assertHarmless(String program) {
        String once = format(program);
        assertEquals(tokens(program, Token.DEFAULT_CHANNEL), tokens(once, Token.DEFAULT_CHANNEL));
        assertEquals(tokens(program, Token.HIDDEN_CHANNEL), tokens(once, Token.HIDDEN_CHANNEL));
        assertEquals(once, format(once), program);
    }

    private static String format(String program) {
        FormatResult result = Frontend.format(new Source("example.weir", program));
        assertEquals(List.of(), result.diagnostics(), program);
        return result.text().orElseThrow();
    }

    private static List<Token> lex(String program) {
        return new ArrayList<>(new WeirLexer(CharStreams.fromString(program)).getAllTokens());
    }

    private static List<String> tokens(String program, int channel) {
        return lex(program).stream()
                .filter(t -> t.getChannel() == channel)
                .map(t -> t.getText().stripTrailing())
                .filter(t -> !t.isEmpty())
                .toList();
    }

    /** The same tokens and comments with other space between them. */
    private static String respaced(String program, Random random) {
        List<Token> tokens = lex(program);
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < tokens.size(); i++) {
            String text = tokens.get(i).getText();
            boolean isFree = i > 0 && i + 1 < tokens.size() && !isComment(tokens.get(i - 1))
                    && !isComment(tokens.get(i + 1)) && !text.contains("\n\n");
            out.append(!text.isBlank() ? text : isFree ? space(random)
                    : text.replace("\n", " ".repeat(random.nextInt(3)) + "\n")
                            + " ".repeat(random.nextInt(9)));
            boolean touches = i + 1 < tokens.size() && !text.isBlank() && !isComment(tokens.get(i))
                    && !tokens.get(i + 1).getText().isBlank() && !isComment(tokens.get(i + 1));
            if (touches && random.nextInt(4) == 0) {
                out.append(space(random));
            }
        }
        return out.toString();
    }

    private static String space(Random random) {
        return List.of(" ", "   ", "\n", "\n      ", "\t", "  \r\n").get(random.nextInt(6));
    }

    /** The same with comments at some of the places where space is. */
    private static String commented(String program, Random random) {
        return lex(program).stream().map(token -> {
            String text = token.getText();
            return text.isBlank() && random.nextInt(6) == 0
                    ? List.of(" // behind\n", "\n// own\n", "\n\n/// two\n\n  // lines \n")
                            .get(random.nextInt(3)) + text
                    : text;
        }).collect(Collectors.joining());
    }

    private static boolean isComment(Token token) {
        return token.getText().startsWith("//");
    }

    private static List<String> programs() {
        return Stream.concat(pairFiles(), Library.programs().stream())
                .map(file -> Library.read(file).split(LINE, 2)[0])
                .toList();
    }

    private static Stream<Path> pairFiles() {
        try (Stream<Path> files = Files.list(PAIRS)) {
            return files.sorted().toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
