package dev.weir.cli;

import dev.weir.passes.cost.Machine;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/**
 * What the tries of a calibration gave, all with the same number of threads.
 *
 * @param operations a second, of each try
 * @param bytes read a second, of each try
 * @param launches seconds for each launch, of each try
 */
record CalibrationSamples(
        int threads, List<Double> operations, List<Double> bytes, List<Double> launches) {
    /** How far half of the tries may stay behind the best one. */
    private static final double BEHIND = 0.15;

    CalibrationSamples {
        operations = List.copyOf(operations);
        bytes = List.copyOf(bytes);
        launches = List.copyOf(launches);
    }

    /** These tries and others. */
    CalibrationSamples and(CalibrationSamples others) {
        return new CalibrationSamples(threads, joined(operations, others.operations),
                joined(bytes, others.bytes), joined(launches, others.launches));
    }

    private static List<Double> joined(List<Double> some, List<Double> others) {
        List<Double> all = new ArrayList<>(some);
        all.addAll(others);
        return all;
    }

    /** The best try counts: what another process takes away is no property of the machine. */
    Machine machine() {
        return new Machine(threads, Collections.max(operations), Collections.max(bytes),
                Collections.min(launches));
    }

    /** Rates of which half of the tries stayed far behind the best: something else ran. */
    List<String> doubts() {
        List<String> doubts = new ArrayList<>();
        doubt(doubts, "operations", operations);
        doubt(doubts, "bytes", bytes);
        return doubts;
    }

    private void doubt(List<String> doubts, String what, List<Double> rates) {
        double best = Collections.max(rates);
        double median = Quartiles.of(rates.stream().mapToDouble(r -> r).toArray()).median();
        if (median < (1 - BEHIND) * best) {
            doubts.add(String.format(Locale.ROOT, "with %d thread%s, half of %d tries reached "
                    + "%.2f G %s a second or less, and the best one %.2f G", threads,
                    threads == 1 ? "" : "s", rates.size(), median / 1e9, what, best / 1e9));
        }
    }
}
