package dev.weir.bench.engine;

import dev.weir.bench.measure.Contestant;
import dev.weir.bench.model.Shape;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Locale;

/** Compiles a model in a process of its own, from the start of the Java machine to its end. */
public final class ColdStart implements Contestant {
    private final Shape shape;
    private final Part part;

    /** How far it goes: what one part takes is the difference from the one before. */
    public enum Part {
        /** Starts the Java machine and ends it. */
        NOTHING("start of the Java machine"),
        /** Program to kernels. */
        KERNELS("to kernels"),
        /** Kernels to JVM bytecode. */
        JVM("to bytecode"),
        /** Kernels to machine code. */
        NATIVE("to machine code");

        private final String text;

        Part(String text) {
            this.text = text;
        }

        /** Whose time it is. */
        public String contestant() {
            return this == NOTHING ? "Java" : this == KERNELS ? "Weir" : "Weir " + this.name()
                    .toLowerCase(Locale.ROOT);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** Of a model that is {@link Shape#LLAMA} or {@link Shape#MIXTRAL}. */
    public ColdStart(Shape shape, Part part) {
        this.shape = shape;
        this.part = part;
    }

    /** What the process does. */
    public static void main(String[] arguments) {
        Part part = Part.valueOf(arguments[1]);
        if (part == Part.NOTHING) {
            return;
        }
        Shape shape = arguments[0].equals(Shape.LLAMA.type()) ? Shape.LLAMA : Shape.MIXTRAL;
        Source source = WeirModel.LIBRARY.find("stdlib.models." + shape.type()).orElseThrow();
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
            int code = new ProcessBuilder(List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    // As the `weir` script has it.
                    "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                    "-XX:+UseSerialGC", "-XX:Tier3DelayOn=1000000", "-Xshare:auto",
                    "-cp", System.getProperty("java.class.path"), ColdStart.class.getName(),
                    shape.type(), part.name()))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start().waitFor();
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
        // Each process ends by itself.
    }
}
