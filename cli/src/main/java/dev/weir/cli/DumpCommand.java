package dev.weir.cli;

import dev.weir.compiler.Compiler;
import dev.weir.ir.kernel.HostPrinter;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.pipeline.Passes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir dump}: a model at any stage of its way through the compiler. */
@Command(name = "dump", description = "Print a model at one stage of the compiler.",
        mixinStandardHelpOptions = true)
final class DumpCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Option(names = "--stage", paramLabel = "STAGE", defaultValue = "tensor",
            description = "source, tensor, one of the passes, kernels, host or code "
                    + "(default: ${DEFAULT-VALUE})")
    private String stage;

    @Option(names = "--kernel", paramLabel = "NAME", description = "only this kernel")
    private Optional<String> kernel = Optional.empty();

    @Override
    public Integer call() {
        if (stage.equals("source")) {
            weir.print(options.files().source().text());
            return 0;
        }
        List<String> stages = new ArrayList<>(List.of("source", "tensor"));
        Passes.ALL.forEach(p -> stages.add(p.name()));
        stages.addAll(List.of("kernels", "host", "code"));
        if (!stages.contains(stage)) {
            throw new UserException("there is no stage " + stage + "\nhelp: the stages are "
                    + String.join(", ", stages));
        }
        TensorProgram program = options.lower(false);
        if (stage.equals("tensor")) {
            weir.print(Printer.print(program));
            return 0;
        }
        StringBuilder wanted = new StringBuilder();
        TensorProgram optimised = Compiler.optimise(program, Set.copyOf(options.disabled),
                (Pass pass, TensorProgram result, long nanos) -> {
                    if (pass.name().equals(stage)) {
                        wanted.append(Printer.print(result));
                    }
                });
        if (!wanted.isEmpty()) {
            weir.print(wanted.toString());
            return 0;
        }
        try (KernelCompiler compiler = options.compiler()) {
            KernelProgram kernels = Compiler.schedule(optimised, compiler.target());
            if (stage.equals("host")) {
                weir.print(HostPrinter.print(kernels));
                return 0;
            }
            for (Kernel k : kernels.kernels()) {
                if (kernel.isEmpty() || kernel.get().equals(k.name())) {
                    weir.print(stage.equals("code")
                            ? compiler.listing(k)
                            : KernelPrinter.print(k));
                    weir.print("\n");
                }
            }
        }
        return 0;
    }
}
