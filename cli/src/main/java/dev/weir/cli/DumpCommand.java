package dev.weir.cli;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.passes.pipeline.Passes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

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

    @Option(names = "--html", paramLabel = "FILE",
            description = "write one page with all stages side by side, what each pass did, and "
                    + "why there are these kernels")
    private Optional<Path> html = Optional.empty();

    @Spec
    private CommandSpec command;

    @Override
    public Integer call() {
        if (html.isPresent()) {
            options.require(kernel.isEmpty()
                    && !command.commandLine().getParseResult().hasMatchedOption("--stage"),
                    "--html shows all stages and kernels: leave --stage and --kernel out");
            page(html.get());
            return 0;
        }
        if (stage.equals("source")) {
            weir.print(options.files().source().text());
            return 0;
        }
        List<String> stages = new ArrayList<>(List.of("source", "tensor"));
        Passes.ALL.forEach(p -> stages.add(p.name()));
        stages.addAll(List.of("kernels", "host", "code"));
        options.require(stages.contains(stage), "there is no stage " + stage
                + "; the stages are " + String.join(", ", stages));
        if (List.of("kernels", "host", "code").contains(stage)) {
            kernels();
            return 0;
        }
        TensorProgram program = options.lower(false);
        if (stage.equals("tensor") || stage.equals("lift") && program.isLifted()) {
            weir.print(Printer.print(program));
            return 0;
        }
        options.optimise(program, (pass, result, nanos) -> {
            if (pass.name().equals(stage)) {
                weir.print(Printer.print(result));
            }
        });
        return 0;
    }

    private void page(Path file) {
        try (KernelCompiler compiler = options.compiler()) {
            Files.writeString(file, StagesPage.of(Stages.of(options, compiler)));
        } catch (IOException e) {
            throw new UserException("cannot write " + file + ": " + e.getMessage());
        }
        weir.say("wrote " + file);
    }

    /** The whole kernel program, one of its kernels, or what the back end makes of them. */
    private void kernels() {
        try (KernelCompiler compiler = options.compiler()) {
            KernelProgram program = options.schedule(false, compiler);
            if (!stage.equals("code") && kernel.isEmpty()) {
                weir.print(KernelProgramPrinter.print(program));
                return;
            }
            List<Kernel> wanted = program.kernels().stream()
                    .filter(k -> kernel.isEmpty() || kernel.get().equals(k.name()))
                    .toList();
            if (wanted.isEmpty()) {
                throw new UserException("there is no kernel " + kernel.orElseThrow()
                        + "\nhelp: they are " + program.kernels().stream().map(Kernel::name)
                                .collect(Collectors.joining(", ")));
            }
            for (Kernel k : wanted) {
                weir.print(stage.equals("code") ? compiler.listing(k) : KernelPrinter.print(k));
                weir.print("\n");
            }
        }
    }
}
