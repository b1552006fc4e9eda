package dev.weir.testkit;

import static dev.weir.testkit.CommandTest.weir;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.testkit.CommandTest.Outcome;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code weir completion}: what a shell offers with its script. */
class CompletionTest {
    @TempDir
    private Path folder;

    /** As if the last word were to be completed; `compopt` works at a prompt only. */
    private String offered(String... words) throws Exception {
        Outcome outcome = weir("completion", "bash");
        assertEquals(0, outcome.code(), outcome.err());
        Path script = Files.writeString(folder.resolve("completion"), outcome.out());
        Process shell = new ProcessBuilder("bash", "-c", "compopt() { :; }; source " + script
                + "; COMP_WORDS=(" + String.join(" ", words) + "); COMP_CWORD="
                + (words.length - 1) + "; _complete_weir; echo \"${COMPREPLY[@]}\"")
                .redirectErrorStream(true).start();
        String said = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        shell.waitFor();
        return said.strip();
    }

    @ParameterizedTest
    @CsvSource({
        "weir be, bench", "weir ne, new", "weir explain-, explain-error",
        "weir run --temp, --temperature", "weir bench --rep, --repetitions",
        "weir run --target j, jvm", "weir completion z, zsh"
    })
    void whatWasBegunIsCompleted(String line, String completed) throws Exception {
        assertEquals(completed, offered(line.split(" ")));
    }

    /** The script loads what it needs of zsh by itself. */
    @Test
    void theScriptServesBothShells() {
        assertEquals(weir("completion", "bash").out(), weir("completion", "zsh").out());
        assertEquals(2, weir("completion").code());
        assertEquals(2, weir("completion", "fish").code());
    }
}
