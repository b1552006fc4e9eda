package dev.weir.cli;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.runtime.generate.Generator;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A model with its weights, ready to run. Close it to free all that it holds.
 *
 * @param signatures of the entries, the one that is taken by itself first
 * @param streams the axis along which a sequence lies, for each entry that has one
 * @param kernels what runs, for each entry; empty if it is interpreted
 */
record Loaded(
        SequencedMap<String, Signature> signatures,
        Map<String, StreamAxis> streams,
        List<KernelProgram> kernels,
        Engine engine,
        Weights.Summary weights,
        List<AutoCloseable> resources)
        implements AutoCloseable {

    /** What a model is loaded for. */
    enum Use {
        /** Only to be run: its kernels may have no bodies, as they were compiled before. */
        RUN,
        /** To be looked at too. */
        SHOW
    }

    /** With the weights that the options name, and any amount of memory, to be looked at. */
    static Loaded load(ModelOptions options, int threads, boolean trace) {
        return load(Use.SHOW, options, threads, trace, new MemoryOption(), text -> { });
    }

    /**
     * With the weights that the options name.
     *
     * @param progress is told what is being done
     */
    static Loaded load(
            Use use,
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress) {
        return load(use, options, threads, trace, memory, progress,
                parameters -> Weights.stored(options, parameters, progress));
    }

    /**
     * @param progress is told what is being done
     * @param source gives the weights of parameters
     */
    static Loaded load(
            Use use,
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress,
            Function<List<Parameter>, Weights> source) {
        List<AutoCloseable> resources = new ArrayList<>();
        try {
            return load(use, options, threads, trace, memory, progress, source, resources);
        } catch (Throwable e) {
            close(resources);
            throw e;
        }
    }

    private static Loaded load(
            Use use,
            ModelOptions options,
            int threads,
            boolean trace,
            MemoryOption memory,
            Consumer<String> progress,
            Function<List<Parameter>, Weights> source,
            List<AutoCloseable> resources) {
        progress.accept("compiling " + options.model);
        if (options.isKernelDump() || options.target != ModelOptions.Target.INTERPRETER) {
            KernelCompiler own = options.cachedCompiler();
            KernelCompiler compiler = new WatchedCompiler(own, progress);
            resources.add(compiler);
            Optional<ProgramCache> programs = use == Use.RUN && options.keepsPrograms()
                    && own instanceof CachedCompiler cached
                    ? Optional.of(cached.programs()) : Optional.empty();
            Optional<String> key = programs.flatMap(p -> p.key(options.origin(trace)));
            Optional<List<KernelProgram>> kept = key.flatMap(
                    k -> programs.get().find(k, options.files().library()));
            ProgramCache.Imports imports =
                    new ProgramCache.Imports(options.files().library());
            List<KernelProgram> entries = kept.orElseGet(
                    () -> options.scheduleEntries(trace, compiler, imports));
            Weights weights = source.apply(parameters(
                    entries.stream().map(KernelProgram::parameters)));
            weights.owner().ifPresent(resources::add);
            SequencedMap<String, Signature> signatures = new LinkedHashMap<>();
            Map<String, StreamAxis> streams = new HashMap<>();
            entries.forEach(e -> {
                signatures.put(e.entry(), Signature.of(e));
                e.stream().ifPresent(s -> streams.put(e.entry(), s));
            });
            Model model =
                    new Model(entries, compiler, weights.tensors(), threads, memory.limit());
            if (kept.isEmpty()) {
                key.ifPresent(k -> programs.get().store(k, imports, entries));
            }
            Weights.Summary summary = weights.summary();
            weights.tensors().keySet().stream().filter(p -> !model.reads(p))
                    .forEach(weights.release());
            return new Loaded(signatures, streams, entries, model, summary, resources);
        }
        List<TensorProgram> entries = options.entries(trace);
        Weights weights = source.apply(parameters(
                entries.stream().map(TensorProgram::parameters)));
        weights.owner().ifPresent(resources::add);
        SequencedMap<String, Signature> signatures = new LinkedHashMap<>();
        Map<String, StreamAxis> streams = new HashMap<>();
        entries.forEach(e -> {
            signatures.put(e.entry().name(), Signature.of(e));
            e.stream().ifPresent(s -> streams.put(e.entry().name(), s));
        });
        return new Loaded(signatures, streams, List.of(),
                new InterpretedModel(entries, weights.tensors()), weights.summary(),
                resources);
    }

    private static List<Parameter> parameters(Stream<List<Parameter>> entries) {
        return entries.flatMap(List::stream).distinct().toList();
    }

    /** Whether a step that names no entry has one: the only one, or {@code forward}. */
    boolean hasMain() {
        return signatures.size() == 1 || signatures.firstEntry().getKey().equals("forward");
    }

    /** Of the entry that is taken by itself. */
    Signature signature() {
        return signatures.firstEntry().getValue();
    }

    /** Ids lie below this: the last axis of the logits, of the first entry that gives some. */
    Optional<Long> vocabulary() {
        return signatures.values().stream().filter(Generator::fits).findFirst()
                .flatMap(s -> s.results().getFirst().type().shape().getLast().constant());
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
