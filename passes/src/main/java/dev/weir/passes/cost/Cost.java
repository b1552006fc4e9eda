package dev.weir.passes.cost;

import java.util.List;
import java.util.Set;

/**
 * What one step of a model costs, as its kernels and their host program say.
 *
 * @param model its name, with the entry's behind a dot if there are several
 * @param parameters how many numbers its weights are; quantised ones count as what they stand for
 * @param active how many of them a step of one token reads, each once; of what data picks out of a
 *     parameter, as many as it picks
 * @param cache bytes that each token of the step adds to what a sequence remembers
 * @param bounded bytes that a sequence remembers at most, whatever its length, beside the cache
 * @param total of the step
 * @param blocks the same for each block, in the order in which they run
 * @param loops how often each is expected to run
 * @param gates their paths, with numbers of instances where they are known, and as patterns
 * @param assumptions what the program leaves open, and was taken from the question
 */
public record Cost(
        String model,
        long parameters,
        double active,
        double cache,
        double bounded,
        Amounts total,
        List<Block> blocks,
        List<Loop> loops,
        Set<String> gates,
        List<Assumption> assumptions) {
    public Cost {
        blocks = List.copyOf(blocks);
        loops = List.copyOf(loops);
        gates = Set.copyOf(gates);
        assumptions = List.copyOf(assumptions);
    }

    /**
     * A part of a model.
     *
     * @param path of the block whose parameters or states its kernels read, a star for each
     *     instance; the kernel's name where they read none
     */
    public record Block(String path, Amounts amounts) {}

    /**
     * A loop, or all those of one path.
     *
     * @param path as the ledger names it
     * @param early whether it can be left before it ends, or ends where data says
     * @param entered how often it begins
     * @param iterations of all these times together
     * @param least rounds each time it begins: who leaves early has done one
     * @param most likewise, if nobody leaves; infinite if data says where it ends
     */
    public record Loop(
            String path,
            boolean early,
            double entered,
            double iterations,
            double least,
            double most) {}

    /**
     * A share that depends on data.
     *
     * @param path of the gate, loop or route
     * @param text what was taken for it
     */
    public record Assumption(String path, String text) {}
}
