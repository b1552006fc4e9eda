package dev.weir.cli;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A model with its weights, ready to run. Close it to free all that it holds.
 *
 * @param stream the axis along which a sequence lies; empty for a model without one
 * @param kernels what runs; empty if it is interpreted
 */
record Loaded(
        Signature signature,
        Optional<StreamAxis> stream,
        Optional<KernelProgram> kernels,
        Engine engine,
        Weights weights,
        List<AutoCloseable> resources)
        implements AutoCloseable {

    /** With the weights that the options name, and any amount of memory. */
    static Loaded load(ModelOptions options, int threads, boolean trace) {
        return load(options, threads, trace, new MemoryOption(), text -> { });
    }

    /**
     * With the weights that the options name.
     *
     * @param progress is told what is being done
     */
    static Loaded load(
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress) {
        return load(options, threads, trace, memory, progress,
                parameters -> Weights.stored(options, parameters, progress));
    }

    /**
     * @param progress is told what is being done
     * @param source gives the weights of parameters
     */
    static Loaded load(
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress,
            Function<List<Parameter>, Weights> source) {
        List<AutoCloseable> resources = new ArrayList<>();
        try {
            return load(options, threads, trace, memory, progress, source, resources);
        } catch (Throwable e) {
            close(resources);
            throw e;
        }
    }

    private static Loaded load(
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress,
            Function<List<Parameter>, Weights> source,
            List<AutoCloseable> resources) {
        progress.accept("compiling " + options.model);
        if (options.isKernelDump() || options.target != ModelOptions.Target.INTERPRETER) {
            KernelCompiler compiler = new WatchedCompiler(options.cachedCompiler(), progress);
            resources.add(compiler);
            KernelProgram kernels = options.schedule(trace, compiler);
            Weights weights = source.apply(kernels.parameters());
            weights.owner().ifPresent(resources::add);
            return new Loaded(Signature.of(kernels), kernels.stream(), Optional.of(kernels),
                    new Model(kernels, compiler, weights.tensors(), threads, memory.limit()),
                    weights, resources);
        }
        TensorProgram program = options.lower(trace);
        Weights weights = source.apply(program.parameters());
        weights.owner().ifPresent(resources::add);
        Engine engine = new InterpretedModel(program, weights.tensors());
        return new Loaded(Signature.of(program), program.stream(), Optional.empty(), engine,
                weights, resources);
    }

    @Override
    public void close() {
        engine.close();
        close(resources);
    }

    private static void close(List<AutoCloseable> resources) {
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot free " + resource, e);
            }
        }
    }
}
