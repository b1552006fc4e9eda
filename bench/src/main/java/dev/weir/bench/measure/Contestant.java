package dev.weir.bench.measure;

/** Something that does a piece of work, to be timed beside others that do the same. */
public interface Contestant extends AutoCloseable {

    /** What people read: the engine, and its version if there are two. */
    String name();

    /** Whether it is somebody else's: ratios are taken against the fastest of these. */
    boolean isPeer();

    /** Does the work once. */
    void run();

    /** What the work has to give, in the problem's order; it may do the work for it. */
    float[] result();

    @Override
    void close();
}
