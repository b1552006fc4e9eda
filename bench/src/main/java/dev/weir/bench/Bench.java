package dev.weir.bench;

import dev.weir.bench.machine.MachineDescription;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Rounds;
import dev.weir.bench.peer.Peers;
import dev.weir.bench.report.JsonReport;
import dev.weir.bench.report.Markdown;
import dev.weir.bench.row.ContractionRow;
import dev.weir.bench.row.Laboratory;
import dev.weir.bench.row.Row;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weir-bench}: measures Weir beside its peers, in one process and in turn. */
@Command(name = "weir-bench", mixinStandardHelpOptions = true,
        description = "Measure Weir beside what a user would take instead.")
public final class Bench implements Callable<Integer> {
    private static final List<Row> ROWS = List.of(new ContractionRow());

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

    @Option(names = "--json", paramLabel = "FILE", description = "also write the results as JSON")
    private Optional<Path> json = Optional.empty();

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec command;

    /** Runs the command line. */
    public static void main(String[] arguments) {
        System.exit(new CommandLine(new Bench()).execute(arguments));
    }

    @Override
    public Integer call() {
        if (list) {
            ROWS.forEach(row -> out.printf("%-12s %s%n", row.name(), row.meaning()));
            return 0;
        }
        List<Row> chosen = chosen();
        Rounds how = new Rounds(rounds, turn, warmup);
        Laboratory laboratory = new Laboratory(how, threads, err::println, this::show);
        MachineDescription machine = MachineDescription.here();
        Map<String, String> peers = Peers.versions();
        laboratory.roofline(1);
        laboratory.roofline(threads);
        out.println(Markdown.machine(machine, laboratory.rooflines()));
        out.println(peers.entrySet().stream().map(e -> e.getKey() + " " + e.getValue())
                .collect(Collectors.joining("; ")) + "\n");
        out.print(Markdown.head());
        for (Row row : chosen) {
            row.run(laboratory);
        }
        out.print("\n" + Markdown.absences(laboratory.absences()));
        json.ifPresent(file -> JsonReport.write(file, machine, peers, how, laboratory));
        return 0;
    }

    private void show(Contest.Result result) {
        out.print(Markdown.lines(result.outcomes()));
        err.print(Markdown.absences(result.absences()));
    }

    private List<Row> chosen() {
        if (rounds < 1 || threads < 1 || !(turn >= 0) || !(warmup >= 0)) {
            throw new CommandLine.ParameterException(command.commandLine(),
                    "--rounds and --threads have to be at least 1, --turn and --warmup at least 0");
        }
        if (names.isEmpty()) {
            return ROWS;
        }
        List<Row> rows = new ArrayList<>();
        for (String name : names) {
            rows.add(ROWS.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow(() ->
                    new CommandLine.ParameterException(command.commandLine(),
                            "there is no row " + name + "; there are " + ROWS.stream()
                                    .map(Row::name).collect(Collectors.joining(", ")))));
        }
        return rows;
    }
}
