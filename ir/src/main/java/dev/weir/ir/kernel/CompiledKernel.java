package dev.weir.ir.kernel;

/**
 * A kernel made executable by some back end. Safe to call from several threads at once, on disjoint
 * tiles and with scratch memory of their own.
 */
@FunctionalInterface
public interface CompiledKernel {

    /**
     * Runs tiles {@code begin} up to but not including {@code end}.
     *
     * @param arguments address of the argument words, as {@link Kernel} lays them out
     * @param scratch address of the kernel's scratch memory, aligned to 64
     */
    void run(long begin, long end, long arguments, long scratch);
}
