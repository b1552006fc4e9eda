package dev.weir.cli;

/**
 * A line of {@code weir bench}: what was measured on what, and what came out.
 *
 * @param file MODEL as the user named it
 * @param model its name in the program
 * @param parameters how many numbers its weights are
 * @param bytes the memory that its weights take
 * @param batch sequences at once
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
        Throughput throughput) {}
