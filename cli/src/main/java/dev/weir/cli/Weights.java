package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.ir.tensor.IndexRanges;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Parameter.Part.Kind;
import dev.weir.ir.type.Format;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.checkpoint.NotFinite;
import dev.weir.runtime.checkpoint.RandomCheckpoint;
import dev.weir.runtime.memory.Tensor;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.stream.Collectors;

/**
 * The weights of a model.
 *
 * @param tensors one for every instance of every parameter
 * @param unused stored tensors that the model has no use for
 * @param owner what has to be closed to free the tensors; empty if there are none
 * @param release frees those of one parameter, as far as their memory can be freed by itself
 */
record Weights(
        Map<Parameter, List<Tensor>> tensors,
        Set<String> unused,
        Optional<AutoCloseable> owner,
        Consumer<Parameter> release) {
    /**
     * What is told of them when they are loaded.
     *
     * @param count how many numbers they are
     * @param bytes that they take as they are stored
     * @param unused stored tensors that the model has no use for
     */
    record Summary(long count, long bytes, Set<String> unused) {}

    /** Without the tensors, most of which steps may not read. */
    Summary summary() {
        return new Summary(count(), bytes(), unused);
    }

    /** The field of config.json by which two matrices of a model are one. */
    private static final String TIED = "tie_word_embeddings";

    /** How many tensors a warning names. */
    private static final int SHOWN = 10;

    /**
     * Those of the checkpoint folder that the options name. What is odd about them is a warning, on
     * every target alike: numbers that are not finite, and tied matrices that differ.
     */
    static Weights stored(
            ModelOptions options, List<Parameter> parameters, Consumer<String> progress) {
        if (parameters.isEmpty()) {
            return new Weights(Map.of(), Set.of(), Optional.empty(), p -> { });
        }
        Checkpoint checkpoint = Checkpoint.open(options.files().weights().orElseThrow(() ->
                new UserException("the model has parameters but no weights were found"
                        + "\nhelp: name the checkpoint folder with --weights")));
        try {
            Weights weights = new Weights(
                    checkpoint.bind(parameters, counted(parameters, progress)),
                    checkpoint.unused(parameters),
                    Optional.of(checkpoint), p -> { });
            progress.accept("looking at the weights");
            List<NotFinite> notFinite = checkpoint.notFinite(parameters);
            if (!notFinite.isEmpty()) {
                options.warning(text(notFinite));
            }
            Optional<JsonNode> tied = options.files().configuration().field(TIED);
            tied.filter(t -> !t.isBoolean()).ifPresent(t -> {
                throw new UserException("`" + TIED + "` in config.json is " + t
                        + "\nhelp: true or false is expected");
            });
            boolean saysTied = tied.filter(JsonNode::asBoolean).isPresent();
            if (saysTied) {
                checkpoint.contradicting(parameters).forEach(
                        names -> options.warning(text(names.getFirst(), names.getLast())));
            }
            return weights;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private static String text(List<NotFinite> notFinite) {
        String more = notFinite.size() > SHOWN
                ? "\n  … and " + (notFinite.size() - SHOWN) + " more tensors" : "";
        return "weights that are not finite make all that is computed from them so:\n  "
                + notFinite.stream().limit(SHOWN)
                        .map(found -> found.name() + " (" + found.path() + ") has "
                                + found.text())
                        .collect(Collectors.joining("\n  "))
                + more
                + "\nhelp: take another copy of the checkpoint; if that has them too, they were "
                + "made in training";
    }

    private static String text(String read, String other) {
        return "config.json says " + TIED + ", but " + read + " and " + other
                + " are both stored, and differ: " + read + " is read as it is"
                + "\nhelp: set " + TIED + " to false, or take " + read + " out of the file";
    }

    /** Random ones, of which no two parameters share any. */
    static Weights random(
            ModelOptions options, long seed, List<Parameter> parameters,
            Consumer<String> progress) {
        boolean hasWhole = parameters.stream()
                .anyMatch(p -> p.value().type().format() == Format.I64);
        // Kernels do not say what a number is an index into.
        RandomCheckpoint checkpoint = new RandomCheckpoint(seed,
                hasWhole && !options.isKernelDump()
                        ? IndexRanges.of(options.entries(false)) : Map.of());
        try {
            return new Weights(
                    checkpoint.bind(parameters, counted(parameters, progress)), Set.of(),
                    Optional.of(checkpoint), checkpoint::release);
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private static IntConsumer counted(List<Parameter> parameters, Consumer<String> progress) {
        return done -> progress.accept("loading weights " + done + "/" + parameters.size());
    }

    /**
     * How many numbers they are; those that several parameters share count once, and what is
     * quantised counts as the numbers that it stands for.
     */
    long count() {
        Map<Long, Long> counts = new HashMap<>();
        tensors.forEach((parameter, instances) -> {
            boolean isScale = parameter.part().filter(p -> p.kind() != Kind.CODES).isPresent();
            for (Tensor tensor : instances) {
                long count = isScale ? 0 : Tensor.count(parameter.storedShape());
                counts.merge(tensor.memory().address(), count, Math::max);
            }
        });
        return counts.values().stream().mapToLong(n -> n).sum();
    }

    /** The memory that they take, in bytes; packed copies come on top. */
    long bytes() {
        return distinct().stream().mapToLong(Tensor::bytes).sum();
    }

    private Collection<Tensor> distinct() {
        return tensors.values().stream().flatMap(List::stream)
                .collect(Collectors.toMap(t -> t.memory().address(), Function.identity(),
                        (a, b) -> a.elements() >= b.elements() ? a : b))
                .values();
    }

    /** Frees the tensors. */
    void close() {
        try {
            if (owner.isPresent()) {
                owner.get().close();
            }
        } catch (Exception e) {
            throw new IllegalStateException("cannot free the weights", e);
        }
    }
}
