package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.CostOf;
import dev.weir.passes.cost.Machine;
import dev.weir.passes.cost.Question;
import dev.weir.passes.memory.MemoryPlan;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir cost}: what a step of a model costs, without running it. */
@Command(name = "cost",
        description = "Predict what a step of a model costs: work, bytes, memory and time.",
        mixinStandardHelpOptions = true)
final class CostCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Mixin
    private CostOptions step;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads to predict times for: 1 or all (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = "--memory",
            description = "show what takes memory, instead of what takes time: weights, copies of "
                    + "them, states, and the tensors at the place of the step that needs most")
    private boolean memory;

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        options.requireThreads(threads);
        Question question = step.question();
        if (options.isKernelDump()) {
            throw new UserException(options.model + " holds kernels, which do not say their work"
                    + "\nhelp: name the program that they were made of");
        }
        Optional<Machine> machine = Machines.of(threads);
        Cost cost;
        MemoryPlan plan;
        try (KernelCompiler compiler = options.compiler()) {
            List<KernelProgram> entries =
                    options.withAllEntries().scheduleEntries(false, compiler);
            SequencedMap<String, KernelProgram> byName = new LinkedHashMap<>();
            entries.forEach(e -> byName.put(e.entry(), e));
            StepEntry.requireKnown(options.entry, question.context(), List.of(byName.keySet()));
            StepEntry step = StepEntry.of(byName.keySet(), options.entry);
            KernelProgram own = byName.get(step.name());
            QuestionSense.OF_OPTIONS.require(
                    question, List.of(q -> CostOf.entry(entries, own, q, machine)));
            cost = CostOf.entry(entries, own, question, machine);
            plan = CostOf.memory(entries, own, question);
        }
        if (json) {
            ObjectNode node = CostText.asJson(cost, question, machine);
            node.set("memory", MemoryText.asJson(plan));
            weir.printJson(node);
        } else {
            weir.print(CostText.of(cost, plan, question, machine, memory));
        }
        return 0;
    }
}
