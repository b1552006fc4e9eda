package dev.weir.bench.engine;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.Quantiser;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A Weir program, compiled and loaded with the weights that all contestants share. */
public final class WeirModel implements AutoCloseable {
    /** The standard library. */
    public static final SourceProvider LIBRARY = module -> {
        String name = "/weir/" + module.replace('.', '/') + ".weir";
        try (InputStream in = WeirModel.class.getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(new Source(
                    name, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    };

    private final KernelCompiler compiler;
    private final KernelProgram program;
    private final Model model;

    private WeirModel(KernelCompiler compiler, KernelProgram program, Model model) {
        this.compiler = compiler;
        this.program = program;
        this.model = model;
    }

    /** Of a text, without a configuration. */
    public static WeirModel of(String text, KernelCompiler compiler, int threads, Weights weights) {
        return of(text, compiler, threads, weights, p -> p);
    }

    /**
     * As {@link #of(String, KernelCompiler, int, Weights)}.
     *
     * @param change what is done with the kernels before they are compiled
     */
    public static WeirModel of(
            String text,
            KernelCompiler compiler,
            int threads,
            Weights weights,
            UnaryOperator<KernelProgram> change) {
        return of(new Source("bench.weir", text), "{}", compiler, threads, weights, change);
    }

    /**
     * Compiles and loads.
     *
     * @param configuration what {@code config.*} means, as JSON
     * @param compiler is taken over and closed
     * @param weights is asked for every tensor by its stored name
     */
    public static WeirModel of(
            Source source,
            String configuration,
            KernelCompiler compiler,
            int threads,
            Weights weights) {
        return of(source, configuration, compiler, threads, weights, p -> p);
    }

    private static WeirModel of(
            Source source,
            String configuration,
            KernelCompiler compiler,
            int threads,
            Weights weights,
            UnaryOperator<KernelProgram> change) {
        try {
            KernelProgram program = change.apply(Compiler.schedule(
                    Compiler.optimise(Compiler.lower(source, LIBRARY,
                            LowerOptions.of(Configuration.parse(configuration)))),
                    compiler.target()));
            Map<Parameter, List<Tensor>> bound = new HashMap<>();
            program.parameters().forEach(p -> bound.put(p, tensors(p, weights)));
            return new WeirModel(compiler, program,
                    new Model(program, compiler, bound, threads));
        } catch (Throwable e) {
            compiler.close();
            throw e;
        }
    }

    private static List<Tensor> tensors(Parameter parameter, Weights weights) {
        List<Long> shape = parameter.value().type().shape().stream()
                .map(Size::constant).map(c -> c.orElseThrow()).toList();
        long[] own = shape.stream().skip(parameter.instanceAxes())
                .mapToLong(Long::longValue).toArray();
        List<Tensor> tensors = new ArrayList<>();
        for (List<Long> instance : instances(shape.subList(0, parameter.instanceAxes()))) {
            // The last of its names: an output projection that may share the embedding does.
            String name = Parameter.instantiate(parameter.stored().getLast(), instance);
            tensors.add(parameter.part().isPresent()
                    ? Quantiser.part(parameter,
                            weights.get(name, Format.F32, parameter.storedShape()))
                    : weights.get(name, parameter.value().type().format(), own));
        }
        return tensors;
    }

    private static List<List<Long>> instances(List<Long> axes) {
        if (axes.isEmpty()) {
            return List.of(List.of());
        }
        List<List<Long>> all = new ArrayList<>();
        for (List<Long> before : instances(axes.subList(0, axes.size() - 1))) {
            for (long i = 0; i < axes.getLast(); i++) {
                List<Long> longer = new ArrayList<>(before);
                longer.add(i);
                all.add(longer);
            }
        }
        return all;
    }

    /** What runs. */
    public KernelProgram program() {
        return program;
    }

    /** The loaded model. */
    public Model model() {
        return model;
    }

    /**
     * A step of one sequence that has not begun.
     *
     * @param read gets the first result, whose memory is the model's
     */
    public <R> R whole(Function<Tensor, R> read, long rows, Tensor... arguments) {
        try (Engine.Session session = model.start()) {
            return step(session, read, rows, arguments);
        }
    }

    /**
     * A step of one sequence.
     *
     * @param read gets the first result, whose memory is the model's
     * @param arguments in the program's order; where it asks for positions, these are supplied
     */
    public <R> R step(
            Engine.Session session, Function<Tensor, R> read, long rows, Tensor... arguments) {
        List<Tensor> all = new ArrayList<>(List.of(arguments));
        for (int i = 0; i < program.arguments().size(); i++) {
            if (program.arguments().get(i).name().equals("positions")) {
                all.add(i, Engine.positions(List.of(session), new long[] {rows}));
            }
        }
        return model.step(model.entries().getFirst(), List.of(session), new long[] {rows}, all,
                Engine.Tracer.NONE, results -> read.apply(results.getFirst()));
    }

    @Override
    public void close() {
        model.close();
        compiler.close();
    }
}
