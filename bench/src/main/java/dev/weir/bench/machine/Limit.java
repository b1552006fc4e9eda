package dev.weir.bench.machine;

import dev.weir.bench.measure.Contestant;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.LimitKernels;
import dev.weir.runtime.execute.WorkerPool;
import dev.weir.runtime.memory.Pool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The machine itself as a contestant: it does as many f32 multiply-adds, or reads as many bytes, as
 * some work needs at least, and nothing else. Both are kernels of Weir's own, compiled by its
 * native back end.
 */
public final class Limit implements Contestant {
    /** The name of the one that reads. */
    public static final String READING = "read bandwidth";
    /** The name of the one that computes. */
    public static final String COMPUTING = "FMA peak";

    private static final long TILE_BYTES = 1L << 20;

    private final String name;
    private final WorkerPool workers;
    private final Arena arena = Arena.ofShared();
    private final Pool pool = new Pool();
    private final LlvmCompiler compiler;
    private final CompiledKernel kernel;
    private final MemorySegment words;
    private final long tiles;
    private final int times;
    private final long space;

    private Limit(
            String name,
            LlvmCompiler compiler,
            Kernel limit,
            int threads,
            long bytes,
            long tiles,
            int times,
            long space,
            long scalar) {
        this.name = name;
        this.compiler = compiler;
        this.tiles = tiles;
        this.times = times;
        this.space = space;
        workers = new WorkerPool(threads);
        kernel = compiler.compile(List.of(limit)).getFirst();
        // As a model has its weights: in large pages, where there are such.
        MemorySegment memory = pool.take(bytes);
        // Pages that nobody has written share one page of zeros, which a cache holds.
        memory.fill((byte) 1);
        MemorySegment results = arena.allocate(LimitKernels.TILE_STORES * space, 64);
        words = arena.allocateFrom(ValueLayout.JAVA_LONG,
                memory.address(), results.address(), scalar, 0L);
    }

    /**
     * Reads.
     *
     * @param bytes are rounded up to whole MiB; fewer than caches hold are read faster than memory
     */
    public static Limit reading(double bytes, int threads) {
        return reading(bytes, threads, 1, bytes);
    }

    /**
     * Reads so many times, each time where the one before ended.
     *
     * @param space all bytes that there are; behind them come the first ones again
     */
    public static Limit reading(double bytes, int threads, int times, double space) {
        LlvmCompiler compiler = new LlvmCompiler();
        long tiles = tiles(bytes);
        long all = Math.max(tiles, tiles(space));
        return new Limit(READING, compiler, LimitKernels.reads(compiler.target().lanes()), threads,
                all * TILE_BYTES, tiles, times, all, TILE_BYTES / Float.BYTES);
    }

    private static long tiles(double bytes) {
        return Math.max(1, (long) Math.ceil(bytes / TILE_BYTES));
    }

    /**
     * Computes.
     *
     * @param operations two of which are one fused multiply-add; shared evenly among the threads
     */
    public static Limit computing(double operations, int threads) {
        LlvmCompiler compiler = new LlvmCompiler();
        int lanes = compiler.target().lanes();
        long iterations = Math.max(1,
                Math.round(operations / (LimitKernels.operations(lanes) * threads)));
        return new Limit(COMPUTING, compiler, LimitKernels.multiplyAdds(lanes), threads, 64,
                threads, 1, threads, iterations);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isPeer() {
        return false;
    }

    @Override
    public void run() {
        for (int i = 0; i < times; i++) {
            long from = i * tiles % space;
            long wrapped = Math.max(0, from + tiles - space);
            read(from, tiles - wrapped);
            read(0, wrapped);
        }
    }

    private void read(long from, long count) {
        workers.run(count, true, (worker, begin, end) ->
                kernel.run(from + begin, from + end, words.address(), 0));
    }

    @Override
    public float[] result() {
        return new float[0];
    }

    @Override
    public void close() {
        workers.close();
        arena.close();
        pool.close();
        compiler.close();
    }
}
