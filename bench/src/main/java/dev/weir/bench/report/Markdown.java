package dev.weir.bench.report;

import dev.weir.bench.machine.MachineDescription;
import dev.weir.bench.machine.Roofline;
import dev.weir.bench.measure.Contest;
import dev.weir.bench.measure.Outcome;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Results as tables for people. */
public final class Markdown {
    private Markdown() {}

    /** The machine and what it can do. */
    public static String machine(MachineDescription machine, Map<Integer, Roofline> rooflines) {
        StringBuilder out = new StringBuilder();
        out.append(machine.processor()).append(", ").append(machine.processors())
                .append(" processors, last cache ").append(machine.cache()).append(", memory ")
                .append(machine.memory()).append(", ").append(machine.system()).append(", ")
                .append(machine.java()).append(", target ").append(machine.target())
                .append("\n\n| threads | FMA peak, GFLOP/s | read bandwidth, GB/s |\n")
                .append("|---|---|---|\n");
        new TreeMap<>(rooflines).forEach((threads, r) -> out.append(format(
                "| %d | %.1f (median %.1f) | %.1f (median %.1f) |%n", threads,
                r.flops().most() / 1e9, r.flops().median() / 1e9,
                r.bandwidth().most() / 1e9, r.bandwidth().median() / 1e9)));
        return out.toString();
    }

    /** The head of a table of outcomes. */
    public static String head() {
        return """
                | row | problem | threads | contestant | time | spread | rate | of FMA peak \
                | of bandwidth | ratio (aim) | error |
                |---|---|---|---|---|---|---|---|---|---|---|
                """;
    }

    /** Lines of a table of outcomes. */
    public static String lines(List<Outcome> outcomes) {
        return outcomes.stream().map(Markdown::line).collect(Collectors.joining());
    }

    private static String line(Outcome o) {
        String ratios = o.ratios().stream()
                .map(Markdown::ratio)
                .collect(Collectors.joining("; "));
        return format("| %s | %s | %d | %s | %s | %.0f%% | %.1f %s | %s | %s | %s | %s |%n",
                o.problem().row(), o.problem().name(), o.problem().threads(), o.contestant(),
                time(o.seconds().median()), 100 * o.seconds().spread(),
                o.rate(), o.work().unit(), share(o.ofPeak()), share(o.ofBandwidth()), ratios,
                o.error().isPresent() ? format("%.1e", o.error().getAsDouble()) : "–");
    }

    private static String ratio(Outcome.Ratio ratio) {
        String text = format("%.2f × %s", ratio.quotient().median(), ratio.to());
        return ratio.wanted() > 0 ? text + format(" (%.2f)", ratio.wanted()) : text;
    }

    private static String share(double share) {
        return share == 0 ? "–" : format("%.0f%%", 100 * share);
    }

    private static String time(double seconds) {
        if (seconds >= 1) {
            return format("%.2f s", seconds);
        }
        return seconds >= 1e-3
                ? format("%.2f ms", 1e3 * seconds)
                : format("%.1f µs", 1e6 * seconds);
    }

    /** Who was not timed, and why; nothing if all were. */
    public static String absences(List<Contest.Absence> absences) {
        return absences.stream()
                .map(a -> format("not timed: %s, %s, %s: %s%n",
                        a.row(), a.problem(), a.contestant(), a.reason()))
                .collect(Collectors.joining());
    }

    private static String format(String form, Object... values) {
        return String.format(Locale.ROOT, form, values);
    }
}
