package dev.weir.cli;

import dev.weir.ir.tensor.StreamAxis;
import dev.weir.passes.cost.Question;
import dev.weir.runtime.model.Signature;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/**
 * {@code weir bench}: how fast a language model takes prompts, and how fast it goes on; an example,
 * how much faster its idea is than its baseline.
 */
@Command(name = "bench", description = "Measure how many tokens a second a model takes.",
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    /** No context is longer; more would be a slip of the finger. */
    static final long MOST_TOKENS = 1L << 24;

    static final int MOST_WARMUP = 3600;

    /** What means nothing where an example is measured. */
    private static final List<String> OF_MODELS = List.of("--n-prompt", "--n-gen",
            "--batch-size", "--memory-limit", "--model", "--weights");

    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Mixin
    private MemoryOption memory;

    @Mixin
    private ContextOption context;

    @Option(names = {"-p", "--n-prompt"}, paramLabel = "N", split = ",", defaultValue = "128",
            description = "tokens of a prompt, taken in one step; 0 for no prompt "
                    + "(default: ${DEFAULT-VALUE})")
    private List<Integer> prompts;

    @Option(names = {"-n", "--n-gen"}, paramLabel = "N", split = ",", defaultValue = "64",
            description = "tokens to generate, one in each step; 0 for none "
                    + "(default: ${DEFAULT-VALUE})")
    private List<Integer> generations;

    @Option(names = {"-b", "--batch-size"}, paramLabel = "N", split = ",", defaultValue = "1",
            description = "sequences at once; the tokens of all count (default: ${DEFAULT-VALUE})")
    private List<Integer> batches;

    @Option(names = {"-t", "--threads"}, paramLabel = "N", split = ",",
            description = "threads to compute with (default: all processors)")
    private List<Integer> threads = List.of();

    @Option(names = {"-r", "--repetitions"}, paramLabel = "N", defaultValue = "5",
            description = "how often each test is done (default: ${DEFAULT-VALUE})")
    private int repetitions;

    @Option(names = "--warmup", paramLabel = "SECONDS", defaultValue = "2",
            description = "how long each test is done before it counts, and up to ten times as "
                    + "long while it still gets faster; 0 for not at all "
                    + "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = {"-o", "--output"}, paramLabel = "FORM", defaultValue = "md",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    private BenchForm form;

    @Option(names = "--random", paramLabel = "SEED",
            description = "random weights instead of stored ones")
    private Optional<Long> random = Optional.empty();

    @Option(names = "--gallery",
            description = "MODEL is a folder of examples: a table with a line for each")
    private boolean gallery;

    @Spec
    private CommandSpec command;

    @Override
    public Integer call() {
        if (gallery || Example.isOne(options.model)) {
            return examples();
        }
        requireSense();
        List<BenchRow> rows = new ArrayList<>();
        try {
            for (int count : threads()) {
                try (Loaded loaded = load(count)) {
                    measure(loaded, count, rows);
                }
            }
        } finally {
            show(rows);
        }
        return 0;
    }

    /** Ideas beside their baselines: their sizes and tokens are their own. */
    private int examples() {
        options.require(threads.size() <= 1, "an example is measured with one number of --threads");
        options.require(form != BenchForm.CSV, "an example is written as md or json");
        threads.forEach(options::requireThreads);
        requireEach("--repetitions", List.of(repetitions), 1);
        requireWarmup();
        options.requireKernels();
        options.require(context.context().isEmpty() && options.entry.isEmpty(),
                "the entry and the context of an example stand in its example.json: leave "
                        + "--entry and --context away");
        for (String option : OF_MODELS) {
            options.require(!command.commandLine().getParseResult().hasMatchedOption(option),
                    option + " is for a single model, and " + options.model + " is "
                            + (gallery ? "a folder of examples" : "an example")
                            + ": what is measured stands in example.json, and weights are "
                            + "random; leave it away");
        }
        var setting = new Comparison.Setting(new Question(1, 0, 1, Map.of()), Optional.empty(),
                threads().getFirst(), Optional.empty(), random,
                new Measurement(System::nanoTime, Math.round(warmup * 1e9), repetitions));
        List<Example> examples = gallery
                ? Example.in(options.model) : List.of(Example.read(options.model));
        List<ExampleResult> results = examples.stream()
                .map(example -> ExampleResult.of(example, options, setting, weir))
                .toList();
        if (form == BenchForm.JSON) {
            weir.print((gallery ? ExampleResult.asJson(results) : results.getFirst().asJson())
                    .toPrettyString() + "\n");
        } else {
            weir.print(gallery ? ExampleResult.gallery(results) : results.getFirst().text());
        }
        return 0;
    }

    private void requireWarmup() {
        options.require(warmup >= 0 && warmup <= MOST_WARMUP, "--warmup has to be at least 0 and "
                + "at most " + MOST_WARMUP + " seconds, here it is " + warmup);
    }

    /** Also what was measured before one test failed, say for want of memory. */
    private void show(List<BenchRow> rows) {
        if (!rows.isEmpty()) {
            weir.print(form.of(rows));
        }
    }

    /** What picocli cannot see: numbers out of their range. */
    private void requireSense() {
        requireEach("--n-prompt", prompts, 0);
        requireEach("--n-gen", generations, 0);
        requireEach("--batch-size", batches, 1);
        threads.forEach(options::requireThreads);
        memory.requireSense(options);
        requireEach("--repetitions", List.of(repetitions), 1);
        requireWarmup();
        options.require(!workloads().isEmpty(),
                "there is nothing to measure: --n-prompt and --n-gen are both 0");
        long most = workloads().stream().mapToLong(Workload::tokens).max().orElse(0)
                * batches.stream().mapToLong(b -> b).max().orElse(0);
        options.require(most <= MOST_TOKENS, "--n-prompt or --n-gen times --batch-size is "
                + most + ", and more than " + MOST_TOKENS + " tokens are not measured at once");
        options.require(!isInterpreted() || threads.stream().allMatch(t -> t == 1),
                "the interpreter computes with one thread: leave --threads away");
    }

    private void requireEach(String option, List<Integer> values, int least) {
        values.forEach(value -> options.require(value >= least,
                option + " has to be at least " + least + ", here it is " + value));
    }

    private boolean isInterpreted() {
        return options.target == ModelOptions.Target.INTERPRETER;
    }

    private List<Integer> threads() {
        if (!threads.isEmpty()) {
            return threads;
        }
        return List.of(isInterpreted() ? 1 : Runtime.getRuntime().availableProcessors());
    }

    private List<Workload> workloads() {
        return Stream.concat(
                prompts.stream().filter(n -> n > 0).map(Workload::prompt),
                generations.stream().filter(n -> n > 0).map(Workload::generation)).toList();
    }

    private Loaded load(int threads) {
        ModelOptions all = options.withAllEntries();
        return random
                .map(seed -> Loaded.load(
                        Loaded.Use.RUN, all, threads, false, memory, this::progress,
                        p -> Weights.random(all, seed, p, this::progress)))
                .orElseGet(() -> Loaded.load(
                        Loaded.Use.RUN, all, threads, false, memory, this::progress));
    }

    /** For people, who do not want to read the other forms either. */
    private void progress(String text) {
        if (form == BenchForm.MD) {
            weir.progress(text);
        }
    }

    private void measure(Loaded loaded, int threads, List<BenchRow> rows) {
        List<Question.Context> seen = context.context();
        StepEntry.requireKnown(options.entry, seen, List.of(loaded.signatures().keySet()));
        StepEntry entry = StepEntry.of(loaded.signatures().keySet(), options.entry);
        requireTokens(loaded, entry);
        List<Workload> possible = possible(loaded, entry, rows.isEmpty());
        if (rows.isEmpty()) {
            sayWhatDidNotRun(loaded, entry, seen);
        }
        var measurement = new Measurement(
                System::nanoTime, Math.round(warmup * 1e9), repetitions);
        for (int batch : batches) {
            for (Workload workload : possible) {
                progress(workload.text() + ": threads " + threads + ", batch " + batch);
                Throughput throughput = measurement.of(
                        () -> new StepTrial(loaded, entry, seen, new StepTrial.Shape(batch,
                                workload.steps(), workload.tokensOfStep()), Optional.empty()),
                        (long) workload.tokens() * batch);
                rows.add(new BenchRow(options.model.toString(), loaded.signature().model(),
                        loaded.weights().count(), loaded.weights().bytes(), options.target,
                        threads, batch, workload, seen, throughput));
            }
        }
    }

    /** Refuses what does not take ids, or whose ids no logits count. */
    private static void requireTokens(Loaded loaded, StepEntry entry) {
        Signature signature = loaded.signatures().get(entry.name());
        boolean takesIds = signature.arguments().stream().allMatch(a ->
                a.isPositions() || a.isStream() && a.format().isInteger());
        if (!takesIds || loaded.vocabulary().isEmpty()) {
            throw new UserException("the model " + signature.model()
                    + " does not map a stream of ids to logits, and only the tokens of such "
                    + "a model are counted\nhelp: `weir explain` shows the work of any model");
        }
    }

    /** A decoder that has nothing to look at is measured too, but this is said. */
    private void sayWhatDidNotRun(
            Loaded loaded, StepEntry entry, List<Question.Context> seen) {
        List<String> idle = entry.all().stream()
                .filter(e -> !e.equals(entry.name()))
                .filter(e -> seen.stream().noneMatch(c -> entry.of(c).equals(e))).toList();
        if (!idle.isEmpty()) {
            weir.say("note: the steps of " + loaded.signature().model() + "." + entry.name()
                    + " come behind none of " + String.join(", ", idle) + "; --context "
                    + idle.getFirst() + "=128 lets one of 128 tokens run before");
        }
    }

    /** Prompts only where a model takes whole sequences; the first time, this is said. */
    private List<Workload> possible(Loaded loaded, StepEntry entry, boolean first) {
        Optional<String> obstacle = Optional.ofNullable(loaded.streams().get(entry.name()))
                .flatMap(StreamAxis::obstacle);
        List<Workload> all = workloads();
        List<Workload> possible = obstacle.isEmpty()
                ? all : all.stream().filter(w -> !w.isGeneration()).toList();
        String reason = "the model " + loaded.signature().model() + " takes a whole sequence in "
                + "one step, so it generates nothing token by token: " + obstacle.orElse("");
        if (possible.isEmpty()) {
            throw new UserException(reason + "\nhelp: measure prompts, with --n-prompt");
        }
        if (first && possible.size() < all.size()) {
            weir.say("note: " + reason);
        }
        return possible;
    }
}
