package dev.weir.cli;

import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.generate.Generator;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * One repetition of a step: a fresh sequence that has seen its context gets some elements of its
 * stream. Inputs are random and the same each time, whatever the model.
 */
final class StepTrial implements Measurement.Trial {
    private static final long SEED = 42;

    private final Engine engine;
    private final Engine.Session session;
    private final List<Tensor> inputs;
    private final long tokens;

    /**
     * @param context elements before the step; they are not timed
     * @param ids above each whole number of the input; as many as there are logits if empty
     */
    StepTrial(Loaded loaded, long tokens, long context, Optional<Long> ids) {
        this.engine = loaded.engine();
        this.session = engine.start();
        this.tokens = tokens;
        var random = new SplittableRandom(SEED);
        long below = ids.orElseGet(() -> ids(loaded.signature()));
        if (context > 0) {
            step(inputs(loaded.signature(), context, below, random), context);
        }
        this.inputs = inputs(loaded.signature(), tokens, below, random);
    }

    /** How many ids a language model knows; others are asked for 0, which is always there. */
    private static long ids(Signature signature) {
        return Generator.fits(signature)
                ? signature.results().getFirst().type().shape().getLast().constant().orElse(1L)
                : 1;
    }

    private List<Tensor> inputs(
            Signature signature, long rows, long below, SplittableRandom random) {
        List<Tensor> tensors = new ArrayList<>();
        for (Signature.Slot argument : signature.arguments()) {
            tensors.add(argument.isPositions()
                    ? Engine.positions(List.of(session), new long[] {rows})
                    : random(argument, rows, below, random));
        }
        return tensors;
    }

    /** What goes along the stream has a row for each element, the rest one for the sequence. */
    private static Tensor random(
            Signature.Slot argument, long rows, long below, SplittableRandom random) {
        List<Size> own = argument.type().shape();
        long[] shape = new long[argument.isStream() ? own.size() : own.size() + 1];
        shape[0] = argument.isStream() ? rows : 1;
        for (int axis = argument.isStream() ? 1 : 0; axis < own.size(); axis++) {
            shape[argument.isStream() ? axis : axis + 1] = own.get(axis).constant().orElse(rows);
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

    private void step(List<Tensor> given, long rows) {
        engine.step(List.of(session), new long[] {rows}, given, Engine.Tracer.NONE);
    }

    @Override
    public void run() {
        step(inputs, tokens);
    }

    @Override
    public void close() {
        session.close();
    }
}
