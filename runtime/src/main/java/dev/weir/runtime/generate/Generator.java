package dev.weir.runtime.generate;

import dev.weir.runtime.checkpoint.CheckpointException;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongPredicate;

/** Generates tokens with a model that maps a stream of ids to a stream of logits. */
public final class Generator {
    private final Engine engine;
    private final List<Signature.Slot> arguments;

    /**
     * @throws CheckpointException if the program is not a language model
     */
    public Generator(Engine engine, Signature signature) {
        this.engine = engine;
        this.arguments = signature.arguments();
        if (!fits(signature)) {
            throw new CheckpointException("the model " + signature.model()
                    + " does not map a stream of ids to logits, so it cannot generate text; "
                    + "run it on tensors with --inputs and --outputs");
        }
    }

    /** Whether a model maps a stream of ids to a stream of logits. */
    public static boolean fits(Signature signature) {
        Signature.Slot logits = signature.results().getFirst();
        List<Signature.Slot> arguments = signature.arguments();
        return logits.isStream()
                && logits.type().rank() == 2
                && arguments.stream().filter(a -> !a.isPositions()).count() == 1
                && arguments.stream().allMatch(a -> a.format().isInteger());
    }

    /** Feeds ids to a session in one step; gives the logits {@code [ids, vocabulary]}. */
    public Tensor feed(Engine.Session session, List<Long> ids) {
        return feed(List.of(session), ids(ids));
    }

    /**
     * Feeds ids to several sessions in one step, to each the same number.
     *
     * @param ids those of all sessions one behind the other
     * @return the logits {@code [ids, vocabulary]}
     */
    public Tensor feed(List<Engine.Session> sessions, long[] ids) {
        return feed(sessions, ids, Tensor::copy);
    }

    /** As {@link #feed(List, long[])}, with logits that are read during the step only. */
    private <R> R feed(List<Engine.Session> sessions, long[] ids, Function<Tensor, R> read) {
        long[] rows = new long[sessions.size()];
        Arrays.fill(rows, ids.length / sessions.size());
        Tensor tokens = Tensor.ofLongs(ids);
        List<Tensor> inputs = new ArrayList<>();
        for (Signature.Slot argument : arguments) {
            inputs.add(argument.isPositions() ? Engine.positions(sessions, rows) : tokens);
        }
        return engine.step(engine.entries().getFirst(), sessions, rows, inputs,
                Engine.Tracer.NONE, results -> read.apply(results.getFirst()));
    }

    /**
     * Continues a prompt.
     *
     * @param prompt at least one id
     * @param chunk most ids that one step of the prefill takes; 0 for all at once
     * @param stop ids that end the text; they are not given on
     * @param consumer gets each new id, and says whether to go on
     */
    public void generate(
            Engine.Session session,
            List<Long> prompt,
            int chunk,
            long maxTokens,
            Set<Long> stop,
            Sampler sampler,
            LongPredicate consumer) {
        if (prompt.isEmpty()) {
            throw new CheckpointException("the prompt is empty: there is nothing to continue");
        }
        int step = chunk > 0 ? chunk : prompt.size();
        int last = maxTokens == 0 ? prompt.size() : (prompt.size() - 1) / step * step;
        for (int from = 0; from < last; from += step) {
            List<Long> piece = prompt.subList(from, Math.min(prompt.size(), from + step));
            feed(List.of(session), ids(piece), logits -> true);
        }
        long[] ids = ids(prompt.subList(last, prompt.size()));
        for (long n = 0; n < maxTokens; n++) {
            long next = feed(List.of(session), ids,
                    logits -> sampler.next(logits, logits.shape()[0] - 1));
            if (stop.contains(next) || !consumer.test(next)) {
                return;
            }
            ids = new long[] {next};
        }
    }

    private static long[] ids(List<Long> ids) {
        return ids.stream().mapToLong(Long::longValue).toArray();
    }
}
