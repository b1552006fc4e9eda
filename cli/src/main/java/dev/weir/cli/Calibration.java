package dev.weir.cli;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.LimitKernels;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.runtime.execute.WorkerPool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Measures this machine, some tries in a row, with kernels that Weir's own back end compiles. */
final class Calibration {
    private static final int TRIES = 12;
    private static final long ITERATIONS = 4_000_000;
    /** More than caches hold. */
    private static final long READ_BYTES = 512L << 20;
    private static final long TILE_BYTES = 1L << 20;

    /** A loop of kernels that have next to nothing to do. */
    static final int LAUNCHES = 2000;
    /** Enough for the Java machine to compile what launches. */
    private static final int STEPS = 200;
    private static final String LAUNCHING = """
            model Launching<D = 8> {
                forward(x[T, D]) -> y[T, D] {
                    y = x
                    for i in 0..%d { y = 0.5 * y + 1.0 }
                }
            }
            """.formatted(LAUNCHES);

    private Calibration() {}

    static CalibrationSamples of(int threads) {
        try (LlvmCompiler compiler = new LlvmCompiler();
                WorkerPool workers = new WorkerPool(threads)) {
            int lanes = compiler.target().lanes();
            double operations = (double) LimitKernels.operations(lanes) * ITERATIONS * threads;
            List<Double> computing = seconds(compiler, workers,
                    LimitKernels.multiplyAdds(lanes), 64 * lanes, threads, ITERATIONS);
            List<Double> reading = seconds(compiler, workers, LimitKernels.reads(lanes),
                    READ_BYTES, READ_BYTES / TILE_BYTES, TILE_BYTES / Float.BYTES);
            return new CalibrationSamples(threads,
                    computing.stream().map(s -> operations / s).toList(),
                    reading.stream().map(s -> READ_BYTES / s).toList(),
                    launches(compiler, threads));
        }
    }

    /** Seconds of each try. */
    private static List<Double> seconds(
            LlvmCompiler compiler,
            WorkerPool workers,
            Kernel kernel,
            long bytes,
            long tiles,
            long number) {
        CompiledKernel code = compiler.compile(List.of(kernel)).getFirst();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(bytes, 64);
            // Pages that nobody has written share one page of zeros, which a cache holds.
            memory.fill((byte) 1);
            MemorySegment results = arena.allocate(LimitKernels.TILE_STORES * tiles, 64);
            MemorySegment words = arena.allocateFrom(ValueLayout.JAVA_LONG,
                    memory.address(), results.address(), number, 0L);
            return seconds(TRIES, () -> workers.run(tiles, true, (worker, begin, end) ->
                    code.run(begin, end, words.address(), 0)));
        }
    }

    private static List<Double> seconds(int tries, Runnable work) {
        List<Double> seconds = new ArrayList<>();
        for (int i = 0; i < tries; i++) {
            long begin = System.nanoTime();
            work.run();
            seconds.add(Math.max(1, System.nanoTime() - begin) / 1e9);
        }
        return seconds;
    }

    /** One kernel for each round: all rounds in one kernel would be a single launch. */
    static KernelProgram launching(TargetDescription target) {
        TensorProgram program = Compiler.optimise(Compiler.lower(
                new Source("launching.weir", LAUNCHING), new Library(Optional.empty()),
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false)));
        return Compiler.schedule(program, target, Set.of(ScheduleStep.RECURRENCES.text()),
                (step, nanos) -> { });
    }

    private static List<Double> launches(LlvmCompiler compiler, int threads) {
        try (Model model =
                new Model(launching(compiler.target()), compiler, Map.of(), threads)) {
            Tensor x = Tensor.zeros(Format.F32, 1, 8);
            return seconds(STEPS, () -> {
                Engine.Session session = model.start();
                model.step(List.of(session), new long[] {1}, List.of(x), Engine.Tracer.NONE);
                session.close();
            }).stream().map(s -> s / LAUNCHES).toList();
        }
    }
}
