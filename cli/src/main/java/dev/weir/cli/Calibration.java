package dev.weir.cli;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.LimitKernels;
import dev.weir.ir.type.Format;
import dev.weir.passes.cost.Machine;
import dev.weir.runtime.execute.WorkerPool;
import dev.weir.runtime.memory.Tensor;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.model.Model;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Measures this machine with kernels that Weir's own back end compiles. Of several tries the best
 * counts: what another process takes away is no property of the machine.
 */
final class Calibration {
    private static final int TRIES = 12;
    private static final long ITERATIONS = 4_000_000;
    /** More than caches hold. */
    private static final long READ_BYTES = 512L << 20;
    private static final long TILE_BYTES = 1L << 20;

    /** A loop of kernels that have next to nothing to do. */
    private static final int LAUNCHES = 2000;
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

    static Machine of(int threads) {
        try (LlvmCompiler compiler = new LlvmCompiler();
                WorkerPool workers = new WorkerPool(threads)) {
            int lanes = compiler.target().lanes();
            double computing = LimitKernels.operations(lanes) * ITERATIONS * threads
                    / best(compiler, workers, LimitKernels.multiplyAdds(lanes),
                            64 * lanes, threads, ITERATIONS);
            double reading = READ_BYTES / best(compiler, workers, LimitKernels.reads(lanes),
                    READ_BYTES, READ_BYTES / TILE_BYTES, TILE_BYTES / Float.BYTES);
            return new Machine(threads, computing, reading, launch(compiler, threads));
        }
    }

    /** Seconds of the best try. */
    private static double best(
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
            return best(TRIES, () -> workers.run(tiles, true, (worker, begin, end) ->
                    code.run(begin, end, words.address(), 0)));
        }
    }

    private static double best(int tries, Runnable work) {
        long best = Long.MAX_VALUE;
        for (int i = 0; i < tries; i++) {
            long begin = System.nanoTime();
            work.run();
            best = Math.min(best, Math.max(1, System.nanoTime() - begin));
        }
        return best / 1e9;
    }

    private static double launch(LlvmCompiler compiler, int threads) {
        var program = Compiler.schedule(Compiler.optimise(Compiler.lower(
                new Source("launching.weir", LAUNCHING), new Library(Optional.empty()),
                new LowerOptions(Optional.empty(), Configuration.empty(), Map.of(), false))),
                compiler.target());
        try (Model model = new Model(program, compiler, Map.of(), threads)) {
            Tensor x = Tensor.zeros(Format.F32, 1, 8);
            return best(STEPS, () -> {
                Engine.Session session = model.start();
                model.step(List.of(session), new long[] {1}, List.of(x), Engine.Tracer.NONE);
                session.close();
            }) / LAUNCHES;
        }
    }
}
