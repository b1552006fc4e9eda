package dev.weir.frontend.lower;

/** Leaves a statement whose fault has been reported, so that the next one can be looked at. */
final class Failure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Failure() {
        super(null, null, false, false);
    }
}
