package dev.weir.cli;

import dev.weir.passes.cost.Machine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntFunction;

/**
 * A calibration that is repeated while its numbers are in doubt: tries that lie far apart, or
 * several threads that did less than one.
 *
 * @param machines the best of all tries, for each number of threads
 * @param doubts what is still odd about them, in words; none on a quiet machine
 */
record CalibrationRounds(List<Machine> machines, List<String> doubts) {
    /** A burst of other work is over by then; a machine that is always busy is not waited for. */
    static final int MOST = 4;

    /** Threads that share a core compute no faster together, and a little slower at worst. */
    private static final double TOGETHER = 0.9;

    /**
     * @param threads the numbers of threads to measure with, the smallest first
     * @param measure some tries with so many threads
     */
    static CalibrationRounds of(List<Integer> threads, IntFunction<CalibrationSamples> measure) {
        List<CalibrationSamples> samples = new ArrayList<>();
        threads.forEach(count -> samples.add(measure.apply(count)));
        for (int round = 1; round < MOST && !doubts(samples).isEmpty(); round++) {
            samples.replaceAll(s -> s.and(measure.apply(s.threads())));
        }
        return new CalibrationRounds(
                samples.stream().map(CalibrationSamples::machine).toList(), doubts(samples));
    }

    private static List<String> doubts(List<CalibrationSamples> samples) {
        List<String> doubts = new ArrayList<>();
        samples.forEach(s -> doubts.addAll(s.doubts()));
        Machine one = samples.getFirst().machine();
        for (CalibrationSamples more : samples.subList(1, samples.size())) {
            slower(doubts, "operations", one, one.operations(),
                    more.threads(), more.machine().operations());
            slower(doubts, "bytes", one, one.bytes(), more.threads(), more.machine().bytes());
        }
        return doubts;
    }

    private static void slower(
            List<String> doubts, String what, Machine one, double few, int threads, double many) {
        if (many < TOGETHER * few) {
            doubts.add(String.format(Locale.ROOT, "%d threads reached %.2f G %s a second, fewer "
                    + "than the %.2f G of %d", threads, many / 1e9, what, few / 1e9,
                    one.threads()));
        }
    }
}
