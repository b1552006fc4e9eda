package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A stored tensor has the extents that the equations of the parameters in it reach together. */
class StoredExtentsTest {
    @TempDir
    private Path folder;

    private String run(String field, int value) throws IOException {
        Path fixture = TestModel.fixture("gpt_oss");
        Files.copy(fixture.resolve("model.safetensors"), folder.resolve("model.safetensors"));
        String config = Files.readString(fixture.resolve("config.json"));
        String changed = config.replaceFirst(
                "\"" + field + "\": \\d+", "\"" + field + "\": " + value);
        assertFalse(config.equals(changed));
        Files.writeString(folder.resolve("config.json"), changed);
        CommandTest.Outcome outcome = CommandTest.weir(
                "run", folder.toString(), "--prompt-ids", "5,17", "-n", "2");
        assertEquals(1, outcome.code(), outcome.err());
        return outcome.err();
    }

    private static void holds(String text, String part) {
        assertTrue(text.contains(part), text);
    }

    @Test
    void whatIsLargerThanItIsReadDoesNotFit() throws IOException {
        String text = run("intermediate_size", 24);
        holds(text, "model.layers.0.mlp.experts.gate_up_proj (");
        holds(text, "has the shape [4, 64, 64], expected [4, 64, 48]");
        holds(text, "model.layers.2.mlp.experts.down_proj (");
        holds(text, "has the shape [4, 32, 64], expected [4, 24, 64]");
        holds(text, "has the shape [4, 64], expected [4, 48]");
    }

    @Test
    void whatIsSmallerThanItIsReadDoesNotFit() throws IOException {
        String text = run("intermediate_size", 40);
        holds(text, "has the shape [4, 64, 64], expected [4, 64, 80]");
        holds(text, "has the shape [4, 32, 64], expected [4, 40, 64]");
    }

    @Test
    void stackedBlocksAreCounted() throws IOException {
        holds(run("num_local_experts", 3), "has the shape [4, 64, 64], expected [3, 64, 64]");
    }
}
