package dev.weir.bench.measure;

import java.util.List;
import java.util.OptionalDouble;

/**
 * How one contestant did.
 *
 * @param work of this contestant; that of the problem unless it does less
 * @param seconds of one piece of work
 * @param error of its result, as {@link Reference#error} has it; empty if there is no reference
 * @param ofPeak share of the machine's FMA peak on as many threads
 * @param ofBandwidth share of the machine's read bandwidth on as many threads; more than 1 if
 *     caches hold what is read
 */
public record Outcome(
        Problem problem,
        String contestant,
        boolean isPeer,
        Work work,
        Statistics seconds,
        OptionalDouble error,
        double ofPeak,
        double ofBandwidth,
        List<Ratio> ratios) {
    public Outcome {
        ratios = List.copyOf(ratios);
    }

    /**
     * How much faster a contestant was than another, by the median of the rounds' quotients.
     *
     * @param to whom it was compared with
     * @param wanted what is aimed at
     */
    public record Ratio(String to, Statistics quotient, double wanted) {}

    /** Units of work a second. */
    public double rate() {
        return work.amount() / seconds.median();
    }
}
