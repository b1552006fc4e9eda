package dev.weir.bench.model;

import dev.weir.bench.engine.WeirModel;
import dev.weir.bench.engine.Weights;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;

/** The library's program for a model type, in a precision, on shared weights. */
public final class WeirLanguageModel implements LanguageModel {
    private final String name;
    private final WeirModel model;
    private final Engine.Session session;
    private float[] last;

    /**
     * Compiles and loads.
     *
     * @param compiler is taken over and closed
     */
    public WeirLanguageModel(
            String name,
            Shape shape,
            Precision precision,
            KernelCompiler compiler,
            int threads,
            Weights weights) {
        this.name = name;
        model = WeirModel.of(precision.program(shape), shape.configuration(), compiler, threads, weights);
        session = model.model().start();
    }

    /** What runs. */
    public WeirModel model() {
        return model;
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
    public void feed(long[] ids) {
        last = model.step(session, WeirLanguageModel::last, ids.length, Tensor.ofLongs(ids));
    }

    @Override
    public long length() {
        return session.position();
    }

    @Override
    public void truncate(long tokens) {
        session.truncate(tokens);
    }

    /** Of the last token. */
    private static float[] last(Tensor logits) {
        long rows = logits.shape()[0];
        return Weights.floats(logits.rows(rows - 1, rows));
    }

    @Override
    public float[] logits() {
        return last;
    }

    @Override
    public void close() {
        session.close();
        model.close();
    }
}
