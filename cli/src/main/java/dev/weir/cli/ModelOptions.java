package dev.weir.cli;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.TensorProgram;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The options that name a model and how it is compiled; the same for all commands. */
final class ModelOptions {
    /** What runs the model. */
    enum Target {
        NATIVE,
        JVM,
        INTERPRETER;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Parameters(index = "0", paramLabel = "MODEL",
            description = "a .weir file, a folder with one, a checkpoint folder, or a "
                    + "dumped .tensor program")
    Path model;

    @Option(names = "--model", paramLabel = "NAME",
            description = "which model of the file; the last one by default")
    Optional<String> name = Optional.empty();

    @Option(names = "--weights", paramLabel = "DIR",
            description = "checkpoint folder; beside the program by default")
    Optional<Path> weights = Optional.empty();

    @Option(names = "--set", paramLabel = "NAME=VALUE",
            description = "override a size or setting of the model")
    Map<String, String> settings = new TreeMap<>();

    @Option(names = "--target", paramLabel = "TARGET", defaultValue = "native",
            description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    Target target = Target.NATIVE;

    @Option(names = "--disable", paramLabel = "PASS", split = ",",
            description = "leave an optional pass out")
    List<String> disabled = List.of();

    private ModelFiles files;

    ModelFiles files() {
        if (files == null) {
            files = ModelFiles.find(model, weights);
        }
        return files;
    }

    /** The model as an unlifted program; a dumped tensor program is taken as it is. */
    TensorProgram lower(boolean trace) {
        ModelFiles found = files();
        if (isDump()) {
            TensorProgram program = Parser.parse(found.source());
            if (program.isLifted() && target == Target.INTERPRETER) {
                throw new UserException(model + " is lifted, and the interpreter runs what is not"
                        + "\nhelp: dump it with --stage tensor");
            }
            return program;
        }
        return Compiler.lower(found.source(), found.library(),
                new LowerOptions(name, found.configuration(), settings, trace));
    }

    /** Whether MODEL is what {@code weir dump} wrote. */
    private boolean isDump() {
        return model.toString().endsWith(".tensor");
    }

    TensorProgram optimise(TensorProgram program) {
        return Compiler.optimise(program, Set.copyOf(disabled), (pass, result, nanos) -> { });
    }

    /** Refuses the interpreter where kernels are wanted. */
    void requireKernels() {
        if (target == Target.INTERPRETER) {
            compiler();
        }
    }

    /** The back end of the chosen target; the interpreter has none. */
    KernelCompiler compiler() {
        return switch (target) {
            case NATIVE -> new LlvmCompiler();
            case JVM -> new BytecodeCompiler();
            case INTERPRETER -> throw new UserException(
                    "the interpreter has no kernels: use --target native or jvm");
        };
    }

    /** The machine that kernels are shown for, whatever the target. */
    TargetDescription machine() {
        try (KernelCompiler compiler = new BytecodeCompiler()) {
            return compiler.target();
        }
    }
}
