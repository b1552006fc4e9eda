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

    /**
     * The least time of some launches.
     *
     * @param gathers whether they bring rows into another order, and do nothing else
     */
    Time time(double operations, double bytes, double launches, boolean gathers) {
        double computing = operations / this.operations;
        double moving = bytes / this.bytes;
        if (gathers) {
            return new Time(0, 0, Math.max(computing, moving), launches * launch);
        }
        return computing > moving
                ? new Time(computing, 0, 0, launches * launch)
                : new Time(0, moving, 0, launches * launch);
    }
}
