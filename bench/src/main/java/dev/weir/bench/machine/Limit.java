package dev.weir.bench.machine;

import dev.weir.bench.measure.Contestant;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.runtime.execute.WorkerPool;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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
    private static final long TILE_STORES = 4096;
    /** Enough to hide the latency of a fused multiply-add, and few enough for 16 registers. */
    private static final int CHAINS = 12;
    private static final int STREAMS = 8;

    private final String name;
    private final WorkerPool workers;
    private final Arena arena = Arena.ofShared();
    private final LlvmCompiler compiler;
    private final CompiledKernel kernel;
    private final MemorySegment words;
    private final long tiles;

    private Limit(
            String name,
            LlvmCompiler compiler,
            String text,
            int threads,
            long bytes,
            long tiles,
            long scalar) {
        this.name = name;
        this.compiler = compiler;
        this.tiles = tiles;
        workers = new WorkerPool(threads);
        kernel = compiler.compile(KernelParser.parseAll(new Source("limit", text))).getFirst();
        MemorySegment memory = arena.allocate(bytes, 64);
        // Pages that nobody has written share one page of zeros, which a cache holds.
        memory.fill((byte) 1);
        MemorySegment results = arena.allocate(TILE_STORES * tiles, 64);
        words = arena.allocateFrom(ValueLayout.JAVA_LONG,
                memory.address(), results.address(), scalar, 0L);
    }

    /**
     * Reads.
     *
     * @param bytes are rounded up to whole MiB; fewer than caches hold are read faster than memory
     */
    public static Limit reading(double bytes, int threads) {
        LlvmCompiler compiler = new LlvmCompiler();
        long tiles = Math.max(1, (long) Math.ceil(bytes / TILE_BYTES));
        return new Limit(READING, compiler, reads(compiler.target().lanes()), threads,
                tiles * TILE_BYTES, tiles, TILE_BYTES / Float.BYTES);
    }

    /**
     * Computes.
     *
     * @param operations two of which are one fused multiply-add; shared evenly among the threads
     */
    public static Limit computing(double operations, int threads) {
        LlvmCompiler compiler = new LlvmCompiler();
        int lanes = compiler.target().lanes();
        long iterations = Math.max(1, Math.round(operations / (2.0 * CHAINS * lanes * threads)));
        return new Limit(COMPUTING, compiler, multiplyAdds(lanes), threads, 64, threads,
                iterations);
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
        StringBuilder text = new StringBuilder("let at i64 = multiply(\"tile\", ")
                .append(TILE_STORES / Float.BYTES).append(":i64)\n");
        for (int i = 0; i < count; i++) {
            text.append("store(b1, add(at, ").append(i * lanes).append(":i64), c").append(i)
                    .append(")\n");
        }
        return text.toString();
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
        workers.run(tiles, true, (worker, begin, end) ->
                kernel.run(begin, end, words.address(), 0));
    }

    @Override
    public float[] result() {
        return new float[0];
    }

    @Override
    public void close() {
        workers.close();
        arena.close();
        compiler.close();
    }
}
