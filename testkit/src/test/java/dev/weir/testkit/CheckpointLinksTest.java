package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Symbolic links in a checkpoint: within it, and from a snapshot to its blobs, they are followed;
 * out of it they are refused before anything is read.
 */
class CheckpointLinksTest {
    private static final Path STOCK = TestModel.fixture("llama");

    @TempDir
    private Path temporary;

    private Path folder;

    @BeforeEach
    void copy() throws IOException {
        folder = Files.createDirectory(temporary.resolve("model"));
        for (String name : new String[] {"config.json", "model.safetensors"}) {
            Files.copy(STOCK.resolve(name), folder.resolve(name));
        }
        Files.writeString(folder.resolve("generation_config.json"), "{}");
        Files.copy(TestModel.tinyworld().resolve("tokenizer.json"),
                folder.resolve("tokenizer.json"));
    }

    private static CommandTest.Outcome run(Path folder) {
        return CommandTest.weir("run", folder.toString(), "--prompt", "x", "-n", "1");
    }

    private void link(Path link, Path target) throws IOException {
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, target);
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "config.json", "model.safetensors", "tokenizer.json", "generation_config.json"})
    void aLinkOutOfTheFolderIsRefused(String name) throws IOException {
        Path outside = temporary.resolve("outside");
        Files.writeString(outside, "root:x:0:0 a secret");
        link(folder.resolve(name), outside);
        CommandTest.Outcome outcome = run(folder);
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains(folder.resolve(name) + " is a symbolic link to "
                + outside.toRealPath() + ", which lies outside"), outcome.err());
        assertFalse(outcome.err().contains("secret"), outcome.err());
    }

    @Test
    void aSoundFileElsewhereIsRefusedToo() throws IOException {
        link(folder.resolve("model.safetensors"), STOCK.resolve("model.safetensors"));
        assertEquals(1, run(folder).code());
    }

    @Test
    void aShardBehindALinkedFolderIsRefused() throws IOException {
        link(folder.resolve("part"), STOCK);
        Files.writeString(folder.resolve("model.safetensors.index.json"),
                "{\"weight_map\": {\"a\": \"part/model.safetensors\"}}");
        CommandTest.Outcome outcome = run(folder);
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("which lies outside"), outcome.err());
    }

    @Test
    void aLinkToNothingIsRefused() throws IOException {
        link(folder.resolve("model.safetensors"), Path.of("nowhere"));
        CommandTest.Outcome outcome = run(folder);
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("link to what is not there"), outcome.err());
    }

    @Test
    void aLinkToItselfIsRefused() throws IOException {
        link(folder.resolve("config.json"), Path.of("config.json"));
        CommandTest.Outcome outcome = run(folder);
        assertEquals(1, outcome.code());
        assertTrue(outcome.err().contains("config.json"), outcome.err());
    }

    @Test
    void aLinkWithinTheFolderIsFollowed() throws IOException {
        Files.move(folder.resolve("model.safetensors"), folder.resolve("weights"));
        link(folder.resolve("model.safetensors"), Path.of("weights"));
        assertEquals(0, run(folder).code(), run(folder).err());
    }

    @Test
    void aFolderThatIsALinkIsTheFolderThatTheUserMeant() throws IOException {
        Path link = temporary.resolve("link");
        link(link, folder);
        assertEquals(0, run(link).code(), run(link).err());
    }

    /** As the cache of Hugging Face lies: snapshots/REVISION/NAME -> ../../blobs/HASH. */
    private Path cached(String inside) throws IOException {
        Path model = Files.createDirectories(temporary.resolve("hub/models--a--b"));
        Path snapshot = Files.createDirectories(model.resolve("snapshots/0123abcd" + inside));
        Path blobs = Files.createDirectories(model.resolve("blobs"));
        try (var names = Files.list(folder)) {
            for (Path name : names.toList()) {
                Path blob = blobs.resolve("of-" + name.getFileName());
                Files.move(name, blob);
                link(snapshot.resolve(name.getFileName()), snapshot.relativize(blob));
            }
        }
        return snapshot;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/decoder"})
    void aSnapshotMayLinkToItsBlobs(String inside) throws IOException {
        Path snapshot = cached(inside);
        CommandTest.Outcome outcome = run(snapshot);
        assertEquals(0, outcome.code(), outcome.err());
        assertEquals("", outcome.err());
    }

    @Test
    void aSnapshotMayNotLinkToAnotherModel() throws IOException {
        Path snapshot = cached("");
        Path other = Files.createDirectories(temporary.resolve("hub/models--c--d/blobs"));
        Files.copy(STOCK.resolve("config.json"), other.resolve("config.json"));
        link(snapshot.resolve("config.json"),
                Path.of("../../../models--c--d/blobs/config.json"));
        assertTrue(run(snapshot).err().contains("which lies outside"), run(snapshot).err());
    }

    /** Blobs that are a link themselves would lead anywhere. */
    @Test
    void blobsElsewhereAreRefused() throws IOException {
        Path snapshot = cached("");
        Path blobs = snapshot.resolve("../../blobs").normalize();
        Path moved = temporary.resolve("moved");
        Files.move(blobs, moved);
        link(blobs, moved);
        assertTrue(run(snapshot).err().contains("which lies outside"), run(snapshot).err());
    }
}
