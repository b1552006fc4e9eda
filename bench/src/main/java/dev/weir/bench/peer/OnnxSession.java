package dev.weir.bench.peer;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.weir.runtime.memory.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A graph that ONNX Runtime has loaded: all optimisations, threads that may spin inside a run, as
 * they do unless told otherwise. Close it to free it and every tensor that it made.
 */
public final class OnnxSession implements AutoCloseable {
    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final List<OnnxTensor> tensors = new ArrayList<>();
    private final OrtSession session;

    /**
     * Loads it.
     *
     * @param graph with its weights as constants, so that the engine can lay them out as it likes
     * @throws IllegalStateException if the engine refuses it
     */
    public OnnxSession(OnnxGraph graph, int threads) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            options.setExecutionMode(OrtSession.SessionOptions.ExecutionMode.SEQUENTIAL);
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            Map<String, OnnxTensorLike> stored = new HashMap<>();
            graph.apart().forEach((name, constant) ->
                    stored.put(name, tensor(constant.element(), constant.tensor())));
            if (!stored.isEmpty()) {
                options.addExternalInitializers(stored);
            }
            session = environment.createSession(graph.toBytes(), options);
        } catch (OrtException e) {
            closeTensors();
            throw new IllegalStateException(e);
        }
    }

    /** The same memory, for this session: it has to outlive it. */
    public OnnxTensor tensor(Tensor tensor) {
        return tensor(OnnxGraph.Element.of(tensor.format()), tensor);
    }

    private OnnxTensor tensor(OnnxGraph.Element element, Tensor tensor) {
        ByteBuffer bytes = tensor.memory().asSlice(0, tensor.bytes()).asByteBuffer()
                .order(ByteOrder.nativeOrder());
        try {
            OnnxTensor made = OnnxTensor.createTensor(
                    environment, bytes, tensor.shape(), element.type());
            tensors.add(made);
            return made;
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Runs it once.
     *
     * @param results memory that gets them, of their formats and shapes
     */
    public void run(Map<String, OnnxTensor> arguments, Map<String, OnnxTensor> results) {
        try (var _ = session.run(arguments, Set.of(), results)) {
            // What it leaves lies in the results' memory.
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        } finally {
            closeTensors();
        }
    }

    private void closeTensors() {
        tensors.forEach(OnnxTensor::close);
    }
}
