package dev.weir.passes.cost;

/**
 * The least time of some launches, in seconds, by what it goes into.
 *
 * @param work of launches that compute longer than they move bytes
 * @param bytes of launches that move bytes longer than they compute
 * @param gathering of launches that sort, select and scatter rows, and of copies
 * @param launches between kernels
 */
public record Time(double work, double bytes, double gathering, double launches) {
    public static final Time NONE = new Time(0, 0, 0, 0);

    public double seconds() {
        return work + bytes + gathering + launches;
    }

    public Time plus(Time other) {
        return new Time(work + other.work, bytes + other.bytes, gathering + other.gathering,
                launches + other.launches);
    }
}
