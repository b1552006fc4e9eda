package dev.weir.runtime.model;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.execute.Executor;
import dev.weir.runtime.execute.WorkerPool;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A compiled model with its weights, ready to run. Weights and code are shared by all sequences.
 * One step runs at a time.
 */
public final class Model implements AutoCloseable {
    private final KernelProgram program;
    private final WorkerPool workers;
    private final Executor executor;
    private Ledger ledger = new Ledger();

    /**
     * @param weights the stored tensor of every instance of every parameter; they must outlive the
     *     model
     */
    public Model(
            KernelProgram program,
            KernelCompiler compiler,
            Map<Parameter, List<Tensor>> weights,
            int threads) {
        this.program = program;
        this.workers = new WorkerPool(threads);
        List<CompiledKernel> code = compiler.compile(program.kernels());
        Map<String, CompiledKernel> compiled = new HashMap<>();
        for (int i = 0; i < code.size(); i++) {
            Kernel kernel = program.kernels().get(i);
            compiled.put(kernel.name(), code.get(i));
        }
        this.executor = new Executor(program, compiled, workers);
        for (Parameter parameter : program.parameters()) {
            executor.bind(parameter,
                    weights.get(parameter).stream().map(Tensor::memory).toList());
        }
        executor.initialise(new Ledger());
    }

    public KernelProgram program() {
        return program;
    }

    /** What ran so far, since the last {@link #resetLedger}. */
    public Ledger ledger() {
        return ledger;
    }

    public void resetLedger() {
        ledger = new Ledger();
    }

    /** The most bytes of intermediate tensors so far. */
    public long peakBytes() {
        return executor.peakBytes();
    }

    /**
     * Runs a step for several sequences at once.
     *
     * @param sequences those that take part; they remember what they see
     * @param rows how many elements of the stream each gets
     * @param arguments in the model's order; the rows of all sequences one behind the other
     */
    public synchronized List<Tensor> step(
            List<Sequence> sequences,
            long[] rows,
            List<Tensor> arguments,
            Executor.Tracer tracer) {
        List<Tensor> results = executor.step(
                arguments, rows, new BatchState(sequences), ledger, tracer).tensors();
        for (int b = 0; b < rows.length; b++) {
            sequences.get(b).advance(rows[b]);
        }
        return results;
    }

    /** The positions of the next rows of each sequence, one behind the other. */
    public static Tensor positions(List<Sequence> sequences, long[] rows) {
        long[] positions = new long[(int) Arrays.stream(rows).sum()];
        int at = 0;
        for (int b = 0; b < rows.length; b++) {
            for (long t = 0; t < rows[b]; t++) {
                positions[at++] = sequences.get(b).position() + t;
            }
        }
        return Tensor.ofLongs(positions);
    }

    @Override
    public void close() {
        workers.close();
        executor.close();
    }
}
