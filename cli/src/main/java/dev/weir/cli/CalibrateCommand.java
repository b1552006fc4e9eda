package dev.weir.cli;

import dev.weir.passes.cost.Machine;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code weir calibrate}: how fast this machine is at most, for the times of {@code weir cost}. */
@Command(name = "calibrate",
        description = "Measure this machine once, so that `weir cost` can predict times.",
        mixinStandardHelpOptions = true)
final class CalibrateCommand implements Callable<Integer> {
    private static final List<MarkdownTable.Column<Machine>> COLUMNS = List.of(
            MarkdownTable.right("threads", m -> Integer.toString(m.threads())),
            MarkdownTable.right("operations/s", m -> scaled(m.operations() / 1e9, "G")),
            MarkdownTable.right("bytes/s", m -> scaled(m.bytes() / 1e9, "G")),
            MarkdownTable.right("launch", m -> scaled(m.launch() * 1e6, "µs")));

    @ParentCommand
    private Weir weir;

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        CalibrationRounds measured = CalibrationRounds.of(
                IntStream.of(1, Runtime.getRuntime().availableProcessors())
                        .distinct().boxed().toList(),
                threads -> {
                    weir.progress("measuring with " + threads + " threads");
                    return Calibration.of(threads);
                });
        List<Machine> machines = measured.machines();
        Path file = Machines.file();
        Machines.write(file, machines);
        if (json) {
            weir.printJson(Machines.asJson(machines));
        } else {
            weir.print(MarkdownTable.of(COLUMNS, machines));
            weir.say("kept in " + file);
        }
        if (!measured.doubts().isEmpty()) {
            weir.warning(doubted(measured.doubts()));
        }
        return 0;
    }

    /** What to think of times that are predicted with these rates. */
    static String doubted(List<String> doubts) {
        return "something else ran on this machine, also when it was measured again: "
                + String.join("; ", doubts)
                + "\nhelp: the best of all tries is kept, which may still be too slow, so that "
                + "predicted times may lie above measured ones: run `weir calibrate` once more "
                + "when nothing else runs";
    }

    private static String scaled(double amount, String unit) {
        return String.format(Locale.ROOT, "%.2f %s", amount, unit);
    }
}
