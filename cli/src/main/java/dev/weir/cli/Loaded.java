package dev.weir.cli;

import dev.weir.compiler.Compiler;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A model with its weights, ready to run. Close it to free all that it holds. */
record Loaded(
        TensorProgram program,
        Optional<KernelProgram> kernels,
        Engine engine,
        List<AutoCloseable> resources)
        implements AutoCloseable {

    static Loaded load(ModelOptions options, int threads, boolean trace) {
        TensorProgram program = options.lower(trace);
        java.util.ArrayList<AutoCloseable> resources = new java.util.ArrayList<>();
        Map<Parameter, List<Tensor>> weights = Map.of();
        if (!program.parameters().isEmpty()) {
            Checkpoint checkpoint = Checkpoint.open(options.files().weights().orElseThrow(() ->
                    new UserException("the model has parameters but no weights were found"
                            + "\nhelp: name the checkpoint folder with --weights")));
            resources.add(checkpoint);
            weights = checkpoint.bind(program.parameters());
        }
        if (options.target == ModelOptions.Target.INTERPRETER) {
            Engine engine = new InterpretedModel(program, weights);
            return new Loaded(program, Optional.empty(), engine, resources);
        }
        TensorProgram optimised = options.optimise(program);
        KernelCompiler compiler = options.compiler();
        resources.addFirst(compiler);
        KernelProgram kernels = Compiler.schedule(optimised, compiler.target());
        Engine engine = new Model(kernels, compiler, weights, threads);
        return new Loaded(program, Optional.of(kernels), engine, resources);
    }

    @Override
    public void close() {
        engine.close();
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot free " + resource, e);
            }
        }
    }
}
