package dev.weir.passes.cost;

/**
 * Expected work of some launches.
 *
 * @param operations applications of an operation, and terms of reductions
 * @param weights bytes of weights that are read whole
 * @param read bytes of other tensors that go in
 * @param written bytes that come out
 * @param launches kernels that run
 * @param time the least on a machine; none without one
 */
public record Amounts(
        double operations,
        double weights,
        double read,
        double written,
        double launches,
        Time time) {
    public static final Amounts NONE = new Amounts(0, 0, 0, 0, 0, Time.NONE);

    /** The least time on a machine, in seconds. */
    public double seconds() {
        return time.seconds();
    }

    /** Of all that goes in and out. */
    public double bytes() {
        return weights + read + written;
    }

    /** Operations for each byte. */
    public double intensity() {
        return bytes() == 0 ? 0 : operations / bytes();
    }

    public Amounts plus(Amounts other) {
        return new Amounts(
                operations + other.operations,
                weights + other.weights,
                read + other.read,
                written + other.written,
                launches + other.launches,
                time.plus(other.time));
    }
}
