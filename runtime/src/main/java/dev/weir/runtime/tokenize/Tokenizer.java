package dev.weir.runtime.tokenize;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import dev.weir.runtime.checkpoint.CheckpointException;
import dev.weir.runtime.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Text to token ids and back, as the checkpoint's tokenizer.json says. */
public final class Tokenizer implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private Tokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The tokenizer of a checkpoint folder, if it has one. */
    public static Optional<Tokenizer> open(Path folder) {
        return new CheckpointFolder(folder).file("tokenizer.json").map(Tokenizer::read);
    }

    private static Tokenizer read(Path file) {
        try {
            // Without this the library asks the network for a build for the GPU.
            System.setProperty("RUST_FLAVOR", "cpu");
            return new Tokenizer(HuggingFaceTokenizer.newInstance(
                    file, Map.of("addSpecialTokens", "false")));
        } catch (IOException | RuntimeException e) {
            throw new CheckpointException(file + " is not a tokenizer: " + e.getMessage());
        }
    }

    public long[] encode(String text) {
        return tokenizer.encode(text, false, false).getIds();
    }

    public String decode(List<Long> ids) {
        return tokenizer.decode(ids.stream().mapToLong(Long::longValue).toArray(), true);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
