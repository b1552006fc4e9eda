package dev.weir.bench.engine;

import dev.weir.bench.measure.Contestant;
import dev.weir.bench.model.Shape;
import dev.weir.cli.CachedCompiler;
import dev.weir.cli.ProgramCache;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Compiles a model in a process of its own, from the start of the Java machine to its end. */
public final class ColdStart implements Contestant {
    private final Shape shape;
    private final Part part;
    private final Path cache;

    /** How far it goes: what one part takes is the difference from the one before. */
    public enum Part {
        /** Starts the Java machine and ends it. */
        NOTHING("start of the Java machine"),
        /** Program to kernels. */
        KERNELS("to kernels"),
        /** Kernels to JVM bytecode. */
        JVM("to bytecode"),
        /** Kernels to machine code. */
        NATIVE("to machine code"),
        /** Program to machine code that a process before it has kept. */
        KEPT("to machine code that was kept");

        private final String text;

        Part(String text) {
            this.text = text;
        }

        /** Whose time it is. */
        public String contestant() {
            return switch (this) {
                case NOTHING -> "Java";
                case KERNELS -> "Weir";
                case JVM -> "Weir jvm";
                case NATIVE, KEPT -> "Weir native";
            };
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** A model that is {@link Shape#LLAMA} or {@link Shape#MIXTRAL}. */
    public ColdStart(Shape shape, Part part) {
        this.shape = shape;
        this.part = part;
        try {
            cache = Files.createTempDirectory("weir-bench-cache");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (part == Part.KEPT) {
            run();
        }
    }

    /** What the process does. */
    public static void main(String[] arguments) {
        Part part = Part.valueOf(arguments[1]);
        if (part == Part.NOTHING) {
            return;
        }
        Shape shape = arguments[0].equals(Shape.LLAMA.type()) ? Shape.LLAMA : Shape.MIXTRAL;
        Source source = WeirModel.LIBRARY.find("stdlib.models." + shape.type()).orElseThrow();
        if (part == Part.KEPT) {
            kept(source, shape.configuration());
            return;
        }
        Target target = part == Part.JVM ? Target.JVM : Target.NATIVE;
        try (KernelCompiler compiler = target.compiler()) {
            KernelProgram program = Compiler.schedule(
                    Compiler.optimise(Compiler.lower(source, WeirModel.LIBRARY,
                            LowerOptions.of(Configuration.parse(shape.configuration())))),
                    compiler.target());
            if (part != Part.KERNELS) {
                compiler.compile(program.kernels());
            }
        }
    }

    /** As the command does it. */
    private static void kept(Source source, String configuration) {
        try (CachedCompiler compiler = CachedCompiler.usual(System.err::println)) {
            ProgramCache programs = compiler.programs();
            String key = programs.key(List.of(source.text(), configuration)).orElseThrow();
            Optional<List<KernelProgram>> found = programs.find(key, WeirModel.LIBRARY);
            if (found.isPresent()) {
                compiler.compile(found.get().getFirst().kernels());
                return;
            }
            ProgramCache.Imports imports = new ProgramCache.Imports(WeirModel.LIBRARY);
            KernelProgram program = Compiler.schedule(
                    Compiler.optimise(Compiler.lower(source, imports,
                            LowerOptions.of(Configuration.parse(configuration)))),
                    compiler.target());
            compiler.compile(program.kernels());
            programs.store(key, imports, List.of(program));
        }
    }

    @Override
    public String name() {
        return part.contestant();
    }

    @Override
    public boolean isPeer() {
        return false;
    }

    @Override
    public void run() {
        try {
            ProcessBuilder process = new ProcessBuilder(List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    // As the `weir` script has it.
                    "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                    "-XX:+UseSerialGC", "-XX:Tier3DelayOn=1000000", "-Xshare:auto",
                    "-cp", System.getProperty("java.class.path"), ColdStart.class.getName(),
                    shape.type(), part.name()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD);
            process.environment().put("XDG_CACHE_HOME", cache.toString());
            int code = process.start().waitFor();
            if (code != 0) {
                throw new IllegalStateException("the process ended with " + code);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public float[] result() {
        return new float[0];
    }

    @Override
    public void close() {
        try (Stream<Path> files = Files.walk(cache)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
