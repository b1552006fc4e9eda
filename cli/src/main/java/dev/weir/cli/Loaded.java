package dev.weir.cli;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A model with its weights, ready to run. Close it to free all that it holds.
 *
 * @param unused stored tensors that the model has no use for
 */
record Loaded(
        Signature signature,
        Optional<KernelProgram> kernels,
        Engine engine,
        Set<String> unused,
        List<AutoCloseable> resources)
        implements AutoCloseable {

    static Loaded load(ModelOptions options, int threads, boolean trace) {
        if (options.isKernelDump() || options.target != ModelOptions.Target.INTERPRETER) {
            List<AutoCloseable> resources = new ArrayList<>();
            KernelCompiler compiler = options.compiler();
            resources.add(compiler);
            KernelProgram kernels = options.schedule(trace, compiler);
            Set<String> unused = new LinkedHashSet<>();
            Map<Parameter, List<Tensor>> weights =
                    weights(options, kernels.parameters(), resources, unused);
            return new Loaded(Signature.of(kernels), Optional.of(kernels),
                    new Model(kernels, compiler, weights, threads), unused, resources);
        }
        TensorProgram program = options.lower(trace);
        List<AutoCloseable> resources = new ArrayList<>();
        Set<String> unused = new LinkedHashSet<>();
        Engine engine = new InterpretedModel(
                program, weights(options, program.parameters(), resources, unused));
        return new Loaded(Signature.of(program), Optional.empty(), engine, unused, resources);
    }

    private static Map<Parameter, List<Tensor>> weights(
            ModelOptions options,
            List<Parameter> parameters,
            List<AutoCloseable> resources,
            Set<String> unused) {
        if (parameters.isEmpty()) {
            return Map.of();
        }
        Checkpoint checkpoint = Checkpoint.open(options.files().weights().orElseThrow(() ->
                new UserException("the model has parameters but no weights were found"
                        + "\nhelp: name the checkpoint folder with --weights")));
        resources.add(checkpoint);
        Map<Parameter, List<Tensor>> bound = checkpoint.bind(parameters);
        unused.addAll(checkpoint.unused(parameters));
        return bound;
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
