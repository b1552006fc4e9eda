package dev.weir.bench.model;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import dev.weir.runtime.checkpoint.SafeTensors;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The model in Jlama, read from a checkpoint folder that is written for it. */
public final class JlamaLanguageModel implements LanguageModel {
    private static final String THREADS = "weir.bench.jlama.threads";

    private final Path folder;
    private final AbstractModel model;
    private final KvBufferCache.KvBuffer cache;
    private float[] probabilities = new float[0];
    private int length;

    /**
     * Writes the folder and loads it.
     *
     * @param rounded the format to which it rounds the weights while it loads; what they are
     *     multiplied with stays f32, as its Vector API products of int8 refuse this model
     */
    public JlamaLanguageModel(Parameters parameters, Optional<DType> rounded, int threads) {
        useThreads(threads);
        try {
            folder = Files.createTempDirectory("weir-bench");
            Files.writeString(folder.resolve("config.json"),
                    parameters.shape().configuration());
            Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
            SafeTensors.write(folder.resolve("model.safetensors"), parameters.all());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try {
            model = ModelSupport.loadModel(folder.toFile(), null, DType.F32, DType.F32,
                    rounded, Optional.empty());
            cache = new KvBufferCache(model).getEphemeralKvBuffer();
        } catch (Throwable e) {
            delete();
            throw e;
        }
    }

    /** It has one pool for the whole process, whose size is set once. */
    private static synchronized void useThreads(int threads) {
        if (System.getProperty(THREADS) == null) {
            PhysicalCoreExecutor.overrideThreadCount(threads);
            System.setProperty(THREADS, Integer.toString(threads));
        } else if (!System.getProperty(THREADS).equals(Integer.toString(threads))) {
            throw new IllegalStateException("its threads cannot be changed in one process");
        }
    }

    /** Enough for it to load; no text is ever made into tokens. */
    private static String tokenizer() {
        return """
                {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", \
                "vocab": {"<unk>": 0, "<s>": 1, "</s>": 2}, "merges": []}}
                """;
    }

    @Override
    public String name() {
        return "Jlama";
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void feed(long[] ids) {
        int[] tokens = new int[ids.length];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = Math.toIntExact(ids[i]);
        }
        try (AbstractTensor<?, ?> states = tokens.length == 1
                ? model.forward(tokens[0], length, cache, Optional.empty())
                : model.batchForward(tokens, length, cache)) {
            // A slice is no tensor of its own: to close it too would give its memory back twice.
            int rows = states.shape().first();
            probabilities = model.getLogits(rows > 1 ? states.slice(rows - 1) : states);
        }
        length += tokens.length;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public void truncate(long tokens) {
        length = Math.toIntExact(tokens);
        cache.setCurrentContextPosition(length);
    }

    @Override
    public float[] logits() {
        return probabilities.clone();
    }

    @Override
    public void close() {
        try {
            cache.close();
        } finally {
            model.close();
            delete();
        }
    }

    private void delete() {
        try (Stream<Path> files = Files.walk(folder)) {
            List<Path> deepestFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : deepestFirst) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
