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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A compiled model with its weights, ready to run. Weights and code are shared by all sequences.
 * One step runs at a time.
 */
public final class Model implements Engine {
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

    @Override
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

    @Override
    public Session start() {
        return new Sequence();
    }

    @Override
    public synchronized List<Tensor> step(
            List<Session> sessions, long[] rows, List<Tensor> arguments, Tracer tracer) {
        Engine.mayStep(program.name(), program.stream(), sessions);
        List<Sequence> sequences = sessions.stream().map(s -> (Sequence) s).toList();
        List<Tensor> results = executor.step(
                arguments, rows, new BatchState(sequences), ledger, tracer).tensors();
        for (int b = 0; b < rows.length; b++) {
            sequences.get(b).advance(rows[b]);
        }
        return results;
    }

    @Override
    public void close() {
        workers.close();
        executor.close();
    }
}
