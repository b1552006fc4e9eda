package dev.weir.bench.peer;

import ai.onnxruntime.OnnxTensor;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.Map;

/** A graph with one argument {@code x} and one result {@code y} that ONNX Runtime runs. */
public final class OnnxContestant implements Contestant {
    private final String name;
    private final OnnxSession session;
    private final Map<String, OnnxTensor> arguments;
    private final Map<String, OnnxTensor> results;
    private final Tensor y;

    /**
     * @param graph with its weights as constants, so that the engine can lay them out as it likes
     * @param x the argument
     * @param shape of the result, which is f32
     */
    public OnnxContestant(String name, int threads, OnnxGraph graph, Tensor x, long... shape) {
        this.name = name;
        session = new OnnxSession(graph, threads);
        y = Tensor.zeros(Format.F32, shape);
        arguments = Map.of("x", session.tensor(x));
        results = Map.of("y", session.tensor(y));
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void run() {
        session.run(arguments, results);
    }

    @Override
    public float[] result() {
        run();
        return Weights.floats(y);
    }

    @Override
    public void close() {
        session.close();
    }
}
