package dev.weir.ir.tensor;

/**
 * Something that only the data of a run can show to be wrong: an index outside its axis, a division
 * by zero, the largest of nothing. The message is for the user.
 */
public final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Fault(String message) {
        super(message);
    }
}
