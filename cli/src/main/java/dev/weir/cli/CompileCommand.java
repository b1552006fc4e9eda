package dev.weir.cli;

import dev.weir.codegen.jvm.FaceSource;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.codegen.llvm.Processor;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.TensorProgram;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.lang.model.SourceVersion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir compile}: a model that runs without Weir. */
@Command(name = "compile",
        description = "Compile a model to a C library or a jar that runs without Weir.",
        mixinStandardHelpOptions = true)
final class CompileCommand implements Callable<Integer> {
    private static final Pattern NO_IDENTIFIER = Pattern.compile("[^A-Za-z0-9_]");

    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Option(names = {"-o", "--output"}, paramLabel = "PATH", required = true,
            description = "the jar, or the folder for the library and its header, to write")
    private Path output;

    @Option(names = "--package", paramLabel = "NAME",
            description = "jvm: package of the jar's classes (default: the model's name in small "
                    + "letters)")
    private Optional<String> packageName = Optional.empty();

    @Option(names = "--triple", paramLabel = "TRIPLE",
            description = "native: another machine, such as aarch64-unknown-linux-gnu "
                    + "(default: this one)")
    private Optional<String> triple = Optional.empty();

    @Option(names = "--processor", paramLabel = "NAME",
            description = "native: what code may use, such as x86-64-v3 (default: all of this "
                    + "machine, or what all of another kind have)")
    private Optional<String> processor = Optional.empty();

    @Option(names = "--pack",
            description = "native: also write the weights as one file that a program can map")
    private boolean pack;

    @Override
    public Integer call() {
        requireSense();
        weir.progress("compiling " + options.model);
        if (options.target == ModelOptions.Target.JVM) {
            jar();
        } else {
            library();
        }
        return 0;
    }

    private void requireSense() {
        boolean isNative = options.target == ModelOptions.Target.NATIVE;
        options.require(options.target != ModelOptions.Target.INTERPRETER,
                "the interpreter has no code: use --target native or jvm");
        options.require(packageName.isEmpty() || !isNative, "--package goes with --target jvm");
        options.require(triple.isEmpty() || isNative, "--triple goes with --target native");
        options.require(processor.isEmpty() || isNative, "--processor goes with --target native");
        options.require(!pack || isNative, "--pack goes with --target native");
        options.require(packageName.isEmpty() || SourceVersion.isName(packageName.get()),
                "--package has to be a Java package such as com.example, here it is '"
                        + packageName.orElse("") + "'");
        options.require(packageName.isEmpty() || !FaceSource.isOfJava(packageName.get()),
                "--package has to be another package than Java's own, here it is "
                        + packageName.orElse(""));
        if (options.isKernelDump()) {
            throw new UserException(options.model + " holds kernels, which were made for one "
                    + "machine\nhelp: compile the model itself");
        }
    }

    /** The one entry that is compiled, if it can do without the others. */
    private TensorProgram program() {
        TensorProgram program = options.lower(false);
        List<TensorProgram> others = options.withAllEntries().entries(false).stream()
                .filter(other -> !other.entry().name().equals(program.entry().name())).toList();
        EntryAlone.require(program, others);
        if (!others.isEmpty() && options.entry.isEmpty()) {
            weir.warning("what is compiled has the entry " + program.entry().name()
                    + " only: " + others.stream().map(other -> other.entry().name())
                            .collect(Collectors.joining(", "))
                    + (others.size() == 1 ? " is" : " are") + " left out"
                    + "\nhelp: name the entry to compile with --entry, each into a place of its "
                    + "own");
        }
        return program;
    }

    private void jar() {
        TensorProgram program = program();
        TensorProgram lifted = options.optimise(program);
        String model = NO_IDENTIFIER.matcher(program.name()).replaceAll("_");
        String name = FaceSource.className(model);
        String inside = packageName.orElseGet(() -> FaceSource.packageName(model));
        new JarArtefact(inside, name).write(
                lifted, target -> options.schedule(lifted, target), output);
        weir.print("wrote " + output + ": the class " + inside + "." + name + "\n");
    }

    private void library() {
        if (Files.isRegularFile(output)) {
            throw new UserException(output + " is a file, and several are written"
                    + "\nhelp: name a folder with -o");
        }
        Processor host = Processor.host();
        Processor wanted = triple.isEmpty() && processor.isEmpty() ? host
                : Processor.named(triple.orElse(host.triple()), processor);
        try (LlvmCompiler compiler = LlvmCompiler.forObjects(wanted)) {
            KernelProgram program =
                    options.schedule(options.optimise(program()), compiler.target());
            NativeFiles.Written written = new NativeFiles(
                    wanted, !wanted.triple().equals(host.triple()))
                    .write(program, compiler, output);
            List<String> files = new ArrayList<>(written.files());
            if (pack) {
                Weights weights = Weights.stored(
                        options, program.parameters(), weir::progress);
                try {
                    files.add(NativeFiles.pack(program, weights.tensors()::get, output));
                } finally {
                    weights.close();
                }
            }
            written.notes().forEach(weir::warning);
            weir.print("wrote " + output + ": " + String.join(", ", files) + "\n");
        }
    }
}
