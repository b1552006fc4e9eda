package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.compiler.Compiler;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
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

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        try (KernelCompiler compiler = options.compiler()) {
            KernelProgram program = Compiler.schedule(
                    options.optimise(options.lower(false)), compiler.target());
            Map<String, Long> weights = new TreeMap<>();
            collect(program.step(), weights);
            if (json) {
                weir.printJson(asJson(program, weights));
            } else {
                weir.print(asText(program, weights));
            }
        }
        return 0;
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

    private static String asText(KernelProgram program, Map<String, Long> weights) {
        StringBuilder out = new StringBuilder();
        out.append(program.name()).append(": ").append(program.kernels().size())
                .append(" kernels\n");
        for (KernelProgram.Story story : program.stories()) {
            out.append('\n').append(story.kernel()).append("  [").append(story.form())
                    .append("]\n");
            out.append("  computes ").append(String.join(", ", story.values())).append('\n');
            if (weights.getOrDefault(story.kernel(), 0L) > 0) {
                out.append(String.format("  reads %,d bytes of weights for each instance in use%n",
                        weights.get(story.kernel())));
            }
            lines(story).forEach(l -> out.append("  from ").append(l).append('\n'));
            story.decisions().forEach(d -> out.append("  ").append(d).append('\n'));
        }
        return out.toString();
    }

    private static ObjectNode asJson(KernelProgram program, Map<String, Long> weights) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        node.put("model", program.name());
        ArrayNode kernels = node.putArray("kernels");
        for (KernelProgram.Story story : program.stories()) {
            ObjectNode kernel = kernels.addObject();
            kernel.put("name", story.kernel());
            kernel.put("form", story.form());
            kernel.put("weightBytes", weights.getOrDefault(story.kernel(), 0L));
            ArrayNode values = kernel.putArray("values");
            story.values().forEach(values::add);
            ArrayNode lines = kernel.putArray("source");
            lines(story).stream().collect(Collectors.toList()).forEach(lines::add);
            ArrayNode decisions = kernel.putArray("decisions");
            story.decisions().forEach(decisions::add);
        }
        return node;
    }
}
