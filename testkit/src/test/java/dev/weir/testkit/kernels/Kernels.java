package dev.weir.testkit.kernels;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The program {@code weir-kernels}: whether a change of the compiler changed a kernel. */
@Command(name = "weir-kernels", mixinStandardHelpOptions = true, description = {
    "Saves the kernels of the library, the examples and the sketches, and compares what was saved,",
    "or two git revisions.",
    "Exit codes: 0 all kernels are the same, 1 some are not, 2 something is wrong with the call."})
public final class Kernels {
    private static final String ENDING = ".kernels";

    private final PrintStream out;

    Kernels(PrintStream out) {
        this.out = out;
    }

    public static void main(String[] arguments) {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.exit(new CommandLine(new Kernels(out)).execute(arguments));
    }

    @Command(name = "save", mixinStandardHelpOptions = true,
            description = "write the kernels that this checkout makes")
    int save(@Parameters(paramLabel = "FOLDER") Path folder) {
        try {
            out.println(SaveKernels.save(Path.of("..").toRealPath(), folder)
                    + " models in " + folder);
            return 0;
        } catch (IOException e) {
            return refuse("cannot write to " + folder + ": " + e.getMessage());
        }
    }

    @Command(name = "diff", mixinStandardHelpOptions = true,
            description = "compare two folders that were saved, or two git revisions")
    int diff(
            @Parameters(paramLabel = "BEFORE") Path before,
            @Parameters(paramLabel = "AFTER") Path after,
            @Option(names = {"-u", "--unified"}, description = "show the lines that differ")
            boolean unified) {
        try {
            Map<String, Map<String, SavedKernels>> left = read(before);
            Map<String, Map<String, SavedKernels>> right = read(after);
            for (Path folder : List.of(before, after)) {
                if ((folder == before ? left : right).isEmpty()) {
                    return refuse(folder + " holds no kernels"
                            + "\nhelp: write some with weir-kernels save " + folder);
                }
            }
            return compare(left, right, unified) ? 0 : 1;
        } catch (IOException e) {
            return refuse("cannot read kernels: " + e.getMessage());
        }
    }

    private int refuse(String problem) {
        out.println("error: " + problem);
        return 2;
    }

    /** The programs of a folder, by model and machine; none if there is no such folder. */
    private static Map<String, Map<String, SavedKernels>> read(Path folder) throws IOException {
        Map<String, Map<String, SavedKernels>> models = new TreeMap<>();
        if (!Files.isDirectory(folder)) {
            return models;
        }
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(ENDING)).toList()) {
                String[] name = file.getFileName().toString().split("\\.", 3);
                models.computeIfAbsent(name[0], model -> new TreeMap<>())
                        .put(name[1], SavedKernels.parse(Files.readString(file)));
            }
        }
        return models;
    }

    /** Whether all are the same. */
    private boolean compare(
            Map<String, Map<String, SavedKernels>> before,
            Map<String, Map<String, SavedKernels>> after,
            boolean unified) {
        boolean same = true;
        TreeSet<String> models = new TreeSet<>(before.keySet());
        models.addAll(after.keySet());
        for (String model : models) {
            if (!before.containsKey(model) || !after.containsKey(model)) {
                out.println(model + ": only "
                        + (before.containsKey(model) ? "before" : "after"));
                same = false;
                continue;
            }
            same &= compare(model, before.get(model), after.get(model), unified);
        }
        out.println(same ? "no kernel changed" : "kernels changed");
        return same;
    }

    /** Machines for which the same is to be said are named together. */
    private boolean compare(String model, Map<String, SavedKernels> before,
            Map<String, SavedKernels> after, boolean unified) {
        Map<List<String>, List<String>> machines = new LinkedHashMap<>();
        StringBuilder lines = new StringBuilder();
        boolean same = true;
        TreeSet<String> all = new TreeSet<>(before.keySet());
        all.addAll(after.keySet());
        for (String machine : all) {
            List<String> said;
            if (before.containsKey(machine) && after.containsKey(machine)) {
                KernelComparison comparison = KernelComparison.of(
                        before.get(machine), after.get(machine));
                same &= comparison.isSame();
                said = comparison.summary();
                if (unified && !comparison.isSame()) {
                    lines.append("==== ").append(model).append(", ").append(machine)
                            .append('\n').append(comparison.unified());
                }
            } else {
                same = false;
                said = List.of("only " + (before.containsKey(machine) ? "before" : "after"));
            }
            machines.computeIfAbsent(said, s -> new ArrayList<>()).add(machine);
        }
        machines.forEach((said, which) -> {
            out.println(model + (machines.size() == 1 ? "" : ", " + String.join(", ", which))
                    + ": " + said.getFirst());
            said.stream().skip(1).forEach(line -> out.println("    " + line));
        });
        out.print(lines);
        return same;
    }
}
