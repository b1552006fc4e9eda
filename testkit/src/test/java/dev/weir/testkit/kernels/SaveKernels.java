package dev.weir.testkit.kernels;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Writes the kernels of a fixed set of models: those of the library with the configurations of the
 * small checkpoints, the examples and the sketches, for three kinds of vectors.
 *
 * <p>{@code weir-kernels} also runs this one file on the compilers of other revisions, so it uses
 * little, and nothing of the tests.
 */
public final class SaveKernels {
    private static final List<TargetDescription> MACHINES = List.of(
            TargetDescription.AVX512, TargetDescription.AVX2, TargetDescription.VECTOR128);
    private static final Pattern MODEL_TYPE =
            Pattern.compile("\"model_type\"\\s*:\\s*\"([A-Za-z0-9_]+)\"");

    private SaveKernels() {}

    private record Model(Source source, Optional<Path> folder, String configuration) {}

    /**
     * @param arguments the root of a checkout, and the folder to write to
     */
    public static void main(String[] arguments) throws IOException {
        System.out.println(save(Path.of(arguments[0]), Path.of(arguments[1]))
                + " models in " + arguments[1]);
    }

    /** How many models there were. */
    static int save(Path root, Path folder) throws IOException {
        Files.createDirectories(folder);
        Map<String, Model> models = models(root);
        for (Map.Entry<String, Model> entry : models.entrySet()) {
            for (TargetDescription machine : MACHINES) {
                Files.writeString(
                        folder.resolve(entry.getKey() + "." + machine.name() + ".kernels"),
                        kernels(entry.getValue(), machine));
            }
        }
        return models.size();
    }

    /** The kernels, or why there are none. */
    private static String kernels(Model model, TargetDescription machine) {
        try {
            TensorProgram program = Compiler.lower(model.source, library(model.folder),
                    new LowerOptions(Optional.empty(),
                            Configuration.parse(model.configuration), Map.of(), false));
            return KernelProgramPrinter.print(
                    Compiler.schedule(Compiler.optimise(program), machine));
        } catch (WeirException refusal) {
            return refusal.diagnostics().stream().map(Diagnostic::code).distinct()
                    .collect(Collectors.joining(" ", "refused ", "\n"));
        }
    }

    private static Map<String, Model> models(Path root) throws IOException {
        Map<String, Model> models = new TreeMap<>();
        for (Path config : files(root.resolve("testkit/src/test/resources/fixtures"),
                "config.json")) {
            String text = Files.readString(config);
            Matcher type = MODEL_TYPE.matcher(text);
            if (type.find()) {
                resource("stdlib.models." + type.group(1)).ifPresent(source -> models.put(
                        "library-" + config.getParent().getFileName(),
                        new Model(source, Optional.empty(), text)));
            }
        }
        for (Path program : files(root.resolve("examples"), ".weir")) {
            Path config = program.resolveSibling("config.json");
            models.put(root.relativize(program).toString()
                            .replace(".weir", "").replace('/', '-').replace('\\', '-'),
                    new Model(new Source(root.relativize(program).toString(),
                            Files.readString(program)), Optional.of(program.getParent()),
                            Files.exists(config) ? Files.readString(config) : "{}"));
        }
        return models;
    }

    private static List<Path> files(Path folder, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(f -> f.toString().endsWith(ending)).sorted().toList();
        }
    }

    private static SourceProvider library(Optional<Path> folder) {
        return module -> resource(module).or(() -> folder
                .map(f -> f.resolve(module.replace('.', '/') + ".weir"))
                .filter(Files::isRegularFile)
                .map(file -> new Source(file.getFileName().toString(), text(file))));
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<Source> resource(String module) {
        String name = "/weir/" + module.replace('.', '/') + ".weir";
        try (InputStream in = Compiler.class.getResourceAsStream(name)) {
            return in == null ? Optional.empty() : Optional.of(new Source(
                    name, new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
