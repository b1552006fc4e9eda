package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code ./weir}: where it looks for what was built. */
class ScriptTest {
    @TempDir
    private Path folder;

    /** What is built stands beside the script, not beside a link to it. */
    @Test
    void aLinkLeadsToWhatWasBuilt() throws Exception {
        Path home = Files.createDirectories(folder.resolve("home/cli/target/lib"))
                .getParent().getParent().getParent();
        Files.createFile(home.resolve("cli/target/weir-cli.jar"));
        for (String file : new String[] {"weir", "jvm.options"}) {
            Files.copy(TestModel.ROOT.resolve(file), home.resolve(file));
        }
        Path link = Files.createSymbolicLink(folder.resolve("link"), home.resolve("weir"));
        ProcessBuilder builder = new ProcessBuilder("bash", link.toString(), "--version");
        builder.environment().put("WEIR_JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(
                process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        assertFalse(said.contains("building"), said);
        assertTrue(said.contains("dev.weir.cli.Weir"), said);
    }
}
