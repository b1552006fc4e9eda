package dev.weir.bench;

import dev.weir.bench.machine.MachineDescription;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Rounds;
import dev.weir.bench.report.JsonReport;
import dev.weir.bench.report.Markdown;
import dev.weir.bench.row.Laboratory;
import dev.weir.bench.row.Row;
import dev.weir.bench.row.Rows;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code weir-bench}: measures Weir beside its peers. All contestants of a row take their turns in
 * one process; each row has a process of its own, since libraries of different peers define the
 * same symbols and whichever is loaded first would serve all.
 */
@Command(name = "weir-bench", mixinStandardHelpOptions = true,
        subcommands = {Kernels.class, JmhCommand.class},
        description = "Measure Weir beside what a user would take instead.")
public final class Bench implements Callable<Integer> {
    private static final int FAILED = 3;

    @Parameters(paramLabel = "ROW", description = "which rows; all if none is named. "
            + "--list shows them")
    private List<String> names = List.of();

    @Option(names = "--list", description = "show the rows and what they measure")
    private boolean list;

    @Option(names = {"-t", "--threads"}, paramLabel = "N",
            description = "threads for each contestant (default: all processors)")
    private int threads = Runtime.getRuntime().availableProcessors();

    @Option(names = {"-r", "--rounds"}, paramLabel = "N", defaultValue = "15",
            description = "how often each contestant has its turn (default: ${DEFAULT-VALUE})")
    private int rounds;

    @Option(names = "--turn", paramLabel = "SECONDS", defaultValue = "0.1",
            description = "how long a turn is at least (default: ${DEFAULT-VALUE})")
    private double turn;

    @Option(names = "--warmup", paramLabel = "SECONDS", defaultValue = "2",
            description = "how long each contestant works before the first round "
                    + "(default: ${DEFAULT-VALUE})")
    private double warmup;

    @Option(names = "--only", paramLabel = "TEXT", defaultValue = "", split = ",",
            description = "only contestants whose name contains one of these texts")
    private List<String> only;

    @Option(names = "--json", paramLabel = "FILE", description = "also write the results as JSON")
    private Optional<Path> json = Optional.empty();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command;

    private final PrintStream out = utf8(FileDescriptor.out);
    private final PrintStream err = utf8(FileDescriptor.err);

    private static PrintStream utf8(FileDescriptor stream) {
        return new PrintStream(new FileOutputStream(stream), true, StandardCharsets.UTF_8);
    }

    /** Runs the command line. */
    public static void main(String[] arguments) {
        CommandLine line = new CommandLine(new Bench());
        // JMH has options of its own.
        line.getSubcommands().get("jmh").setUnmatchedOptionsArePositionalParams(true);
        System.exit(line.execute(arguments));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (list) {
            Rows.ALL.forEach(row -> out.printf("%-12s %s%n", row.name(), row.meaning()));
            return 0;
        }
        List<Row> chosen = chosen();
        if (chosen.size() > 1) {
            return inProcesses(chosen);
        }
        measure(chosen.getFirst());
        return 0;
    }

    private void measure(Row row) {
        Rounds how = new Rounds(rounds, turn, warmup);
        Laboratory laboratory = new Laboratory(
                how, threads, name -> only.stream().anyMatch(name::contains), err::println, this::show);
        MachineDescription machine = MachineDescription.here();
        out.println("## " + row.name() + "\n\n" + row.meaning() + "\n");
        row.peers().forEach(p -> out.println("- " + p + ": " + p.version()));
        laboratory.roofline(1);
        laboratory.roofline(threads);
        out.println("\n" + Markdown.machine(machine, laboratory.rooflines()));
        out.print(Markdown.head());
        row.run(laboratory);
        laboratory.notes().forEach(line -> out.print("\n" + line));
        out.print("\n" + Markdown.absences(laboratory.absences()));
        json.ifPresent(file -> JsonReport.write(file, machine, row, how, laboratory));
    }

    private void show(Contest.Result result) {
        out.print(Markdown.lines(result.outcomes()));
        err.print(Markdown.absences(result.absences()));
    }

    /** Each row in a process like this one. */
    private int inProcesses(List<Row> rows) throws IOException, InterruptedException {
        List<Path> parts = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        try {
            for (Row row : rows) {
                Path part = Files.createTempFile("weir-bench", ".json");
                parts.add(part);
                if (new ProcessBuilder(commandLine(row, part)).inheritIO().start().waitFor() != 0) {
                    failed.add(row.name());
                    Files.writeString(part, "{\"runs\": []}");
                }
            }
            json.ifPresent(file -> JsonReport.join(file, parts));
        } finally {
            for (Path part : parts) {
                Files.deleteIfExists(part);
            }
        }
        failed.forEach(name -> err.println("the row " + name + " failed"));
        return failed.isEmpty() ? 0 : FAILED;
    }

    private List<String> commandLine(Row row, Path part) {
        ProcessHandle.Info self = ProcessHandle.current().info();
        List<String> line = new ArrayList<>(List.of(self.command().orElseThrow()));
        line.addAll(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
        line.addAll(List.of("-cp", System.getProperty("java.class.path"), Bench.class.getName(),
                row.name(), "--threads", Integer.toString(threads),
                "--rounds", Integer.toString(rounds),
                "--turn", String.format(Locale.ROOT, "%f", turn),
                "--warmup", String.format(Locale.ROOT, "%f", warmup),
                "--only", String.join(",", only), "--json", part.toString()));
        return line;
    }

    private List<Row> chosen() {
        if (rounds < 1 || threads < 1 || !(turn >= 0) || !(warmup >= 0)) {
            throw new CommandLine.ParameterException(command.commandLine(),
                    "--rounds and --threads have to be at least 1, --turn and --warmup at least 0");
        }
        if (names.isEmpty()) {
            return Rows.ALL;
        }
        List<Row> rows = new ArrayList<>();
        for (String name : names) {
            rows.add(Rows.ALL.stream().filter(r -> r.name().equals(name)).findFirst()
                    .orElseThrow(() -> new CommandLine.ParameterException(command.commandLine(),
                            "there is no row " + name + "; there are " + Rows.ALL.stream()
                                    .map(Row::name).collect(Collectors.joining(", ")))));
        }
        return rows;
    }
}
