package dev.weir.passes.memory;

import java.util.List;

/**
 * The memory that a model needs for one step of one sequence, in bytes.
 *
 * @param stored its weights, as they are kept
 * @param made what the load makes of weights and keeps: packed copies, and what depends on weights
 *     alone
 * @param states what the sequence remembers behind the step
 * @param bound the most bytes of tensors that are alive at once in the step: no allocator can do
 *     with less in this order of launches
 * @param place the kernel whose launch needs them
 * @param tensors those that are alive there, the largest first
 * @param scratch of each thread
 * @param assumptions what data would decide; the bound is for what is assumed
 */
public record MemoryPlan(
        List<Stored> stored,
        List<Made> made,
        List<Remembered> states,
        double bound,
        String place,
        List<Tensor> tensors,
        long scratch,
        List<String> assumptions) {
    public MemoryPlan {
        stored = List.copyOf(stored);
        made = List.copyOf(made);
        states = List.copyOf(states);
        tensors = List.copyOf(tensors);
        assumptions = List.copyOf(assumptions);
    }

    /**
     * A parameter with all its instances. Those that may be stored under the same name are one,
     * since they take its memory once.
     *
     * @param path in the model, with {@code {0}}, {@code {1}} for instances
     * @param isRead whether steps read it: if not, its memory can be given back behind the load
     */
    public record Stored(String path, long bytes, boolean isRead) {}

    /**
     * A tensor that the load makes.
     *
     * @param of paths of the parameters that it was made of
     */
    public record Made(String name, List<String> of, long bytes) {}

    /**
     * A state with all its instances.
     *
     * @param slot bytes of one slot of each instance; 0 if it does not grow
     * @param bytes at the end of the step: the slots that are in use, or for a state that does not
     *     grow, itself and the copy to which a step that fails goes back
     */
    public record Remembered(String path, double slot, double bytes) {}

    /**
     * A tensor of a step.
     *
     * @param type format and shape
     */
    public record Tensor(String name, String type, double bytes) {}

    /** Weights that steps read as they are stored. */
    public long readBytes() {
        return stored.stream().filter(Stored::isRead).mapToLong(Stored::bytes).sum();
    }

    /** Weights that only the load reads. */
    public long loadedBytes() {
        return stored.stream().filter(s -> !s.isRead()).mapToLong(Stored::bytes).sum();
    }

    /** What the load makes and keeps. */
    public long madeBytes() {
        return made.stream().mapToLong(Made::bytes).sum();
    }

    /** What the sequence remembers. */
    public double stateBytes() {
        return states.stream().mapToDouble(Remembered::bytes).sum();
    }

    /** All that has to be there at once, beside code, scratch memory and what the caller holds. */
    public double total() {
        return readBytes() + madeBytes() + stateBytes() + bound;
    }
}
