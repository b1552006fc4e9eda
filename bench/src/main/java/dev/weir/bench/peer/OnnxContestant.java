package dev.weir.bench.peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;

/** A graph with one argument {@code x} and one result {@code y} that ONNX Runtime runs. */
public final class OnnxContestant implements Contestant {
    private final String name;
    private final OrtSession session;
    private final OnnxTensor input;
    private final OnnxTensor output;
    private final Tensor y;

    /**
     * @param graph with its weights as constants, so that the engine can lay them out as it likes
     * @param x the argument
     * @param shape of the result, which is f32
     */
    public OnnxContestant(String name, int threads, OnnxGraph graph, Tensor x, long... shape) {
        this.name = name;
        try (OrtSession.SessionOptions options = options(threads)) {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            session = environment.createSession(graph.toBytes(), options);
            input = tensor(environment, x);
            y = Tensor.zeros(Format.F32, shape);
            output = tensor(environment, y);
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All optimisations; threads may spin inside a run, as they do unless told otherwise. */
    static OrtSession.SessionOptions options(int threads) throws OrtException {
        OrtSession.SessionOptions options = new OrtSession.SessionOptions();
        options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
        options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
        options.setIntraOpNumThreads(threads);
        options.setInterOpNumThreads(1);
        return options;
    }

    private static OnnxTensor tensor(OrtEnvironment environment, Tensor tensor)
            throws OrtException {
        var bytes = tensor.memory().asSlice(0, tensor.bytes()).asByteBuffer()
                .order(ByteOrder.nativeOrder());
        return tensor.format() == Format.F32
                ? OnnxTensor.createTensor(environment, bytes.asFloatBuffer(), tensor.shape())
                : OnnxTensor.createTensor(environment, bytes.asLongBuffer(), tensor.shape());
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
        try (var _ = session.run(Map.of("x", input), Set.of(), Map.of("y", output))) {
            // What it leaves lies in the output's memory.
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public float[] result() {
        run();
        return Weights.floats(y);
    }

    @Override
    public void close() {
        try {
            input.close();
            output.close();
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }
}
