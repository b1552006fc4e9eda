package dev.weir.runtime.model;

/**
 * What one sequence remembers, however it is kept. Its states grow by rows or are carried over from
 * step to step. Only the {@link Sequence} that it belongs to calls it, one call at a time.
 */
interface Store {
    /** What it was at one time. It has to be closed, before its store is. */
    interface Saved extends AutoCloseable {
        /** Makes the store what it was; can be done again. */
        void restore();

        @Override
        void close();
    }

    /** Another one that holds the same, and no memory in common. */
    Store copy();

    /** What it is now: the lengths of growing states, and a copy of what is carried. */
    Saved save();

    /** Notes that a step is over, which took so many elements of the stream. */
    void stepped(long elements);

    /**
     * Whether each growing state has got one row for each element, in their order, or none at all.
     *
     * <p>It is known from outside. The elements of a stream that can be cut leave the same however
     * it is cut, so that rows come from their elements alone. Where a step appended to a state
     * once, and as many rows as it had elements, each element has left one. A step that appends
     * twice, or another number of rows, ends this for good.
     */
    boolean hasRowForEachElement();

    /** Drops all rows behind the first ones, one for each element. */
    void truncate(long elements);

    /** Makes it what it was before the first step. */
    void clear();

    void close();
}
