package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options of commands that measure two models beside each other. */
final class TimingOptions {
    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads to compute with (default: all processors)")
    int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = {"-r", "--repetitions"}, paramLabel = "N", defaultValue = "5",
            description = "how often each model is measured (default: ${DEFAULT-VALUE})")
    int repetitions;

    @Option(names = "--warmup", paramLabel = "SECONDS", defaultValue = "2",
            description = "how long each model runs before it counts (default: "
                    + "${DEFAULT-VALUE})")
    double warmup;

    @Option(names = "--random", paramLabel = "SEED",
            description = "random weights instead of stored ones")
    Optional<Long> random = Optional.empty();

    @Option(names = "--ids", paramLabel = "N",
            description = "inputs that are whole numbers lie below this (default: as many as "
                    + "there are logits, else only 0)")
    Optional<Long> ids = Optional.empty();

    Comparison.Setting setting(ModelOptions options, Question question) {
        options.requireThreads(threads);
        options.require(repetitions >= 1,
                "--repetitions has to be at least 1, here it is " + repetitions);
        options.require(warmup >= 0 && warmup <= BenchCommand.MOST_WARMUP,
                "--warmup has to be at least 0 and at most " + BenchCommand.MOST_WARMUP
                        + " seconds, here it is " + warmup);
        options.require(ids.map(n -> n >= 1).orElse(true),
                "--ids has to be at least 1, here it is " + ids.orElse(0L));
        options.requireKernels();
        return new Comparison.Setting(question, options.entry, threads, ids, random,
                new Measurement(System::nanoTime, Math.round(warmup * 1e9), repetitions));
    }
}
