package dev.weir.bench.machine;

import dev.weir.bench.measure.Statistics;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.runtime.execute.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * What this machine can do at most: f32 fused multiply-adds in registers, and reads of memory that
 * no cache holds. Both are kernels of Weir's own, compiled by its native back end. Of several tries
 * the best counts: what another process takes away is no property of the machine.
 *
 * @param threads with how many threads it was measured
 * @param flops operations a second, a fused multiply-add counted as two
 * @param bandwidth bytes read a second
 */
public record Roofline(int threads, Statistics flops, Statistics bandwidth) {
    private static final int ROUNDS = 9;
    private static final long BUFFER_BYTES = 512L << 20;
    private static final long TILE_BYTES = 1L << 20;
    private static final long ITERATIONS = 2_000_000;
    /** Enough to hide the latency of a fused multiply-add, and few enough for 16 registers. */
    private static final int CHAINS = 12;
    private static final int STREAMS = 8;

    /** Measures; takes about a second. */
    public static Roofline measure(int threads) {
        try (LlvmCompiler compiler = new LlvmCompiler();
                WorkerPool workers = new WorkerPool(threads);
                Arena arena = Arena.ofShared()) {
            int lanes = compiler.target().lanes();
            Source source = new Source("roofline", multiplyAdds(lanes) + reads(lanes));
            List<CompiledKernel> kernels = compiler.compile(KernelParser.parseAll(source));
            MemorySegment memory = arena.allocate(BUFFER_BYTES, 64);
            // Pages that nobody has written share one page of zeros, which a cache holds.
            memory.fill((byte) 1);
            MemorySegment sums = arena.allocate(4096L * (BUFFER_BYTES / TILE_BYTES), 64);
            Statistics flops = rate(workers, kernels.get(0), threads,
                    words(arena, memory, sums, ITERATIONS),
                    2.0 * CHAINS * lanes * ITERATIONS * threads);
            Statistics bandwidth = rate(workers, kernels.get(1), BUFFER_BYTES / TILE_BYTES,
                    words(arena, memory, sums, TILE_BYTES / Float.BYTES), BUFFER_BYTES);
            return new Roofline(threads, flops, bandwidth);
        }
    }

    /** Both measurements, of which the better counts. */
    public Roofline with(Roofline other) {
        return new Roofline(threads,
                other.flops.most() > flops.most() ? other.flops : flops,
                other.bandwidth.most() > bandwidth.most() ? other.bandwidth : bandwidth);
    }

    private static MemorySegment words(
            Arena arena, MemorySegment in, MemorySegment out, long scalar) {
        return arena.allocateFrom(
                ValueLayout.JAVA_LONG, in.address(), out.address(), scalar, 0L);
    }

    private static Statistics rate(
            WorkerPool workers,
            CompiledKernel kernel,
            long tiles,
            MemorySegment words,
            double amount) {
        List<Double> rates = new ArrayList<>();
        for (int round = 0; round <= ROUNDS; round++) {
            long start = System.nanoTime();
            workers.run(tiles, true, (worker, begin, end) ->
                    kernel.run(begin, end, words.address(), 0));
            double seconds = (System.nanoTime() - start) / 1e9;
            if (round > 0) {
                rates.add(amount / seconds);
            }
        }
        return Statistics.of(rates);
    }

    /** Chains of multiply-adds that do not wait for each other; each tile is the same work. */
    private static String multiplyAdds(int lanes) {
        String type = "f32x" + lanes;
        StringBuilder text = new StringBuilder(header("multiply_adds"));
        text.append("let a ").append(type).append(" = load(b0, 0:i64, ").append(lanes)
                .append(")\n");
        for (int i = 0; i < CHAINS; i++) {
            text.append("var c").append(i).append(' ').append(type)
                    .append(" = broadcast(").append(i).append(".0:f32, ").append(lanes)
                    .append(")\n");
        }
        text.append("for i i64 = 0:i64 to n0 step 1 {\n");
        for (int i = 0; i < CHAINS; i++) {
            text.append("c").append(i).append(" = fma(c").append(i).append(", a, a)\n");
        }
        text.append("}\n");
        return text.append(stores(CHAINS, lanes)).append("}\n}\n").toString();
    }

    /** Sums of what lies in memory, each tile another part of it. */
    private static String reads(int lanes) {
        String type = "f32x" + lanes;
        StringBuilder text = new StringBuilder(header("reads"));
        text.append("let base i64 = multiply(\"tile\", n0)\n");
        text.append("let end i64 = add(base, n0)\n");
        for (int i = 0; i < STREAMS; i++) {
            text.append("var c").append(i).append(' ').append(type)
                    .append(" = broadcast(0.0:f32, ").append(lanes).append(")\n");
        }
        text.append("for i i64 = base to end step ").append(STREAMS * lanes).append(" {\n");
        for (int i = 0; i < STREAMS; i++) {
            text.append("c").append(i).append(" = add(c").append(i).append(", load(b0, add(i, ")
                    .append(i * lanes).append(":i64), ").append(lanes).append("))\n");
        }
        text.append("}\n");
        return text.append(stores(STREAMS, lanes)).append("}\n}\n").toString();
    }

    private static String header(String name) {
        return "kernel " + name + " {\nbuffer b0 f32\nbuffer b1 f32\nscalar n0 i64\n"
                + "tile \"tile\" i64\ndo {\n";
    }

    /** What is computed has to be stored, or nothing needs to be computed. */
    private static String stores(int count, int lanes) {
        StringBuilder text = new StringBuilder("let at i64 = multiply(\"tile\", 1024:i64)\n");
        for (int i = 0; i < count; i++) {
            text.append("store(b1, add(at, ").append(i * lanes).append(":i64), c").append(i)
                    .append(")\n");
        }
        return text.toString();
    }
}
