package dev.weir.cli;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * One repetition of some steps: fresh sequences that have seen their context get elements of their
 * streams. Inputs are random and the same each time, whatever the model.
 */
final class StepTrial implements Measurement.Trial {
    private static final long SEED = 42;

    /**
     * What is stepped.
     *
     * @param batch sequences at once
     * @param steps how many there are, one behind the other
     * @param tokens of each sequence in each step
     */
    record Shape(int batch, int steps, long tokens) {
        /** One step of one sequence. */
        static Shape step(long tokens) {
            return new Shape(1, 1, tokens);
        }
    }

    private final Loaded loaded;
    private final List<Engine.Session> sessions;
    private final String entry;
    private final Shape shape;
    private final List<List<Tensor>> given;

    /**
     * @param context what the sequences have seen before the steps; it is not timed
     * @param ids above each whole number of the inputs; as many as there are logits if empty, and
     *     only 0, which is always there, without logits
     */
    StepTrial(
            Loaded loaded,
            StepEntry entry,
            List<Question.Context> context,
            Shape shape,
            Optional<Long> ids) {
        this.loaded = loaded;
        this.sessions = new ArrayList<>();
        this.entry = entry.name();
        this.shape = shape;
        this.given = new ArrayList<>();
        for (int i = 0; i < shape.batch(); i++) {
            sessions.add(loaded.engine().start());
        }
        var random = new SplittableRandom(SEED);
        long below = ids.or(loaded::vocabulary).orElse(1L);
        for (Question.Context before : context) {
            if (before.tokens() > 0) {
                String by = entry.of(before);
                step(by, inputs(by, before.tokens(), below, random), before.tokens());
            }
        }
        for (int i = 0; i < shape.steps(); i++) {
            given.add(inputs(this.entry, shape.tokens(), below, random));
        }
    }

    /** Those of all sequences; positions are for the moment of the step to say. */
    private List<Tensor> inputs(
            String entry, long tokens, long below, SplittableRandom random) {
        List<Tensor> tensors = new ArrayList<>();
        for (Signature.Slot argument : loaded.signatures().get(entry).arguments()) {
            if (!argument.isPositions()) {
                tensors.add(random(argument, tokens, below, random));
            }
        }
        return tensors;
    }

    /** What goes along the stream has a row for each element, the rest one for the sequence. */
    private Tensor random(
            Signature.Slot argument, long tokens, long below, SplittableRandom random) {
        List<Size> own = argument.type().shape();
        long[] shape = new long[argument.isStream() ? own.size() : own.size() + 1];
        shape[0] = argument.isStream() ? tokens * sessions.size() : sessions.size();
        for (int axis = argument.isStream() ? 1 : 0; axis < own.size(); axis++) {
            shape[argument.isStream() ? axis : axis + 1] =
                    own.get(axis).constant().orElse(tokens);
        }
        Format format = argument.format();
        Tensor tensor = Tensor.zeros(format, shape);
        for (long i = 0; i < tensor.elements(); i++) {
            if (format.isFloat()) {
                tensor.setReal(i, random.nextGaussian());
            } else {
                tensor.setWhole(i, random.nextLong(below));
            }
        }
        return tensor;
    }

    private void step(String entry, List<Tensor> tensors, long tokens) {
        long[] rows = new long[sessions.size()];
        Arrays.fill(rows, tokens);
        List<Tensor> arguments = new ArrayList<>();
        int next = 0;
        for (Signature.Slot argument : loaded.signatures().get(entry).arguments()) {
            arguments.add(argument.isPositions()
                    ? Engine.positions(entry, sessions, rows) : tensors.get(next++));
        }
        loaded.engine().step(
                entry, sessions, rows, arguments, Engine.Tracer.NONE, results -> true);
    }

    @Override
    public void run() {
        given.forEach(tensors -> step(entry, tensors, shape.tokens()));
    }

    @Override
    public void close() {
        sessions.forEach(Engine.Session::close);
    }
}
