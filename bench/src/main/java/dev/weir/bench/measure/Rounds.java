package dev.weir.bench.measure;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes contestants in turn, round after round, so that whatever else the machine does falls on all
 * of them alike. The order changes from round to round: nobody always follows the same one.
 *
 * <p>In its turn a contestant works for some time without a break, the first piece uncounted, since
 * caches hold what the one before it left. Its time of the round is the median of the pieces.
 * Before each turn the process has to be quiet ({@link Quiet}).
 *
 * @param rounds how many
 * @param turnSeconds how long a turn is at least
 * @param warmupSeconds how long each works before the first round
 */
public record Rounds(int rounds, double turnSeconds, double warmupSeconds) {
    private static final int LEAST_PIECES = 3;
    /** Seconds after which fewer pieces are enough. */
    private static final double LONG = 0.5;

    /** Seconds of one piece of work by round, for each contestant, in the order given. */
    public Map<Contestant, List<Double>> run(List<? extends Contestant> contestants) {
        Map<Contestant, List<Double>> seconds = new LinkedHashMap<>();
        for (Contestant contestant : contestants) {
            seconds.put(contestant, new ArrayList<>());
            warm(contestant);
        }
        List<Contestant> order = new ArrayList<>(contestants);
        for (int round = 0; round < rounds; round++) {
            Collections.rotate(order, 1);
            for (Contestant contestant : order) {
                Quiet.await();
                contestant.run();
                seconds.get(contestant).add(turn(contestant));
            }
        }
        return seconds;
    }

    private void warm(Contestant contestant) {
        long end = System.nanoTime() + Math.round(warmupSeconds * 1e9);
        do {
            contestant.run();
        } while (System.nanoTime() < end);
    }

    private double turn(Contestant contestant) {
        List<Double> pieces = new ArrayList<>();
        double all = 0;
        while (pieces.size() < LEAST_PIECES && all < LONG || all < turnSeconds) {
            long start = System.nanoTime();
            contestant.run();
            double piece = (System.nanoTime() - start) / 1e9;
            pieces.add(piece);
            all += piece;
        }
        return Statistics.of(pieces).median();
    }
}
