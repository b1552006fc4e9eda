package dev.weir.testkit.fuzz;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The program {@code weir-fuzz}: as many random programs or changed sources as there is time for.
 * A seed and a number name one of them in this checkout, whatever the number of threads.
 */
@Command(name = "weir-fuzz", mixinStandardHelpOptions = true, description = {
    "Looks for what Weir gets wrong: random programs that mean different things on the",
    "interpreter, the JVM and LLVM, or changed sources of which more comes than diagnostics.",
    "Exit codes: 0 nothing was found, 1 something was, 2 the command line is wrong."})
public final class Fuzz implements Callable<Integer> {
    private static final Duration SOURCE_PATIENCE = Duration.ofSeconds(10);
    private static final Duration PROGRAM_PATIENCE = Duration.ofMinutes(3);

    @ArgGroup(multiplicity = "1")
    private What what;

    @Option(names = "--seed", description = "chooses them all; by default another one each time")
    private long seed = System.nanoTime() % 1_000_000_000;

    @Option(names = "--first", description = "the number of the first; with a count of 1 and "
            + "the seed, what failed fails again (default: 0)")
    private long first;

    @Option(names = "--threads", description = "how many at a time (default: one for each "
            + "processor)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--minutes", description = "begin none later (default: no limit)")
    private long minutes = Duration.ofDays(365).toMinutes();

    /** One of the two. */
    private static final class What {
        @Option(names = "--programs", required = true, description = "how many random programs")
        private long programs;

        @Option(names = "--sources", required = true, description = "how many changed sources")
        private long sources;

        @Option(names = "--reduce", required = true, paramLabel = "FILE",
                description = "make a .weir or .tensor file that fails smaller; a source takes "
                        + "the config.json beside it")
        private Optional<Path> reduced = Optional.empty();
    }

    public static void main(String[] arguments) {
        // Threads that did not come back must not keep the process.
        Runtime.getRuntime().halt(new CommandLine(new Fuzz()).execute(arguments));
    }

    @Override
    public Integer call() throws InterruptedException {
        PrintStream out = System.out;
        if (what.reduced.isPresent()) {
            return reduce(what.reduced.get(), out);
        }
        boolean ofSources = what.sources > 0;
        out.println((ofSources ? what.sources + " changed sources" : what.programs
                + " random programs") + " from number " + first + " of seed " + seed + ", "
                + threads + " at a time");
        Campaign.Extent extent = new Campaign.Extent(
                first,
                ofSources ? what.sources : what.programs,
                Math.max(1, threads),
                ofSources ? SOURCE_PATIENCE : PROGRAM_PATIENCE,
                Duration.ofMinutes(minutes));
        Corpus corpus = Corpus.read();
        Seed chance = new Seed(seed);
        Map<String, Integer> failures = Campaign.run(extent,
                () -> ofSources ? new Sources(corpus, chance) : new Programs(chance), out);
        out.flush();
        return failures.isEmpty() ? 0 : 1;
    }

    private int reduce(Path file, PrintStream out) {
        Path configuration = file.resolveSibling("config.json");
        long end = System.nanoTime() + Duration.ofMinutes(minutes).toNanos();
        try (Reduction reduction = new Reduction(file.toString().endsWith(".tensor"),
                Files.exists(configuration) ? Files.readString(configuration) : "{}")) {
            boolean fails = reduction.print(
                    Files.readString(file), () -> System.nanoTime() - end >= 0, out);
            out.flush();
            return fails ? 1 : 0;
        } catch (IOException e) {
            out.println("error: cannot read " + file + ": " + e.getMessage());
            return 2;
        }
    }
}
