package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;

/**
 * What the operations of the table mean, on one element. f32 results are those of f64 arithmetic
 * rounded to f32, which for {@code + - * / sqrt} is the correctly rounded f32 result.
 */
public final class Arithmetic {
    private Arithmetic() {}

    static double real(Operation operation, Format format, double x, double y) {
        double value = switch (operation) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE -> x / y;
            case REMAINDER -> x - Math.floor(x / y) * y;
            case MINIMUM -> Math.min(x, y);
            case MAXIMUM -> Math.max(x, y);
            case POWER -> Math.pow(x, y);
            case NEGATE -> -x;
            case ABSOLUTE -> Math.abs(x);
            case FLOOR -> Math.floor(x);
            case SQUARE_ROOT -> Math.sqrt(x);
            case RECIPROCAL_SQUARE_ROOT -> 1 / format.round(Math.sqrt(x));
            case EXPONENTIAL -> Math.exp(x);
            case LOGARITHM -> Math.log(x);
            case SINE -> Math.sin(x);
            case COSINE -> Math.cos(x);
            case TANGENT_HYPERBOLIC -> Math.tanh(x);
            case ERROR_FUNCTION -> errorFunction(x);
            case SIGMOID -> 1 / (1 + Math.exp(-x));
            case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, AND, OR, NOT, SELECT,
                    BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT ->
                    throw new IllegalArgumentException(operation.word() + " on floats");
        };
        return format.round(value);
    }

    static long whole(Operation operation, Format format, long x, long y) {
        long value = switch (operation) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE -> Math.floorDiv(x, nonZero(y));
            case REMAINDER -> Math.floorMod(x, nonZero(y));
            case MINIMUM -> Math.min(x, y);
            case MAXIMUM -> Math.max(x, y);
            case NEGATE -> -x;
            case ABSOLUTE -> Math.abs(x);
            case BIT_AND, AND -> x & y;
            case BIT_OR, OR -> x | y;
            case BIT_XOR -> x ^ y;
            case NOT -> 1 - x;
            case SHIFT_LEFT -> format == Format.I32 ? (int) x << (int) y : x << y;
            case SHIFT_RIGHT -> format == Format.I32 ? (int) x >> (int) y : x >> y;
            case POWER, FLOOR, SQUARE_ROOT, RECIPROCAL_SQUARE_ROOT, EXPONENTIAL, LOGARITHM, SINE,
                    COSINE, TANGENT_HYPERBOLIC, ERROR_FUNCTION, SIGMOID, EQUAL, NOT_EQUAL, LESS,
                    LESS_EQUAL, GREATER, GREATER_EQUAL, SELECT ->
                    throw new IllegalArgumentException(operation.word() + " on integers");
        };
        return format == Format.I32 ? (int) value : value;
    }

    static boolean compare(Operation operation, double x, double y) {
        return switch (operation) {
            case EQUAL -> x == y;
            case NOT_EQUAL -> x != y;
            case LESS -> x < y;
            case LESS_EQUAL -> x <= y;
            case GREATER -> x > y;
            case GREATER_EQUAL -> x >= y;
            default -> throw new IllegalArgumentException(operation.word());
        };
    }

    static boolean compare(Operation operation, long x, long y) {
        return switch (operation) {
            case EQUAL -> x == y;
            case NOT_EQUAL -> x != y;
            case LESS -> x < y;
            case LESS_EQUAL -> x <= y;
            case GREATER -> x > y;
            case GREATER_EQUAL -> x >= y;
            default -> throw new IllegalArgumentException(operation.word());
        };
    }

    private static long nonZero(long divisor) {
        if (divisor == 0) {
            throw new Fault(Fault.DIVISION_BY_ZERO);
        }
        return divisor;
    }

    /**
     * erf x by its Maclaurin series where that converges fast, else 1 - erfc x by the continued
     * fraction (Abramowitz and Stegun, 7.1.6 and 7.1.14); relative error below 1e-14.
     */
    static double errorFunction(double x) {
        double a = Math.abs(x);
        if (Double.isNaN(x)) {
            return x;
        }
        if (a > 6) {
            return Math.signum(x);
        }
        if (a < 2.5) {
            double term = a;
            double sum = a;
            for (int n = 1; n < 100 && Math.abs(term) > 1e-18 * sum; n++) {
                term *= 2 * a * a / (2 * n + 1);
                sum += term;
            }
            return Math.signum(x) * 2 / Math.sqrt(Math.PI) * Math.exp(-a * a) * sum;
        }
        double fraction = 0;
        for (int n = 60; n >= 1; n--) {
            fraction = n / 2.0 / (a + fraction);
        }
        return Math.signum(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
    }
}
