package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.testkit.CommandTest.Outcome;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cookbook's texts are those of the example that it follows, and its commands run. */
class CookbookTest {
    private static final Path EXAMPLE = TestModel.ROOT.resolve("examples/shrinking_gate");

    @TempDir
    private Path folder;

    private static List<String> blocks(String language) {
        return Pattern.compile("(?s)```" + language + "\\n(.*?)```")
                .matcher(TestModel.text(TestModel.ROOT.resolve("docs/cookbook.md")))
                .results().map(m -> m.group(1)).toList();
    }

    @Test
    void programsAndTestAreThoseOfTheExample() {
        String programs = TestModel.text(EXAMPLE.resolve("idea.weir"))
                + TestModel.text(EXAMPLE.resolve("baseline.weir"));
        List<String> shown = blocks("weir");
        assertEquals(3, shown.size());
        shown.forEach(s -> assertTrue(programs.contains(s), "not in the example:\n" + s));
        String test = TestModel.text(Path.of(
                "src/test/java/dev/weir/testkit/ideas/ShrinkingGateTest.java"));
        blocks("java").forEach(s -> assertTrue(test.contains(s), "not in the test:\n" + s));
    }

    /** With small sizes where something is measured, and a new folder for a new example. */
    @Test
    void everyCommandRuns() {
        List<String> commands = blocks("console").stream().flatMap(String::lines).toList();
        assertTrue(commands.size() >= 7, commands.toString());
        for (String command : commands) {
            assertTrue(command.startsWith("$ ./weir "), command);
            if (command.contains("--gallery")) {
                continue;  // minutes; BenchCommandTest and ExamplesTest have smaller ones
            }
            List<String> words = new ArrayList<>(
                    Arrays.asList(command.substring("$ ./weir ".length()).split(" ")));
            words.replaceAll(w -> !w.startsWith("examples/") ? w
                    : words.getFirst().equals("new") ? folder.resolve("tried").toString()
                            : TestModel.ROOT.resolve(w).toString());
            if (words.getFirst().equals("bench")) {
                words.addAll(List.of("-r", "1", "--warmup", "0", "--set", "D=16"));
            }
            Outcome outcome = weir(words.toArray(String[]::new));
            assertEquals(0, outcome.code(), command + "\n" + outcome.err());
        }
    }
}
