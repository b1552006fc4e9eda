package dev.weir.runtime.generate;

import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.CheckpointException;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.LongPredicate;

/** Generates tokens with a model that maps a stream of ids to a stream of logits. */
public final class Generator {
    private final Engine engine;
    private final List<Value> arguments;

    /**
     * @throws CheckpointException if the program is not a language model
     */
    public Generator(Engine engine, TensorProgram program) {
        this.engine = engine;
        this.arguments = program.entry().body().arguments();
        List<Size> logits = program.entry().body().results().getFirst().type().shape();
        boolean fits = program.stream().isPresent()
                && logits.size() == 2
                && program.isStream(logits.getFirst())
                && arguments.stream().filter(a -> !isPositions(a)).count() == 1
                && arguments.stream().allMatch(a -> a.type().format().isInteger());
        if (!fits) {
            throw new CheckpointException("the model " + program.name()
                    + " does not map a stream of ids to logits, so it cannot generate text; "
                    + "run it on tensors with --inputs and --outputs");
        }
    }

    /** Whether an argument gets absolute positions from the runtime. */
    public static boolean isPositions(Value argument) {
        return argument.name().equals("positions");
    }

    /** Feeds ids to a session in one step; gives the logits {@code [ids, vocabulary]}. */
    public Tensor feed(Engine.Session session, List<Long> ids) {
        long[] rows = {ids.size()};
        Tensor tokens = Tensor.ofLongs(ids.stream().mapToLong(Long::longValue).toArray());
        List<Tensor> inputs = new ArrayList<>();
        for (Value argument : arguments) {
            inputs.add(isPositions(argument)
                    ? Engine.positions(List.of(session), rows)
                    : tokens);
        }
        return engine.step(List.of(session), rows, inputs, Engine.Tracer.NONE).getFirst();
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
        Tensor logits = null;
        for (int from = 0; from < prompt.size(); from += step) {
            logits = feed(session, prompt.subList(from, Math.min(prompt.size(), from + step)));
        }
        for (long n = 0; n < maxTokens; n++) {
            long next = sampler.next(logits, logits.shape()[0] - 1);
            if (stop.contains(next) || !consumer.test(next) || n + 1 == maxTokens) {
                return;
            }
            logits = feed(session, List.of(next));
        }
    }
}
