package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Fault;
import dev.weir.runtime.generate.Generator;
import dev.weir.runtime.ledger.Ledger;
import dev.weir.runtime.model.Engine;
import dev.weir.runtime.tokenize.Tokenizer;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir explain}: which kernels a model becomes, from which lines, and why not fewer. */
@Command(name = "explain", description = "Show a model's kernels, what fused and what did not.",
        mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Option(names = "--prompt", paramLabel = "TEXT",
            description = "also run one step on this text, and show what ran")
    private Optional<String> prompt = Optional.empty();

    @Option(names = "--prompt-ids", paramLabel = "ID", split = ",",
            description = "also run one step on these token ids, and show what ran")
    private List<Long> promptIds = List.of();

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads to run with (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        options.require(prompt.isEmpty() || promptIds.isEmpty(),
                "give one of --prompt and --prompt-ids");
        options.requireThreads(threads);
        if (prompt.isPresent() || !promptIds.isEmpty()) {
            options.requireKernels();
            try (Loaded loaded = Loaded.load(options, threads, false);
                    Engine.Session session = loaded.engine().start()) {
                List<Long> ids = ids();
                try {
                    new Generator(loaded.engine(), loaded.signature()).feed(session, ids);
                } catch (Fault fault) {
                    throw Prompts.explained(fault, ids, loaded.vocabulary(),
                            prompt.flatMap(text -> Prompts.first(options)));
                }
                show(loaded.kernels().getFirst(), Optional.of(loaded.engine().ledger()));
            }
            return 0;
        }
        try (KernelCompiler compiler = options.compiler()) {
            show(options.schedule(false, compiler), Optional.empty());
        }
        return 0;
    }

    private List<Long> ids() {
        if (prompt.isEmpty()) {
            return promptIds;
        }
        try (Tokenizer tokenizer = Prompts.tokenizer(options)) {
            return Prompts.ids(tokenizer, options, prompt.get());
        }
    }

    private void show(KernelProgram program, Optional<Ledger> ledger) {
        Map<String, Long> weights = new TreeMap<>();
        collect(program.step(), weights);
        if (json) {
            weir.printJson(asJson(program, weights, ledger));
        } else {
            weir.print(asText(program, weights, ledger));
        }
    }

    private static void collect(List<HostStatement> statements, Map<String, Long> weights) {
        for (HostStatement statement : statements) {
            switch (statement) {
                case HostStatement.Launch s -> weights.merge(
                        s.kernel(),
                        s.weights().stream().mapToLong(HostStatement.WeightUse::bytes).sum(),
                        Math::max);
                case HostStatement.If s -> {
                    collect(s.then(), weights);
                    collect(s.otherwise(), weights);
                }
                case HostStatement.Loop s -> collect(s.body(), weights);
                default -> { }
            }
        }
    }

    private static Set<String> lines(KernelProgram.Story story) {
        Set<String> lines = new LinkedHashSet<>();
        for (Span span : story.spans()) {
            String text = span.text().lines().findFirst().orElse("").strip();
            lines.add(span.location() + "  " + text);
        }
        return lines;
    }

    private static String asText(
            KernelProgram program, Map<String, Long> weights, Optional<Ledger> ledger) {
        StringBuilder out = new StringBuilder();
        out.append(program.name()).append(": ").append(program.kernels().size())
                .append(" kernels\n")
                .append("N: tokens of a step; B: sequences; K, most …: counted at run time; ")
                .append("slots: what a state holds\n");
        for (KernelProgram.Story story : program.stories()) {
            out.append('\n').append(story.kernel()).append("  [").append(story.form())
                    .append("]\n");
            if (!story.values().isEmpty()) {
                out.append("  computes ").append(String.join(", ", story.values())).append('\n');
            }
            out.append("  work     ").append(Amount.of(story.work().operations()))
                    .append(" operations\n");
            out.append("  bytes    ").append(Amount.of(story.work().read())).append(" read, ")
                    .append(Amount.of(story.work().written())).append(" written\n");
            if (weights.getOrDefault(story.kernel(), 0L) > 0) {
                out.append(String.format("  weights  %,d bytes for each instance in use%n",
                        weights.get(story.kernel())));
            }
            ledger.map(l -> l.kernels().get(story.kernel())).ifPresent(k -> out.append(
                    String.format("  ran      %,d times, %,d bytes of weights%n",
                            k.launches(), k.weightBytes())));
            lines(story).forEach(l -> out.append("  from ").append(l).append('\n'));
            story.decisions().forEach(d -> out.append("  ").append(d).append('\n'));
        }
        ledger.ifPresent(l -> out.append("\nledger\n").append(LedgerText.of(l)));
        return out.toString();
    }

    private static ObjectNode asJson(
            KernelProgram program, Map<String, Long> weights, Optional<Ledger> ledger) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        node.put("model", program.name());
        ArrayNode kernels = node.putArray("kernels");
        for (KernelProgram.Story story : program.stories()) {
            ObjectNode kernel = kernels.addObject();
            kernel.put("name", story.kernel());
            kernel.put("form", story.form());
            kernel.put("operations", Amount.of(story.work().operations()));
            kernel.put("bytesRead", Amount.of(story.work().read()));
            kernel.put("bytesWritten", Amount.of(story.work().written()));
            kernel.put("weightBytes", weights.getOrDefault(story.kernel(), 0L));
            ledger.map(l -> l.kernels().get(story.kernel())).ifPresent(k -> kernel
                    .putObject("ran")
                    .put("launches", k.launches())
                    .put("weightBytes", k.weightBytes()));
            ArrayNode values = kernel.putArray("values");
            story.values().forEach(values::add);
            ArrayNode lines = kernel.putArray("source");
            lines(story).stream().collect(Collectors.toList()).forEach(lines::add);
            ArrayNode decisions = kernel.putArray("decisions");
            story.decisions().forEach(decisions::add);
        }
        ledger.ifPresent(l -> node.set("ledger", Json.ledger(l)));
        return node;
    }
}
