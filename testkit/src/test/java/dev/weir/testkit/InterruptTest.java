package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A command in a process of its own that tells a story without end, until somebody ends it. */
class InterruptTest {
    @TempDir
    private Path folder;

    private Process process;

    @BeforeEach
    void aStoryBegins() throws IOException {
        try (Stream<Path> files = Files.list(TestModel.tinyworld())) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Path config = folder.resolve("config.json");
        ObjectMapper mapper = new ObjectMapper();
        mapper.writeValue(config.toFile(),
                ((ObjectNode) mapper.readTree(config.toFile())).without("eos_token_id"));
        process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                "-cp", System.getProperty("java.class.path"), "dev.weir.cli.Weir",
                "run", folder.toString(), "--prompt", "Mira the fox lived", "-n", "1000000",
                "--threads", "1")
                .redirectError(folder.resolve("messages").toFile()).start();
    }

    @AfterEach
    void nothingStays() {
        process.destroyForcibly();
    }

    /** All that it said beside the story. */
    private List<String> messages() throws IOException {
        return Files.readAllLines(folder.resolve("messages")).stream()
                .filter(line -> !line.startsWith("WARNING: Using incubator modules"))
                .filter(line -> !line.startsWith("SLF4J")).toList();
    }

    private void assertEnds(int code) throws Exception {
        assertTrue(process.waitFor(2, TimeUnit.MINUTES), "it goes on");
        assertEquals(code, process.exitValue(), messages().toString());
        assertEquals(List.of(), messages());
    }

    /** Who starts tests in the background may have them ignore interrupts, and processes inherit. */
    private static boolean interruptsAreTaken() throws IOException {
        Path status = Path.of("/proc/self/status");
        int interrupt = 1 << (2 - 1);
        return Files.exists(status) && Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("SigIgn:"))
                .allMatch(line -> (Long.parseUnsignedLong(
                        line.substring(line.indexOf(':') + 1).strip(), 16) & interrupt) == 0);
    }

    @Test
    void anInterruptEndsTheLineAndNothingElseIsSaid() throws Exception {
        assumeTrue(interruptsAreTaken());
        InputStream story = process.getInputStream();
        String told = new String(story.readNBytes(60), StandardCharsets.UTF_8);
        assertTrue(told.startsWith("Mira the fox lived"), told);
        new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
        String rest = new String(story.readAllBytes(), StandardCharsets.UTF_8);
        assertEnds(130);
        assertTrue(rest.endsWith("\n"), rest);
    }

    @Test
    void aReaderThatHasEnoughEndsItQuietly() throws Exception {
        InputStream story = process.getInputStream();
        story.readNBytes(60);
        story.close();
        assertEnds(141);
    }
}
