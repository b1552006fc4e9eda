package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.testkit.CommandTest.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code weir new}: what it makes works, and what is there stays. */
class NewCommandTest {
    @TempDir
    private Path folder;

    private static Set<String> names(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    /** Names that could be mistaken for words of the language or for the library's blocks too. */
    @ParameterizedTest
    @ValueSource(strings = {"story", "tiny_story", "model", "Attention", "layer", "X9", "_9x"})
    void aNewProjectIsWithoutFault(String name) throws IOException {
        Path project = folder.resolve(name.startsWith("_") ? "in/a/row" : name);
        Outcome made = weir("new", project.toString());
        assertEquals(0, made.code(), made.err());
        String program = project.getFileName() + ".weir";
        assertEquals(Set.of(program, "config.json", "README.md"), names(project));
        assertTrue(made.out().contains("weir check " + project), made.out());
        for (List<String> command : List.of(
                List.of("check", project.toString()),
                List.of("fmt", "--check", project.toString()))) {
            Outcome outcome = weir(command.toArray(String[]::new));
            assertEquals(0, outcome.code(), outcome.err());
            assertEquals("", outcome.out() + outcome.err());
        }
        assertEquals(0, weir("explain", project.toString(), "--target", "jvm").code());
    }

    /** Each command that its README names, as it stands there. */
    @Test
    void whatTheReadmeSaysWorks() throws IOException {
        Path project = folder.resolve("story");
        assertEquals(0, weir("new", project.toString()).code());
        List<String> commands = Files.readString(project.resolve("README.md")).lines()
                .filter(line -> line.startsWith("weir ")).toList();
        assertEquals(3, commands.size());
        for (String command : commands) {
            String[] words = command.replace(" .", " " + project).split(" ");
            Outcome outcome = weir(Stream.concat(
                    Stream.of(words).skip(1),
                    words[1].equals("bench") ? Stream.of("-r", "1", "--warmup", "0")
                            : Stream.<String>of()).toArray(String[]::new));
            assertEquals(0, outcome.code(), command + ": " + outcome.err());
            assertTrue(!words[1].equals("bench") || outcome.out().contains("| StoryModel"),
                    outcome.out());
        }
    }

    @Test
    void whatIsThereStays() throws IOException {
        Path project = Files.createDirectory(folder.resolve("story"));
        assertEquals(0, weir("new", project.toString()).code(), "an empty folder is taken");
        Path program = Files.writeString(project.resolve("story.weir"), "mine");
        Outcome again = weir("new", project.toString());
        assertEquals(1, again.code());
        assertTrue(again.err().contains("not empty"), again.err());
        assertEquals("mine", Files.readString(program));
        Outcome inFile = weir("new", program.resolveSibling("README.md").toString());
        assertEquals(2, inFile.code(), inFile.err());
        Path file = Files.writeString(folder.resolve("file"), "");
        for (Path place : List.of(file, file.resolve("story"))) {
            Outcome blocked = weir("new", place.toString());
            assertEquals(1, blocked.code());
            assertTrue(blocked.err().contains("error: cannot make the folder"), blocked.err());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"9lives", "a-b", "a b", "a.weir", "_x", "ä", "/", "..",
        "a23456789012345678901234567890123456789012345678901234567890abcde"})
    void aNameThatNamesNoProgramIsRefused(String name) throws IOException {
        String given = name.equals("/") || name.equals("..") ? name : folder + "/" + name;
        Outcome outcome = weir("new", name.equals("..") ? folder + "/9/a/.." : given);
        assertEquals(2, outcome.code(), outcome.err());
        assertTrue(outcome.err().startsWith("NAME has to consist of"), outcome.err());
        assertEquals(Set.of(), names(folder));
        assertEquals(2, weir("new").code());
    }
}
