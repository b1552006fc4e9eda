package dev.weir.passes.cost;

/**
 * How fast a machine is at most.
 *
 * @param threads with which this was measured
 * @param operations a second; a fused multiply-add is two
 * @param bytes read a second from memory that no cache holds
 * @param launch seconds between two kernels that have next to nothing to do
 */
public record Machine(int threads, double operations, double bytes, double launch) {

    /** The least time that so much work takes, in seconds, launches apart. */
    public double seconds(double operations, double bytes) {
        return Math.max(operations / this.operations, bytes / this.bytes);
    }
}
