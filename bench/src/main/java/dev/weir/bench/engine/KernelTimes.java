package dev.weir.bench.engine;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A back end whose kernels note how long they run. Two times are kept for each: how long at least
 * one thread was in it, and how long all threads were in it together. A kernel that is balanced
 * over two threads has twice as much of the second as of the first.
 */
public final class KernelTimes implements KernelCompiler {
    private final KernelCompiler compiler;
    private final Map<String, Timed> kernels = new LinkedHashMap<>();

    /** Takes the compiler over and closes it. */
    public KernelTimes(KernelCompiler compiler) {
        this.compiler = compiler;
    }

    /**
     * What a kernel took.
     *
     * @param wallNanos while at least one thread was in it
     * @param threadNanos of all threads together
     */
    public record Time(long wallNanos, long threadNanos) {

        /** The sum of both. */
        public Time plus(Time other) {
            return new Time(wallNanos + other.wallNanos, threadNanos + other.threadNanos);
        }
    }

    private static final class Timed implements CompiledKernel {
        private final CompiledKernel code;
        private int inside;
        private long entered;
        private long wall;
        private long thread;

        Timed(CompiledKernel code) {
            this.code = code;
        }

        @Override
        public void run(long begin, long end, long arguments, long scratch) {
            long start = enter();
            try {
                code.run(begin, end, arguments, scratch);
            } finally {
                leave(start);
            }
        }

        private synchronized long enter() {
            long now = System.nanoTime();
            if (inside++ == 0) {
                entered = now;
            }
            return now;
        }

        private synchronized void leave(long start) {
            long now = System.nanoTime();
            thread += now - start;
            if (--inside == 0) {
                wall += now - entered;
            }
        }

        synchronized Time time() {
            return new Time(wall, thread);
        }

        synchronized void reset() {
            wall = 0;
            thread = 0;
        }
    }

    /** By the name of the kernel, in the program's order. */
    public Map<String, Time> times() {
        Map<String, Time> times = new LinkedHashMap<>();
        kernels.forEach((name, kernel) -> times.put(name, kernel.time()));
        return times;
    }

    /** Forgets what ran so far. */
    public void reset() {
        kernels.values().forEach(Timed::reset);
    }

    @Override
    public TargetDescription target() {
        return compiler.target();
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> all) {
        List<CompiledKernel> compiled = compiler.compile(all);
        List<CompiledKernel> timed = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            Timed kernel = new Timed(compiled.get(i));
            kernels.put(all.get(i).name(), kernel);
            timed.add(kernel);
        }
        return timed;
    }

    @Override
    public String listing(Kernel kernel) {
        return compiler.listing(kernel);
    }

    @Override
    public void close() {
        compiler.close();
    }
}
