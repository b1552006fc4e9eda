package dev.weir.bench.row;

import dev.weir.bench.engine.ResidentMemory;
import dev.weir.bench.engine.Target;
import dev.weir.bench.model.Shape;
import dev.weir.bench.peer.Peer;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.passes.memory.MemoryPlan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How much memory a fresh process has at most that loads a checkpoint of f32 weights, takes a
 * prompt and goes on behind it, beside what the memory plan says that the step needs, and the base:
 * what a process has that compiles the same model and loads nothing.
 */
public final class MemoryRow implements Row {
    private static final int PROMPT = 256;
    private static final int GENERATION = 64;
    private static final double MEBIBYTE = 1 << 20;

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public String meaning() {
        return "resident memory of a fresh process that takes a prompt of " + PROMPT + " and "
                + GENERATION + " tokens behind it, beside weights, copies of them, states, the "
                + "plan's lower bound for tensors, and the base; the aim is 1.1";
    }

    @Override
    public List<Peer> peers() {
        return List.of();
    }

    @Override
    public void run(Laboratory laboratory) {
        if (!ResidentMemory.isKnown()) {
            laboratory.note("not measured: the system does not say what a process has");
            return;
        }
        for (Shape shape : List.of(Shape.LLAMA, Shape.MIXTRAL)) {
            try {
                Path folder = Files.createTempDirectory("weir-bench-memory");
                try {
                    ResidentMemory.write(shape, folder);
                    measure(laboratory, shape, folder);
                } finally {
                    for (String file : List.of("config.json", "model.safetensors", "")) {
                        Files.deleteIfExists(folder.resolve(file));
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void measure(Laboratory laboratory, Shape shape, Path folder) {
        Map<String, Long> code = ResidentMemory.of(shape, ResidentMemory.Part.CODE, folder,
                laboratory.threads(), PROMPT, GENERATION);
        Map<String, Long> run = ResidentMemory.of(shape, ResidentMemory.Part.RUN, folder,
                laboratory.threads(), PROMPT, GENERATION);
        MemoryPlan prompt;
        MemoryPlan last;
        try (KernelCompiler compiler = Target.NATIVE.compiler()) {
            var program = ResidentMemory.program(shape, compiler);
            prompt = ResidentMemory.plan(program, PROMPT, 0);
            last = ResidentMemory.plan(program, 1, PROMPT + GENERATION - 1L);
        }
        double base = code.get("compiled VmRSS");
        String type = shape.type();
        note(laboratory, type + ", base: compiled, nothing loaded", base);
        note(laboratory, type + ", weights that steps read as stored", prompt.readBytes());
        note(laboratory, type + ", made of weights at load", prompt.madeBytes());
        note(laboratory, type + ", states behind the last token", last.stateBytes());
        note(laboratory, type + ", bound for the tensors of the prompt", prompt.bound());
        double load = base + prompt.readBytes() + prompt.madeBytes();
        ratio(laboratory, type + ", behind the load", run.get("loaded VmRSS"), load);
        ratio(laboratory, type + ", behind the prompt", run.get("prompt VmRSS"),
                base + prompt.total());
        ratio(laboratory, type + ", behind the last token", run.get("generated VmRSS"),
                base + prompt.bound() + last.total() - last.bound());
        ratio(laboratory, type + ", at most, the load included", run.get("generated VmHWM"),
                base + prompt.bound() + last.total() - last.bound());
        laboratory.note(type + ", all figures in MiB: " + mebibytes(code) + mebibytes(run));
    }

    private static String mebibytes(Map<String, Long> figures) {
        StringBuilder text = new StringBuilder();
        figures.forEach((name, bytes) -> text.append(name).append(' ')
                .append(mebibytes(bytes)).append("; "));
        return text.toString();
    }

    private static String mebibytes(double bytes) {
        return String.format(Locale.ROOT, "%.1f", bytes / MEBIBYTE);
    }

    private static void note(Laboratory laboratory, String what, double bytes) {
        laboratory.note(what + ": " + mebibytes(bytes) + " MiB");
    }

    private static void ratio(
            Laboratory laboratory, String what, double resident, double planned) {
        laboratory.note(String.format(Locale.ROOT, "%s: resident %s MiB, planned %s MiB: %.2f",
                what, mebibytes(resident), mebibytes(planned), resident / planned));
    }
}
