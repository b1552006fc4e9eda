package dev.weir.codegen.jvm.artefact;

/**
 * A compiled host program with its kernels. All words are whole numbers or addresses; what they
 * mean, and which statuses there are, is said where the entries are written, in the compiler's
 * support code. A model and its sessions are used by one thread at a time.
 */
public interface HostProgram {

    /** Makes a model of the addresses of its weights; 0 if there is not enough memory. */
    long create(long weights);

    /** Computes what depends on weights alone; gives a status. */
    long initialise(long model);

    /** Frees a model with all its sessions. */
    long destroy(long model);

    /** Makes a sequence that has seen nothing; 0 if there is not enough memory. */
    long sessionNew(long model);

    long sessionFree(long session);

    /** How many elements of the stream it has seen. */
    long sessionPosition(long session);

    /**
     * Runs a step of several sequences, for all or for none; gives a status.
     *
     * @param sessions address of the sessions
     * @param count how many there are
     * @param rows address of how many elements each gets
     * @param arguments address of the addresses of the arguments
     */
    long step(long model, long sessions, long count, long rows, long arguments);

    /** Address of a result of the last step. */
    long result(long model, long number);

    /** How many elements it has. */
    long resultElements(long model, long number);

    /** What the last entry gave. */
    long status(long model);

    long faultCheck(long model);

    long faultValue(long model);

    long faultLimit(long model);
}
