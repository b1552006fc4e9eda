package dev.weir.bench.machine;

import dev.weir.bench.measure.Statistics;
import java.util.ArrayList;
import java.util.List;

/**
 * What this machine can do at most: f32 fused multiply-adds in registers, and reads of memory that
 * no cache holds ({@link Limit}). Of several tries the best counts: what another process takes away
 * is no property of the machine.
 *
 * @param threads with how many threads it was measured
 * @param flops operations a second, a fused multiply-add counted as two
 * @param bandwidth bytes read a second
 */
public record Roofline(int threads, Statistics flops, Statistics bandwidth) {
    private static final int ROUNDS = 9;
    private static final double BYTES = 512 << 20;
    private static final double OPERATIONS = 2e9;

    /** Measures; takes about a second. */
    public static Roofline measure(int threads) {
        try (Limit reading = Limit.reading(BYTES, threads);
                Limit computing = Limit.computing(OPERATIONS * threads, threads)) {
            return new Roofline(threads,
                    rate(computing, OPERATIONS * threads), rate(reading, BYTES));
        }
    }

    private static Statistics rate(Limit limit, double amount) {
        List<Double> rates = new ArrayList<>();
        for (int round = 0; round <= ROUNDS; round++) {
            long start = System.nanoTime();
            limit.run();
            double seconds = (System.nanoTime() - start) / 1e9;
            if (round > 0) {
                rates.add(amount / seconds);
            }
        }
        return Statistics.of(rates);
    }

    /** Both measurements, of which the better counts. */
    public Roofline with(Roofline other) {
        return new Roofline(threads,
                other.flops.most() > flops.most() ? other.flops : flops,
                other.bandwidth.most() > bandwidth.most() ? other.bandwidth : bandwidth);
    }
}
