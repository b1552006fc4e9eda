package dev.weir.bench.engine;

import dev.weir.bench.model.Parameters;
import dev.weir.bench.model.Shape;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Question;
import dev.weir.passes.memory.MemoryPlan;
import dev.weir.runtime.checkpoint.Checkpoint;
import dev.weir.runtime.checkpoint.SafeTensors;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Loads a model in a process of its own and runs it, and says how much memory the process had. All
 * amounts are bytes, as Linux counts them in {@code /proc/self/status}.
 */
public final class ResidentMemory {
    /** What a process prints in front of a figure. */
    private static final String MARK = "memory ";

    /** What the process does. */
    public enum Part {
        /** Compiles, and loads nothing: the base. */
        CODE,
        /** Loads weights as {@code weir run} does, takes a prompt and goes on behind it. */
        RUN
    }

    private ResidentMemory() {}

    /** Whether the system says how much memory a process has. */
    public static boolean isKnown() {
        return Files.isReadable(Path.of("/proc/self/status"));
    }

    /** Writes a checkpoint with random weights. */
    public static void write(Shape shape, Path folder) throws IOException {
        try (Weights weights = new Weights()) {
            Files.writeString(folder.resolve("config.json"), shape.configuration());
            SafeTensors.write(folder.resolve("model.safetensors"),
                    Parameters.random(shape, weights).all());
        }
    }

    /** The kernels of a shape. */
    public static KernelProgram program(Shape shape, KernelCompiler compiler) {
        Source source = WeirModel.LIBRARY.find("stdlib.models." + shape.type()).orElseThrow();
        return Compiler.schedule(
                Compiler.optimise(Compiler.lower(source, WeirModel.LIBRARY,
                        LowerOptions.of(Configuration.parse(shape.configuration())))),
                compiler.target());
    }

    /** What a step of so many tokens behind others takes at least. */
    public static MemoryPlan plan(KernelProgram program, long tokens, long context) {
        return CostOf.memory(List.of(program), program,
                new Question(tokens, context, 1, Map.of()));
    }

    /**
     * The figures that a fresh process prints, by name.
     *
     * @param folder with the checkpoint
     * @param prompt tokens of the first step
     * @param generated steps of one token behind it
     */
    public static Map<String, Long> of(
            Shape shape, Part part, Path folder, int threads, int prompt, int generated) {
        try {
            Process process = new ProcessBuilder(List.of(
                    ProcessHandle.current().info().command().orElseThrow(),
                    // As the `weir` script has it.
                    "--enable-native-access=ALL-UNNAMED", "--add-modules=jdk.incubator.vector",
                    "-XX:+UseSerialGC", "-XX:Tier3DelayOn=1000000", "-Xshare:auto",
                    "-cp", System.getProperty("java.class.path"), ResidentMemory.class.getName(),
                    shape.type(), part.name(), folder.toString(), Integer.toString(threads),
                    Integer.toString(prompt), Integer.toString(generated)))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String text = new String(
                    process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new IllegalStateException("the process ended with " + process.exitValue());
            }
            Map<String, Long> figures = new LinkedHashMap<>();
            text.lines().filter(l -> l.startsWith(MARK)).forEach(l -> {
                String[] words = l.substring(MARK.length()).split("\t");
                figures.put(words[0], Long.parseLong(words[1]));
            });
            return figures;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** What the process does. */
    public static void main(String[] arguments) throws IOException {
        Shape shape = Stream.of(Shape.LLAMA, Shape.MIXTRAL)
                .filter(s -> s.type().equals(arguments[0])).findFirst().orElseThrow();
        try (KernelCompiler compiler = Target.NATIVE.compiler()) {
            KernelProgram program = program(shape, compiler);
            if (Part.valueOf(arguments[1]) == Part.CODE) {
                compiler.compile(program.kernels());
                print("compiled");
                return;
            }
            try (Checkpoint checkpoint = Checkpoint.open(Path.of(arguments[2]))) {
                run(program, compiler, checkpoint, Integer.parseInt(arguments[3]),
                        Integer.parseInt(arguments[4]), Integer.parseInt(arguments[5]));
            }
        }
    }

    private static void run(
            KernelProgram program,
            KernelCompiler compiler,
            Checkpoint checkpoint,
            int threads,
            int prompt,
            int generated) throws IOException {
        var weights = checkpoint.bind(program.parameters());
        checkpoint.notFinite(program.parameters());
        try (Model model = new Model(program, compiler, weights, threads);
                Engine.Session session = model.start()) {
            print("loaded");
            step(model, session, program, prompt);
            print("prompt");
            for (int i = 0; i < generated; i++) {
                step(model, session, program, 1);
            }
            print("generated");
            System.out.println(MARK + "held by the model\t" + model.bytesHeld());
        }
    }

    private static void step(
            Model model, Engine.Session session, KernelProgram program, int tokens) {
        Tensor ids = Tensor.zeros(dev.weir.ir.type.Format.I64, tokens);
        for (int i = 0; i < tokens; i++) {
            ids.setWhole(i, 3 + (session.position() + i) * 7919 % 30_000);
        }
        long[] rows = {tokens};
        List<Engine.Session> sessions = List.of(session);
        model.step(program.entry(), sessions, rows,
                List.of(ids, Engine.positions(program.entry(), sessions, rows)),
                Engine.Tracer.NONE, results -> true);
    }

    /** What the process has now, and had at most. */
    private static void print(String when) throws IOException {
        List<String> wanted = List.of("VmRSS", "VmHWM", "RssAnon", "RssFile");
        List<String> lines = new ArrayList<>(Files.readAllLines(Path.of("/proc/self/status")));
        for (String line : lines) {
            String name = line.split(":")[0];
            if (wanted.contains(name)) {
                long kibibytes = Long.parseLong(line.replaceAll("[^0-9]", ""));
                System.out.println(MARK + when + " " + name + "\t" + 1024 * kibibytes);
            }
        }
    }
}
