package dev.weir.testkit;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.memory.Pool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.InterpretedModel;
import dev.weir.runtime.model.Model;
import dev.weir.runtime.model.Signature;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/** A model from the repository, loaded for a test. */
public final class TestModel implements AutoCloseable {
    /** The three ways of running. */
    public enum Target { INTERPRETER, JVM, NATIVE }

    /** The repository's root. */
    public static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    private static final TargetDescription HOST = host();

    static final SourceProvider LIBRARY = module -> {
        String name = "/weir/" + module.replace('.', '/') + ".weir";
        try (InputStream in = TestModel.class.getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(new Source(
                    name, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    };

    private final List<TensorProgram> programs;
    private final List<KernelProgram> kernels;
    private final Map<Parameter, List<Tensor>> weights;
    private final CodeMadeOnce code;
    private final Engine engine;
    private final List<AutoCloseable> resources = new ArrayList<>();
    private final Map<String, List<Tensor>> traced = new TreeMap<>();

    private static TargetDescription host() {
        try (LlvmCompiler compiler = new LlvmCompiler()) {
            return compiler.target();
        }
    }

    /** The standard library. */
    public static SourceProvider library() {
        return LIBRARY;
    }

    private TestModel(
            Source source,
            String configuration,
            Map<String, String> settings,
            Function<TensorProgram, Map<Parameter, List<Tensor>>> checkpoint,
            Target target,
            int threads,
            boolean trace,
            long memoryLimit) {
        programs = Compiler.entries(source, LIBRARY, new LowerOptions(
                Optional.empty(), Configuration.parse(configuration), settings, trace));
        weights = new HashMap<>();
        programs.forEach(p -> weights.putAll(checkpoint.apply(p)));
        if (target == Target.INTERPRETER) {
            kernels = List.of();
            code = null;
            engine = new InterpretedModel(programs, weights);
        } else {
            code = new CodeMadeOnce(compiler(target));
            kernels = programs.stream().map(p ->
                    Compiler.schedule(Compiler.optimise(p), code.target())).toList();
            resources.add(code);
            engine = new Model(kernels, code, weights, threads, memoryLimit);
        }
    }

    private TestModel(TestModel other, int threads) {
        programs = other.programs;
        kernels = other.kernels;
        weights = other.weights;
        code = other.code;
        engine = new Model(kernels, code, weights, threads, Pool.UNLIMITED);
    }

    /** The same code and weights by so many threads: to be closed before this one. */
    TestModel by(int threads) {
        return new TestModel(this, threads);
    }

    /** With weights that a seed gives. */
    public static TestModel random(Path program, long seed, Target target, int threads) {
        return new TestModel(new Source(program.toString(), text(program)), "{}",
                Map.of(), p -> RandomWeights.of(p, seed), target, threads, false,
                Pool.UNLIMITED);
    }

    /** As {@link #random(Path, long, Target, int)}, of a text. */
    public static TestModel random(String program, long seed, Target target, int threads) {
        return limited(program, seed, target, threads, Pool.UNLIMITED);
    }

    /** As {@link #random(String, long, Target, int)}, with so many bytes of memory. */
    public static TestModel limited(
            String program, long seed, Target target, int threads, long memoryLimit) {
        return new TestModel(new Source("test.weir", program), "{}",
                Map.of(), p -> RandomWeights.of(p, seed), target, threads, false,
                memoryLimit);
    }

    /** As {@link #random(String, long, Target, int)}; every named value can be watched. */
    public static TestModel traced(String program, long seed, Target target) {
        return new TestModel(new Source("test.weir", program), "{}",
                Map.of(), p -> RandomWeights.of(p, seed), target, 2, true,
                Pool.UNLIMITED);
    }

    private static TestModel stored(
            Source source, Path folder, Map<String, String> settings, Target target, int threads,
            boolean trace) {
        Checkpoint checkpoint = Checkpoint.open(folder);
        TestModel model = new TestModel(source, text(folder.resolve("config.json")), settings,
                p -> checkpoint.bind(p.parameters()), target, threads, trace, Pool.UNLIMITED);
        model.resources.add(checkpoint);
        return model;
    }

    /** A generator of code. */
    public static KernelCompiler compiler(Target target) {
        return compiler(target, LlvmCompiler.Effort.USUAL);
    }

    /** As {@link #compiler(Target)}; LLVM with this effort. */
    public static KernelCompiler compiler(Target target, LlvmCompiler.Effort effort) {
        return target == Target.JVM ? new BytecodeCompiler() : new LlvmCompiler(HOST, effort);
    }

    /** A stock checkpoint with the library's program for its model type. */
    public static TestModel stock(
            Path folder, String type, Target target, int threads, boolean trace) {
        return stock(folder, type, Map.of(), target, threads, trace);
    }

    /** As {@link #stock(Path, String, Target, int, boolean)}, with sizes that a run sets. */
    public static TestModel stock(
            Path folder, String type, Map<String, String> settings, Target target, int threads,
            boolean trace) {
        Source source = LIBRARY.find("stdlib.models." + type).orElseThrow();
        return stored(source, folder, settings, target, threads, trace);
    }

    /** A program on the weights of a checkpoint folder. */
    public static TestModel of(
            String program, Path folder, Target target, int threads, boolean trace) {
        return stored(
                new Source("test.weir", program), folder, Map.of(), target, threads, trace);
    }

    public static Path fixture(String name) {
        return ROOT.resolve("testkit/src/test/resources/fixtures").resolve(name);
    }

    public static Path tinyworld() {
        return ROOT.resolve("examples/tinyworld");
    }

    public static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The entry that is meant by itself. */
    public TensorProgram program() {
        return programs.getFirst();
    }

    /** All entries, the same one first. */
    public List<TensorProgram> programs() {
        return programs;
    }

    /** The same entry as kernels. */
    public KernelProgram kernels() {
        return kernels.getFirst();
    }

    /** All entries as kernels, the same one first. */
    List<KernelProgram> allKernels() {
        return kernels;
    }

    public Engine engine() {
        return engine;
    }

    /** The engine, if it is not the interpreter. */
    Model compiled() {
        return (Model) engine;
    }

    /** What the last steps traced, by path; of several values the last. */
    public Map<String, Tensor> traced() {
        Map<String, Tensor> last = new TreeMap<>();
        traced.forEach((path, values) -> last.put(path, values.getLast()));
        return last;
    }

    /** All that steps traced at a path, in order: each round of a loop has its own. */
    public List<Tensor> traced(String path) {
        return List.copyOf(traced.getOrDefault(path, List.of()));
    }

    /** Logits {@code [ids, vocabulary]} of the next ids of one sequence. */
    public Tensor feed(Engine.Session session, long... ids) {
        return batch(List.of(session), List.of(ids));
    }

    /** Logits of the next ids of several sequences, one sequence behind the other. */
    public Tensor batch(List<Engine.Session> sessions, List<long[]> ids) {
        return batch(program().entry().name(), sessions, ids);
    }

    /** What an entry makes of the next ids of several sequences. */
    public Tensor batch(String entry, List<Engine.Session> sessions, List<long[]> ids) {
        long[] rows = ids.stream().mapToLong(i -> i.length).toArray();
        long[] all = ids.stream().flatMapToLong(Arrays::stream).toArray();
        TensorProgram program = programs.stream()
                .filter(p -> p.entry().name().equals(entry)).findFirst().orElseThrow();
        List<Tensor> arguments = Signature.of(program).arguments().stream()
                .map(a -> a.isPositions()
                        ? Engine.positions(entry, sessions, rows) : Tensor.ofLongs(all)).toList();
        return engine.step(entry, sessions, rows, arguments, this::keep).getFirst();
    }

    /** What the entry that is meant by itself makes of given arguments. */
    public Tensor batch(List<Engine.Session> sessions, long[] rows, List<Tensor> arguments) {
        return engine.step(sessions, rows, arguments, this::keep).getFirst();
    }

    private void keep(String path, Tensor value) {
        traced.computeIfAbsent(path, p -> new ArrayList<>()).add(value.copy());
    }

    /** The ids that a session goes on with, each the likeliest. */
    public List<Long> greedy(Engine.Session session, Tensor logits, int count) {
        List<Long> ids = new ArrayList<>();
        Tensor last = logits;
        while (ids.size() < count) {
            long next = dev.weir.runtime.generate.Sampler.greedy()
                    .next(last, last.shape()[0] - 1);
            ids.add(next);
            last = feed(session, next);
        }
        return ids;
    }

    @Override
    public void close() throws Exception {
        engine.close();
        for (AutoCloseable resource : resources) {
            resource.close();
        }
    }
}
