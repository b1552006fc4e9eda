package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code weir explain-error}: the pages of {@code docs/errors} in a terminal. */
class ExplainErrorCommandTest {

    @Test
    void aPageIsPrinted() {
        String expected = """
                E0301: One index over two axes

                An index ranges over the axes that it indexes alone, and these have different
                sizes.

                    y[d] = a[d] * b[d]   // a[D], b[F]

                Instead:

                    y[d] = a[d] * sum[f] b[f]
                """;
        for (String code : List.of("E0301", "e0301", "0301")) {
            assertEquals(new Outcome(0, expected, ""), weir("explain-error", code));
        }
    }

    @Test
    void everyPageIsListedAndPrinted() throws IOException {
        Outcome list = weir("explain-error");
        assertEquals(0, list.code());
        List<String> codes = codes();
        assertEquals(codes, list.out().lines().map(l -> l.split("  ", 2)[0]).toList());
        for (String code : codes) {
            Outcome page = weir("explain-error", code);
            assertEquals(0, page.code(), code);
            assertTrue(page.out().startsWith(code + ": "), page.out());
            assertFalse(page.out().contains("```"), page.out());
        }
    }

    private static List<String> codes() throws IOException {
        try (Stream<Path> files = Files.list(TestModel.ROOT.resolve("docs/errors"))) {
            return files.map(f -> f.getFileName().toString().replace(".md", "")).sorted().toList();
        }
    }

    @Test
    void unknownCodesNameNearOnes() {
        Outcome wrong = weir("explain-error", "E0391");
        assertEquals(2, wrong.code());
        assertTrue(wrong.err().contains("there is no code E0391"), wrong.err());
        assertTrue(wrong.err().contains("E0301  One index over two axes"), wrong.err());
        Outcome far = weir("explain-error", "nonsense");
        assertEquals(2, far.code());
        assertTrue(far.err().contains("lists all codes"), far.err());
    }

    @Test
    void withoutItsLetterACodeMayBeTwo() {
        Outcome outcome = weir("explain-error", "0201");
        assertEquals(2, outcome.code());
        assertTrue(outcome.err().contains("E0201") && outcome.err().contains("W0201"),
                outcome.err());
    }

    @Test
    void scriptsReadJson() throws IOException {
        JsonNode page = new ObjectMapper().readTree(weir("explain-error", "E0301", "--json").out());
        assertEquals("E0301", page.path("code").asText());
        assertEquals("One index over two axes", page.path("title").asText());
        assertTrue(page.path("text").asText().contains("Instead:"));
        JsonNode all = new ObjectMapper().readTree(weir("explain-error", "--json").out());
        assertEquals(codes().size(), all.size());
    }
}
