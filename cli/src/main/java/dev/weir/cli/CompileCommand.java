package dev.weir.cli;

import dev.weir.ir.tensor.TensorProgram;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import javax.lang.model.SourceVersion;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir compile}: a model that runs without Weir. */
@Command(name = "compile", description = "Compile a model to a jar that runs without Weir.",
        mixinStandardHelpOptions = true)
final class CompileCommand implements Callable<Integer> {
    private static final Pattern NO_IDENTIFIER = Pattern.compile("[^A-Za-z0-9_]");

    @ParentCommand
    private Weir weir;

    @Mixin
    private ModelOptions options;

    @Option(names = {"-o", "--output"}, paramLabel = "FILE", required = true,
            description = "the jar to write")
    private Path output;

    @Option(names = "--package", paramLabel = "NAME",
            description = "Java package of the jar's classes (default: the model's name in small "
                    + "letters)")
    private Optional<String> packageName = Optional.empty();

    @Override
    public Integer call() {
        options.require(options.target == ModelOptions.Target.JVM,
                "--target " + options.target + " cannot be compiled to a file yet: use "
                        + "--target jvm");
        options.require(packageName.isEmpty() || SourceVersion.isName(packageName.get()),
                "--package has to be a Java package such as com.example, here it is '"
                        + packageName.orElse("") + "'");
        if (options.isKernelDump()) {
            throw new UserException(options.model + " holds kernels for one width of vectors, and "
                    + "a jar has code for all\nhelp: compile the model itself");
        }
        weir.progress("compiling " + options.model);
        TensorProgram program = options.lower(false);
        TensorProgram lifted = options.optimise(program);
        String name = NO_IDENTIFIER.matcher(program.name()).replaceAll("_");
        String inside = packageName.orElseGet(() -> {
            String small = name.toLowerCase(Locale.ROOT);
            return SourceVersion.isName(small) ? small : "model_" + small;
        });
        new JarArtefact(inside, name).write(
                lifted, target -> options.schedule(lifted, target), output);
        weir.print("wrote " + output + ": the class " + inside + "." + name + "\n");
        return 0;
    }
}
