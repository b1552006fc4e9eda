package dev.weir.runtime.checkpoint;

/** Something is wrong with a file that the user gave; the message says what, for the user. */
public final class CheckpointException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }
}
