package dev.weir.cli;

import java.util.List;

/**
 * How fast repeated work was: the time of each repetition, and what follows from it. The
 * deviations are those of a sample: squares are divided by one less than there are repetitions.
 *
 * @param tokens of one repetition, those of all sequences together
 * @param nanos of each repetition; at least one, each above 0
 */
record Throughput(long tokens, List<Long> nanos) {
    private static final double NANOS_IN_A_SECOND = 1e9;

    Throughput {
        nanos = List.copyOf(nanos);
        if (nanos.isEmpty() || nanos.stream().anyMatch(n -> n <= 0)) {
            throw new IllegalArgumentException("no times to divide by: " + nanos);
        }
    }

    /** Nanoseconds of one repetition. */
    double meanNanos() {
        return mean(times());
    }

    /** Nanoseconds of one repetition. */
    Quartiles quartilesOfNanos() {
        return Quartiles.of(times());
    }

    double deviationOfNanos() {
        return deviation(times());
    }

    /** Tokens per second: the mean of what each repetition reached. */
    double meanRate() {
        return mean(rates());
    }

    double deviationOfRate() {
        return deviation(rates());
    }

    private double[] times() {
        return nanos.stream().mapToDouble(Long::doubleValue).toArray();
    }

    private double[] rates() {
        return nanos.stream().mapToDouble(n -> tokens * NANOS_IN_A_SECOND / n).toArray();
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    private static double deviation(double[] values) {
        if (values.length == 1) {
            return 0;
        }
        double mean = mean(values);
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / (values.length - 1));
    }
}
