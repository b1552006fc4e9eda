package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code weir diff}: two models side by side, and what makes one slower. */
@Command(name = "diff",
        description = "Compare two models: what they cost, how long they take, and why.",
        mixinStandardHelpOptions = true)
final class DiffCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Parameters(index = "1", paramLabel = "OTHER", description = "the model to compare it with")
    private Path other;

    @Mixin
    private CostOptions step;

    @Mixin
    private TimingOptions timing;

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        Question question = step.question();
        Comparison.Setting setting = timing.setting(options, question);
        ModelOptions others = options.of(other);
        for (ModelOptions side : new ModelOptions[] {options, others}) {
            if (side.isKernelDump()) {
                throw new UserException(side.model + " holds kernels, which do not say their "
                        + "work\nhelp: name the program that they were made of");
            }
        }
        Comparison comparison = Comparison.of(
                options, others, setting, QuestionSense.OF_OPTIONS, weir::progress);
        if (json) {
            weir.printJson(DiffText.asJson(comparison, question));
        } else {
            weir.print(DiffText.of(comparison, question));
        }
        return 0;
    }
}
