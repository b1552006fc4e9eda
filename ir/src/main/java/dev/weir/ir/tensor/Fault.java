package dev.weir.ir.tensor;

import java.util.List;

/**
 * Something that only the data of a run can show to be wrong: an index outside its axis, a division
 * by zero, the largest of nothing. The message is for the user.
 */
public final class Fault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What the interpreter and kernels say of {@code a / 0} and {@code a % 0}. */
    public static final String DIVISION_BY_ZERO = "a whole number is divided by zero";
    /** What they say of an arg-max over nothing. */
    public static final String LARGEST_OF_NONE = "the largest of no elements has no place";

    private static final String VALUE = "{value}";
    private static final String LIMIT = "{limit}";

    public Fault(String message) {
        super(message);
    }

    /**
     * @param check what is said where a check fails, with {@code {value}} for what was found and
     *     {@code {limit}} for what it has to be below
     */
    public static String message(String check, long value, long limit) {
        return check.replace(VALUE, Long.toString(value)).replace(LIMIT, Long.toString(limit));
    }

    /** The text of a check with its placeholders apart from the words between them. */
    public static List<String> parts(String check) {
        return List.of(check.split("(?<=})|(?=\\{(?:value|limit)})"));
    }

    public static boolean isValue(String part) {
        return part.equals(VALUE);
    }

    public static boolean isLimit(String part) {
        return part.equals(LIMIT);
    }
}
