package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static dev.weir.testkit.CommandTest.weirReading;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code weir fmt}: which files it changes, what it says, and how it exits. */
class FmtCommandTest {
    private static final String UGLY = "fn  f(x:float)->float=x\n";
    private static final String NEAT = "fn f(x: float) -> float = x\n";
    private static final String BROKEN = "fn f(\n";

    @TempDir
    private Path folder;

    private Path file(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    @Test
    void filesAreFormattedAndNamed() throws IOException {
        Path ugly = file("ugly.weir", UGLY);
        Path neat = file("neat.weir", NEAT);
        Outcome outcome = weir("fmt", ugly.toString(), neat.toString());
        assertEquals(new Outcome(0, ugly + "\n", ""), outcome);
        assertEquals(NEAT, Files.readString(ugly));
        assertEquals(new Outcome(0, "", ""), weir("fmt", ugly.toString(), neat.toString()));
    }

    @Test
    void foldersAreFormattedWithAllBelow() throws IOException {
        Path below = file("a/b/ugly.weir", UGLY);
        Path hidden = file(".git/ugly.weir", UGLY);
        Path other = file("a/ugly.txt", UGLY);
        assertEquals(new Outcome(0, below + "\n", ""), weir("fmt", folder.toString()));
        assertEquals(NEAT, Files.readString(below));
        assertEquals(UGLY, Files.readString(hidden));
        assertEquals(UGLY, Files.readString(other));
    }

    @Test
    void checkingChangesNothing() throws IOException {
        Path ugly = file("ugly.weir", UGLY);
        file("neat.weir", NEAT);
        assertEquals(
                new Outcome(1, ugly + "\n", ""), weir("fmt", "--check", folder.toString()));
        assertEquals(UGLY, Files.readString(ugly));
        weir("fmt", folder.toString());
        assertEquals(new Outcome(0, "", ""), weir("fmt", "--check", folder.toString()));
    }

    @Test
    void brokenFilesStayAndAreReported() throws IOException {
        Path broken = file("broken.weir", BROKEN);
        Path ugly = file("ugly.weir", UGLY);
        Outcome outcome = weir("fmt", folder.toString());
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("error[E0101]"), outcome.err());
        assertEquals(BROKEN, Files.readString(broken));
        assertEquals(NEAT, Files.readString(ugly));
    }

    @Test
    void aHyphenIsStandardInput() {
        assertEquals(new Outcome(0, NEAT, ""), weirReading(UGLY, "fmt", "-"));
        assertEquals(new Outcome(0, NEAT, ""), weirReading(NEAT, "fmt", "-"));
        assertEquals(new Outcome(1, "<stdin>\n", ""), weirReading(UGLY, "fmt", "-", "--check"));
        assertEquals(new Outcome(0, "", ""), weirReading(NEAT, "fmt", "-", "--check"));
        Outcome broken = weirReading(BROKEN, "fmt", "-");
        assertEquals(1, broken.code());
        assertEquals("", broken.out());
        assertTrue(broken.err().contains("<stdin>:1"), broken.err());
    }

    @Test
    void scriptsReadJson() throws IOException {
        Path ugly = file("ugly.weir", UGLY);
        file("broken.weir", BROKEN);
        Outcome outcome = weir("fmt", "--check", "--json", folder.toString());
        assertEquals(1, outcome.code());
        JsonNode node = new ObjectMapper().readTree(outcome.out());
        assertEquals(ugly.toString(), node.path("changed").path(0).asText());
        assertEquals("E0101", node.path("diagnostics").path(0).path("code").asText());
    }

    @Test
    void wrongCommandLines() {
        assertEquals(1, weir("fmt", folder.resolve("missing.weir").toString()).code());
        assertEquals(2, weirReading(NEAT, "fmt", "-", folder.toString()).code());
        assertEquals(2, weirReading(NEAT, "fmt", "-", "--json").code());
        assertEquals(2, weir("fmt", "--no-such-option").code());
        assertEquals(0, weir("fmt", "--help").code());
    }
}
