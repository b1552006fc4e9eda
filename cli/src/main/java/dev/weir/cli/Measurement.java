package dev.weir.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Times repeated work. Knows no models and prints nothing.
 *
 * @param clock in nanoseconds
 * @param warmup nanoseconds of repetitions before, which are not counted; at least one is done, and
 *     more while they still get faster, unless this is 0
 * @param repetitions those that are; at least 1
 */
record Measurement(LongSupplier clock, long warmup, int repetitions) {
    /** So many repetitions without a faster one are a steady state. */
    private static final int STEADY = 5;

    /** What is a tenth faster is faster; less is chance. */
    private static final double FASTER = 0.9;

    /** Waiting for a steady state, getting ready included, takes no more warm-ups than this. */
    private static final int PATIENCE = 10;

    /** One repetition: what makes it ready and what frees it again is not timed. */
    interface Trial extends AutoCloseable {
        void run();

        @Override
        void close();
    }

    /**
     * @param trials a fresh one for each repetition
     * @param tokens of one repetition
     */
    Throughput of(Supplier<Trial> trials, long tokens) {
        warmUp(trials);
        List<Long> nanos = new ArrayList<>();
        for (int i = 0; i < repetitions; i++) {
            nanos.add(time(trials));
        }
        return new Throughput(tokens, nanos);
    }

    /**
     * Several works in turn, each repetition of one beside one of the others: what slows the
     * machine down for a while slows all of them down.
     *
     * @param trials a fresh one for each repetition of each work
     * @param tokens of one repetition
     * @return for each work, in the order given
     */
    List<Throughput> inTurn(List<Supplier<Trial>> trials, long tokens) {
        trials.forEach(this::warmUp);
        List<List<Long>> nanos = new ArrayList<>();
        trials.forEach(t -> nanos.add(new ArrayList<>()));
        for (int i = 0; i < repetitions; i++) {
            for (int work = 0; work < trials.size(); work++) {
                nanos.get(work).add(time(trials.get(work)));
            }
        }
        return nanos.stream().map(n -> new Throughput(tokens, n)).toList();
    }

    /**
     * The Java machine compiles what has run often, with no regard to how long that takes: neither
     * a time nor a number of repetitions alone says that it has finished.
     */
    private void warmUp(Supplier<Trial> trials) {
        double best = Double.POSITIVE_INFINITY;
        int steady = 0;
        long begin = clock.getAsLong();
        for (long spent = 0;
                (spent < warmup || steady < STEADY)
                        && (clock.getAsLong() - begin) / PATIENCE < warmup; ) {
            long nanos = time(trials);
            spent += nanos;
            steady = nanos < best * FASTER ? 0 : steady + 1;
            best = Math.min(best, nanos);
        }
    }

    /** At least 1: a coarse clock may not have moved. */
    private long time(Supplier<Trial> trials) {
        try (Trial trial = trials.get()) {
            long begin = clock.getAsLong();
            trial.run();
            return Math.max(1, clock.getAsLong() - begin);
        }
    }
}
