package dev.weir.bench.engine;

import dev.weir.bench.measure.Contestant;
import dev.weir.runtime.memory.Tensor;

/** A Weir program on one input, from an empty context each time. */
public final class WeirContestant implements Contestant {
    private final String name;
    private final WeirModel model;
    private final long rows;
    private final Tensor[] arguments;

    /** Takes the model over and closes it. */
    public WeirContestant(String name, WeirModel model, long rows, Tensor... arguments) {
        this.name = name;
        this.model = model;
        this.rows = rows;
        this.arguments = arguments.clone();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isPeer() {
        return false;
    }

    @Override
    public void run() {
        model.whole(result -> true, rows, arguments);
    }

    @Override
    public float[] result() {
        return model.whole(Weights::floats, rows, arguments);
    }

    @Override
    public void close() {
        model.close();
    }
}
