package dev.weir.ir.host;

/**
 * What an entry of a compiled host program returns. The numbers are part of what artefacts promise
 * to their callers.
 */
public enum HostStatus {
    /** All is well. */
    WELL(0),
    /** The data does not fit: an index outside of its axis. {@code check} says which. */
    DATA(1),
    /** There is not enough memory; {@code value} is how many bytes were wanted. */
    MEMORY(2),
    /** Run-time sizes do not fit into 64 bits. */
    SIZES(3),
    /** Whole numbers of the host program were divided by zero. */
    DIVISION(4),
    /** The call itself is wrong; {@code check} is the number of a {@link Mistake}. */
    CALL(5),
    /** A second step of a sequence, and the model takes whole sequences. */
    WHOLE(6);

    /** What can be wrong with a call. */
    public enum Mistake {
        NOT_INITIALISED,
        /** {@code value} is the number of sequences, {@code limit} the most. */
        BAD_COUNT,
        /** {@code value} is the place of the session: none, freed, or another model's. */
        BAD_SESSION,
        /** {@code value} and {@code limit} are two places of one session. */
        SESSION_TWICE,
        /** {@code value} is the number of rows, {@code limit} the most. */
        BAD_ROWS
    }

    private final int number;

    HostStatus(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
