package dev.weir.bench.measure;

/**
 * How much one piece of work is, whoever does it.
 *
 * @param operations multiplications and additions of the mathematics, each counted as one
 * @param bytes that have to come from memory if nothing of it is in a cache: weights that are used
 *     and what goes in and out, each once
 * @param amount what the rate counts, in units of {@code unit} times a second
 * @param unit of the rate, {@code GFLOP/s} say
 */
public record Work(double operations, double bytes, double amount, String unit) {

    /** Work whose rate is that of its operations. */
    public static Work operations(double operations, double bytes) {
        return new Work(operations, bytes, operations / 1e9, "GFLOP/s");
    }

    /** Work whose rate is that of its bytes. */
    public static Work bytes(double operations, double bytes) {
        return new Work(operations, bytes, bytes / 1e9, "GB/s");
    }

    /** Work whose rate is that of its tokens. */
    public static Work tokens(double tokens, double operations, double bytes) {
        return new Work(operations, bytes, tokens, "t/s");
    }
}
