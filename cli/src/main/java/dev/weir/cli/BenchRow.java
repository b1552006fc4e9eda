package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.List;

/**
 * A line of {@code weir bench}: what was measured on what, and what came out.
 *
 * @param file MODEL as the user named it
 * @param model its name in the program
 * @param parameters how many numbers its weights are
 * @param bytes the memory that its weights take
 * @param batch sequences at once
 * @param context what they have seen before
 */
record BenchRow(
        String file,
        String model,
        long parameters,
        long bytes,
        ModelOptions.Target target,
        int threads,
        int batch,
        Workload workload,
        List<Question.Context> context,
        Throughput throughput) {
    /** What was measured, and behind what. */
    String test() {
        return workload.text() + StepEntry.depth(context);
    }
}
