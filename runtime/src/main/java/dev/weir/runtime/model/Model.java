package dev.weir.runtime.model;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.ParameterReads;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.runtime.execute.Executor;
import dev.weir.runtime.execute.WorkerPool;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;

/**
 * A compiled model with its weights, ready to run. Weights and code are shared by all sequences.
 * Several threads may use it; one step runs at a time, on all workers.
 */
public final class Model implements Engine {
    private final KernelProgram program;
    private final WorkerPool workers;
    /** What runs a step, by the name of the entry. */
    private final SequencedMap<String, Executor> executors = new LinkedHashMap<>();
    private final Map<String, Signature> signatures = new HashMap<>();
    private final List<State> states;
    private final Set<String> read;
    private final Pool pool;
    private final Sessions sessions;
    private volatile Ledger ledger = new Ledger();

    /** Without a limit to its memory. */
    public Model(
            KernelProgram program,
            KernelCompiler compiler,
            Map<Parameter, List<Tensor>> weights,
            int threads) {
        this(program, compiler, weights, threads, Pool.UNLIMITED);
    }

    /** As {@link #Model(List, KernelCompiler, Map, int, long)}, with one entry. */
    public Model(
            KernelProgram program,
            KernelCompiler compiler,
            Map<Parameter, List<Tensor>> weights,
            int threads,
            long memoryLimit) {
        this(List.of(program), compiler, weights, threads, memoryLimit);
    }

    /**
     * @param entries what steps can run, of one model; the one that is taken by itself first
     * @param weights the stored tensor of every instance of every parameter; those of which a step
     *     {@link #reads} must outlive the model, the others its load
     * @param memoryLimit most bytes that states, intermediate tensors and what is computed from the
     *     weights at load, such as packed copies, may take together; stored weights, code and
     *     results that were handed out do not count
     * @throws dev.weir.runtime.memory.MemoryLimitException if the load alone takes more
     */
    public Model(
            List<KernelProgram> entries,
            KernelCompiler compiler,
            Map<Parameter, List<Tensor>> weights,
            int threads,
            long memoryLimit) {
        this.program = entries.getFirst();
        this.pool = new Pool(memoryLimit);
        this.read = ParameterReads.ofSteps(entries);
        this.states = States.all(entries.stream().map(KernelProgram::states).toList());
        SequencedMap<String, Optional<StreamAxis>> streams = new LinkedHashMap<>();
        entries.forEach(e -> streams.put(e.entry(), e.stream()));
        entries.forEach(e -> signatures.put(e.entry(), Signature.of(e)));
        this.sessions = new Sessions(program.name(), streams, states);
        this.workers = new WorkerPool(threads);
        try {
            for (KernelProgram entry : entries) {
                executors.put(entry.entry(), executor(entry, compiler, weights));
            }
            pool.trim();
        } catch (Throwable e) {
            free();
            throw e;
        }
    }

    private Executor executor(
            KernelProgram entry, KernelCompiler compiler,
            Map<Parameter, List<Tensor>> weights) {
        List<CompiledKernel> code = compiler.compile(entry.kernels());
        Map<String, CompiledKernel> compiled = new HashMap<>();
        for (int i = 0; i < code.size(); i++) {
            compiled.put(entry.kernels().get(i).name(), code.get(i));
        }
        Executor executor = new Executor(entry, compiled, workers, pool);
        for (Parameter parameter : entry.parameters()) {
            executor.bind(parameter,
                    stored(parameter, weights).stream().map(Tensor::memory).toList());
        }
        executor.initialise(new Ledger());
        return executor;
    }

    /** The tensors of a parameter's instances, which kernels find by their addresses. */
    private static List<Tensor> stored(
            Parameter parameter, Map<Parameter, List<Tensor>> weights) {
        List<Tensor> tensors = weights.getOrDefault(parameter, List.of());
        int instances = parameter.instances().size();
        if (tensors.size() != instances) {
            throw new IllegalArgumentException("the parameter " + parameter.path() + " has "
                    + instances + " instances, here are " + tensors.size() + " tensors");
        }
        return tensors;
    }

    @Override
    public List<String> entries() {
        return List.copyOf(executors.keySet());
    }

    /** That of the entry that is taken by itself. */
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

    /**
     * Whether steps read a parameter as it is stored. Others were needed at load only, to make
     * packed copies, say.
     */
    public boolean reads(Parameter parameter) {
        return read.contains(parameter.identity());
    }

    /** The most bytes of states, intermediate tensors and packed weights at once so far. */
    public long peakBytes() {
        return pool.peak();
    }

    /**
     * The most bytes of tensors that a step of an entry had at once so far, by their shapes: what
     * a memory plan says that it takes at least. 0 before the first step.
     *
     * @throws IllegalArgumentException if there is no such entry
     */
    public long peakTensorBytes(String entry) {
        if (!executors.containsKey(entry)) {
            throw new IllegalArgumentException("no entry " + entry);
        }
        return executors.get(entry).mostTensorBytes();
    }

    /** Bytes of states, intermediate tensors and packed weights that are in use. */
    public long bytesInUse() {
        return pool.inUse();
    }

    /** Bytes that it has from the system: those in use, and blocks for the steps to come. */
    public long bytesHeld() {
        return pool.held();
    }

    /** Frees the large blocks that no session and no step needs at present. */
    public void trim() {
        pool.trim();
    }

    /**
     * @throws dev.weir.runtime.memory.MemoryLimitException if there is no room for its states
     */
    @Override
    public Session start() {
        return sessions.start(() -> new BufferStore(states, pool));
    }

    @Override
    public <R> R step(
            String entry, List<Session> taking, long[] rows, List<Tensor> arguments,
            Tracer tracer, Function<List<Tensor>, R> read) {
        if (signatures.containsKey(entry)) {
            signatures.get(entry).requireFits(arguments, rows);
        }
        return sessions.step(entry, taking, rows, stores -> executors.get(entry).step(
                arguments,
                rows,
                new BatchState(stores.stream().map(s -> (BufferStore) s).toList()),
                ledger,
                tracer,
                read));
    }

    @Override
    public void close() {
        sessions.close(this::free);
    }

    private void free() {
        workers.close();
        pool.close();
    }
}
