package dev.weir.runtime.memory;

/**
 * More memory was asked for than a {@link Pool} may have. Nothing was taken: once others give some
 * back, or with less to do at once, it works again. The message is for the user.
 */
public final class MemoryLimitException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MemoryLimitException(long limit, long taken, long wanted) {
        super(String.format(java.util.Locale.ROOT,
                "the memory limit of %,d bytes is reached: %,d bytes are taken, and %,d more are "
                        + "needed", limit, taken, wanted));
    }
}
