package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.ir.tensor.Fault;
import dev.weir.runtime.generate.Generator;
import dev.weir.runtime.generate.Sampler;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.tokenize.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir run}: text from a prompt, ids from ids, or tensors from tensors. */
@Command(name = "run", description = "Run a model on a prompt, on token ids or on tensors.",
        mixinStandardHelpOptions = true)
final class RunCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Mixin
    private MemoryOption memory;

    @Option(names = "--prompt", paramLabel = "TEXT", description = "text to continue")
    private Optional<String> prompt = Optional.empty();

    @Option(names = "--prompt-ids", paramLabel = "ID", split = ",",
            description = "token ids to continue, as they are; ids are printed")
    private List<Long> promptIds = List.of();

    @Option(names = {"-n", "--max-tokens"}, paramLabel = "N", defaultValue = "128",
            description = "most new tokens (default: ${DEFAULT-VALUE})")
    private long maxTokens;

    @Option(names = "--greedy", description = "always take the likeliest token (the default)")
    private boolean greedy;

    @Option(names = "--temperature", paramLabel = "T", defaultValue = "0",
            description = "sample; higher is more varied (default: greedy)")
    private double temperature;

    @Option(names = "--top-k", paramLabel = "K", defaultValue = "0",
            description = "sample from the K likeliest tokens only")
    private int topK;

    @Option(names = "--top-p", paramLabel = "P", defaultValue = "1",
            description = "sample from the fewest tokens of probability P together")
    private double topP;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "0",
            description = "seed for sampling (default: ${DEFAULT-VALUE})")
    private long seed;

    @Option(names = "--chunk", paramLabel = "N", defaultValue = "0",
            description = "most prompt tokens in one step (default: all)")
    private int chunk;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads to compute with (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--inputs", paramLabel = "[ENTRY=]FILE", description = "safetensors with the "
            + "inputs; given several times, these entries run one after the other, and results are "
            + "ENTRY.NAME; those of an entry's second step are ENTRY.NAME#2. One more axis in "
            + "front is a batch; with a tensor `lengths`, streams stand one behind the other")
    private List<String> inputs = List.of();

    @Option(names = "--outputs", paramLabel = "FILE", description = "safetensors to write")
    private Optional<Path> outputs = Optional.empty();

    @Option(names = "--trace", description = "also write every block's and equation's value, "
            + "one row for each token or sequence; PATH#2 is the second value of PATH; "
            + "blocks chosen by `route` are left out")
    private boolean trace;

    @Option(names = "--ledger", description = "say what ran and what did not, at the end")
    private boolean ledger;

    @Option(names = "--json", description = "write the result as JSON")
    private boolean json;

    @Override
    public Integer call() {
        requireSense();
        try (Loaded loaded = Loaded.load(
                Loaded.Use.RUN, options, threads, trace, memory, this::progress)) {
            Set<String> unused = loaded.weights().unused();
            if (!unused.isEmpty()) {
                weir.warning("the model has no use for " + unused.size()
                        + " of the stored tensors: "
                        + unused.stream().limit(5).collect(Collectors.joining(", "))
                        + (unused.size() > 5 ? ", …" : ""));
            }
            progress("computing");
            ObjectNode result = Json.MAPPER.createObjectNode();
            if (!inputs.isEmpty()) {
                TensorRun.run(loaded, inputs.stream().map(i -> call(loaded, i)).toList(),
                        outputs.orElseThrow());
                result.put("outputs", outputs.orElseThrow().toString());
            } else {
                generate(loaded, result);
            }
            finish(loaded, result);
        }
        return 0;
    }

    /** What picocli cannot see: options that go together, and numbers out of their range. */
    private void requireSense() {
        int given = (prompt.isPresent() ? 1 : 0) + (promptIds.isEmpty() ? 0 : 1)
                + (inputs.isEmpty() ? 0 : 1);
        options.require(given == 1, "give one of --prompt, --prompt-ids and --inputs");
        options.require(inputs.isEmpty() == outputs.isEmpty(),
                "--inputs and --outputs go together");
        options.require(outputs.isEmpty() || !outputs.get().toString().isEmpty(),
                "--outputs is empty; give a file to write");
        options.require(!trace || !inputs.isEmpty(), "--trace goes with --inputs and --outputs");
        options.requireThreads(threads);
        memory.requireSense(options);
        options.require(maxTokens >= 0, "--max-tokens has to be at least 0, here it is "
                + maxTokens);
        options.require(chunk >= 0, "--chunk has to be at least 1, or 0 for all at once, here it "
                + "is " + chunk);
        options.require(temperature >= 0 && Double.isFinite(temperature),
                "--temperature has to be at least 0, here it is " + temperature);
        options.require(topK >= 0, "--top-k has to be at least 1, or 0 for all, here it is "
                + topK);
        options.require(topP > 0 && topP <= 1,
                "--top-p has to be above 0 and at most 1, here it is " + topP);
    }

    /** {@code ENTRY=FILE}; without a name, the entry that is taken by itself. */
    private TensorRun.Call call(Loaded loaded, String input) {
        String known = String.join(", ", loaded.signatures().keySet());
        int sign = input.indexOf('=');
        options.require(sign + 1 < input.length(), "--inputs " + (input.isEmpty() ? "is empty"
                : input + " names no file") + "; give ENTRY=FILE, or FILE alone");
        if (sign > 0 && loaded.signatures().containsKey(input.substring(0, sign))) {
            return new TensorRun.Call(input.substring(0, sign),
                    Path.of(input.substring(sign + 1)));
        }
        options.require(sign < 0, "the model has no entry " + input.substring(0, Math.max(0, sign))
                + "; it has " + known);
        options.require(loaded.hasMain(), "say which entry " + input + " is for: ENTRY=" + input
                + ", of " + known);
        return new TensorRun.Call(loaded.signatures().firstEntry().getKey(), Path.of(input));
    }

    /** For people, who do not want to read JSON either. */
    private void progress(String text) {
        if (!json) {
            weir.progress(text);
        }
    }

    private void generate(Loaded loaded, ObjectNode result) {
        options.require(loaded.hasMain(), "the model has several entries, and none is called "
                + "forward: name one with --entry, of "
                + String.join(", ", loaded.signatures().keySet()));
        Generator generator = new Generator(loaded.engine(), loaded.signature());
        Sampler sampler = greedy
                ? Sampler.greedy()
                : new Sampler(temperature, topK, topP, seed);
        Set<Long> stops = Prompts.stops(options);
        List<Long> generated = new ArrayList<>();
        try (Engine.Session session = loaded.engine().start()) {
            if (prompt.isEmpty()) {
                explained(loaded, promptIds, generated, () -> generator.generate(
                        session, promptIds, chunk, maxTokens, stops, sampler, generated::add));
                result.putPOJO("ids", generated);
                if (!json) {
                    weir.print(generated.stream().map(String::valueOf)
                            .collect(Collectors.joining(",")) + "\n");
                }
                return;
            }
            try (Tokenizer tokenizer = Prompts.tokenizer(options)) {
                List<Long> ids = Prompts.ids(tokenizer, options, prompt.get());
                TextStream text = new TextStream(tokenizer, ids, json ? t -> { } : weir::print);
                text.begin();
                Predicate<Long> next = id -> {
                    generated.add(id);
                    text.next(id);
                    return true;
                };
                explained(loaded, ids, generated, () -> generator.generate(
                        session, ids, chunk, maxTokens, stops, sampler, next::test));
                result.put("text", text.finish());
                result.putPOJO("ids", generated);
                if (!json) {
                    weir.print("\n");
                }
            }
        }
    }

    private void explained(
            Loaded loaded, List<Long> ids, List<Long> generated, Runnable generation) {
        boolean isLong = Prompts.warnOfPositions(options, ids.size());
        try {
            generation.run();
            if (!isLong) {
                Prompts.warnOfPositions(options, ids.size() + generated.size());
            }
        } catch (Fault fault) {
            throw Prompts.explained(fault, ids, loaded.vocabulary(),
                    prompt.flatMap(text -> Prompts.first(options)));
        }
    }

    private void finish(Loaded loaded, ObjectNode result) {
        if (json) {
            if (ledger) {
                result.set("ledger", Json.ledger(loaded.engine().ledger()));
            }
            weir.printJson(result);
        } else if (ledger) {
            weir.say(LedgerText.of(loaded.engine().ledger()));
        }
    }
}
