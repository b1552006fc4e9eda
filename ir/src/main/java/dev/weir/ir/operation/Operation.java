package dev.weir.ir.operation;

import java.util.Locale;
import java.util.Optional;

/**
 * The one table of scalar operations. Every back end, the interpreter, the printer and the parser
 * take an operation's name, arity and meaning from here.
 *
 * <p>Conventions: integers wrap; {@code /} and {@code %} on integers floor, and division by zero is
 * a fault; shift counts are masked to the width; float to integer saturates and NaN gives 0.
 * Elementary functions have one definition for all back ends, an expansion into the basic
 * operations ({@code dev.weir.passes.schedule.MathExpansion}); the interpreter, which uses the
 * platform's functions, agrees with it within 4 units in the last place of f32.
 */
public enum Operation {
    ADD(2, Result.OPERAND, "sum"),
    SUBTRACT(2, Result.OPERAND, "difference"),
    MULTIPLY(2, Result.OPERAND, "product"),
    DIVIDE(2, Result.OPERAND, "quotient; floors on integers, where a zero divisor is a fault"),
    REMAINDER(2, Result.OPERAND, "x - floor(x / y) * y"),
    MINIMUM(2, Result.OPERAND, "the smaller operand; NaN if one is NaN"),
    MAXIMUM(2, Result.OPERAND, "the larger operand; NaN if one is NaN"),
    POWER(2, Result.OPERAND, "x to the power y, as Math.pow of Java; floats only"),
    NEGATE(1, Result.OPERAND, "-x"),
    ABSOLUTE(1, Result.OPERAND, "|x|"),
    FLOOR(1, Result.OPERAND, "largest whole number not above x; floats only"),
    SQUARE_ROOT(1, Result.OPERAND, "correctly rounded square root"),
    RECIPROCAL_SQUARE_ROOT(1, Result.OPERAND, "1 / sqrt(x), both correctly rounded"),
    EXPONENTIAL(1, Result.OPERAND, "e to the power x"),
    LOGARITHM(1, Result.OPERAND, "natural logarithm"),
    SINE(1, Result.OPERAND, "sine of x in radians"),
    COSINE(1, Result.OPERAND, "cosine of x in radians"),
    TANGENT_HYPERBOLIC(1, Result.OPERAND, "tanh x"),
    ERROR_FUNCTION(1, Result.OPERAND, "erf x"),
    SIGMOID(1, Result.OPERAND, "1 / (1 + exp(-x))"),
    EQUAL(2, Result.BOOLEAN, "x == y; false if one is NaN"),
    NOT_EQUAL(2, Result.BOOLEAN, "x != y; true if one is NaN"),
    LESS(2, Result.BOOLEAN, "x < y"),
    LESS_EQUAL(2, Result.BOOLEAN, "x <= y"),
    GREATER(2, Result.BOOLEAN, "x > y"),
    GREATER_EQUAL(2, Result.BOOLEAN, "x >= y"),
    AND(2, Result.BOOLEAN, "both; operands are booleans"),
    OR(2, Result.BOOLEAN, "either; operands are booleans"),
    NOT(1, Result.BOOLEAN, "neither; the operand is a boolean"),
    SELECT(3, Result.SECOND, "y where x holds, else z; only the chosen operand is evaluated"),
    BIT_AND(2, Result.OPERAND, "bitwise and; integers only"),
    BIT_OR(2, Result.OPERAND, "bitwise or; integers only"),
    BIT_XOR(2, Result.OPERAND, "bitwise exclusive or; integers only"),
    SHIFT_LEFT(2, Result.OPERAND, "x << (y mod width); integers only"),
    SHIFT_RIGHT(2, Result.OPERAND, "arithmetic x >> (y mod width); integers only");

    /** Where an operation's format comes from. */
    public enum Result {
        /** All operands have one format, and it is the result's. */
        OPERAND,
        /** The result is a boolean; all operands have one format. */
        BOOLEAN,
        /** The first operand is a boolean, the others and the result share a format. */
        SECOND
    }

    private final int arity;
    private final Result result;
    private final String meaning;

    Operation(int arity, Result result, String meaning) {
        this.arity = arity;
        this.result = result;
        this.meaning = meaning;
    }

    public int arity() {
        return arity;
    }

    public Result result() {
        return result;
    }

    /** One line of prose for the reference. */
    public String meaning() {
        return meaning;
    }

    /** The name in textual IR: {@code add}, {@code square_root}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Operation> named(String word) {
        for (Operation operation : values()) {
            if (operation.word().equals(word)) {
                return Optional.of(operation);
            }
        }
        return Optional.empty();
    }

    /** Whether the operation costs more than a handful of instructions. */
    public boolean isElementary() {
        return switch (this) {
            case POWER, EXPONENTIAL, LOGARITHM, SINE, COSINE, TANGENT_HYPERBOLIC, ERROR_FUNCTION,
                    SIGMOID -> true;
            default -> false;
        };
    }
}
