package dev.weir.cli;

/** What a command wrote to standard output was taken by nobody. */
final class LostOutputException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param reason the system's word for it
     */
    LostOutputException(String reason) {
        super(reason);
    }

    /** Whether the reader had enough, as {@code head} has: no fault, but an end. */
    boolean readerIsGone() {
        return getMessage().contains("Broken pipe");
    }
}
