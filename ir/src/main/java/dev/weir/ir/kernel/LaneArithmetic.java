package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Format;

/**
 * What the operations of kernels mean, on one lane. A lane is a {@code long}: the bits of an f64,
 * the sign-extended bits of an f32, an integer, or 0 or 1 for a bool.
 */
final class LaneArithmetic {

    private LaneArithmetic() {}

    static double f64(long lane) {
        return Double.longBitsToDouble(lane);
    }

    static float f32(long lane) {
        return Float.intBitsToFloat((int) lane);
    }

    static long of(double value) {
        return Double.doubleToRawLongBits(value);
    }

    static long of(float value) {
        return Float.floatToRawIntBits(value);
    }

    static long of(boolean value) {
        return value ? 1 : 0;
    }

    static long unary(UnaryOperation operation, Element element, long a) {
        return switch (element) {
            case F64 -> of(switch (operation) {
                case NEGATE -> -f64(a);
                case ABSOLUTE -> Math.abs(f64(a));
                case SQUARE_ROOT -> Math.sqrt(f64(a));
                case FLOOR -> Math.floor(f64(a));
                case NOT -> throw undefined(operation, element);
            });
            case F32 -> of(switch (operation) {
                case NEGATE -> -f32(a);
                case ABSOLUTE -> Math.abs(f32(a));
                case SQUARE_ROOT -> (float) Math.sqrt(f32(a));
                case FLOOR -> (float) Math.floor(f32(a));
                case NOT -> throw undefined(operation, element);
            });
            case I64 -> switch (operation) {
                case NEGATE -> -a;
                case ABSOLUTE -> Math.abs(a);
                case SQUARE_ROOT, FLOOR, NOT -> throw undefined(operation, element);
            };
            case I32 -> switch (operation) {
                case NEGATE -> -(int) a;
                case ABSOLUTE -> Math.abs((int) a);
                case SQUARE_ROOT, FLOOR, NOT -> throw undefined(operation, element);
            };
            case BOOL -> switch (operation) {
                case NOT -> 1 - a;
                case NEGATE, ABSOLUTE, SQUARE_ROOT, FLOOR -> throw undefined(operation, element);
            };
        };
    }

    static long binary(BinaryOperation operation, Element element, long a, long b) {
        return switch (element) {
            case F64 -> of(real(operation, f64(a), f64(b)));
            case F32 -> of(real(operation, f32(a), f32(b)));
            case I64 -> whole(operation, a, b);
            case I32 -> whole(operation, (int) a, (int) b);
            case BOOL -> switch (operation) {
                case AND -> a & b;
                case OR -> a | b;
                case EXCLUSIVE_OR -> a ^ b;
                case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, MINIMUM, MAXIMUM, SHIFT_LEFT,
                        SHIFT_RIGHT -> throw undefined(operation, element);
            };
        };
    }

    private static double real(BinaryOperation operation, double a, double b) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case MINIMUM -> Math.min(a, b);
            case MAXIMUM -> Math.max(a, b);
            case REMAINDER, AND, OR, EXCLUSIVE_OR, SHIFT_LEFT, SHIFT_RIGHT ->
                    throw undefined(operation, Element.F64);
        };
    }

    private static float real(BinaryOperation operation, float a, float b) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> a / b;
            case MINIMUM -> Math.min(a, b);
            case MAXIMUM -> Math.max(a, b);
            case REMAINDER, AND, OR, EXCLUSIVE_OR, SHIFT_LEFT, SHIFT_RIGHT ->
                    throw undefined(operation, Element.F32);
        };
    }

    private static long whole(BinaryOperation operation, long a, long b) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> b == 0 ? a : a / b;
            case REMAINDER -> b == 0 ? 0 : a % b;
            case MINIMUM -> Math.min(a, b);
            case MAXIMUM -> Math.max(a, b);
            case AND -> a & b;
            case OR -> a | b;
            case EXCLUSIVE_OR -> a ^ b;
            case SHIFT_LEFT -> a << b;
            case SHIFT_RIGHT -> a >> b;
        };
    }

    private static int whole(BinaryOperation operation, int a, int b) {
        return switch (operation) {
            case ADD -> a + b;
            case SUBTRACT -> a - b;
            case MULTIPLY -> a * b;
            case DIVIDE -> b == 0 ? a : a / b;
            case REMAINDER -> b == 0 ? 0 : a % b;
            case MINIMUM -> Math.min(a, b);
            case MAXIMUM -> Math.max(a, b);
            case AND -> a & b;
            case OR -> a | b;
            case EXCLUSIVE_OR -> a ^ b;
            case SHIFT_LEFT -> a << b;
            case SHIFT_RIGHT -> a >> b;
        };
    }

    static long compare(Comparison comparison, Element element, long a, long b) {
        return of(switch (element) {
            // A comparison of floats as doubles gives the same.
            case F64 -> real(comparison, f64(a), f64(b));
            case F32 -> real(comparison, f32(a), f32(b));
            case I64, I32, BOOL -> switch (comparison) {
                case EQUAL -> a == b;
                case NOT_EQUAL -> a != b;
                case LESS -> a < b;
                case LESS_EQUAL -> a <= b;
                case GREATER -> a > b;
                case GREATER_EQUAL -> a >= b;
            };
        });
    }

    private static boolean real(Comparison comparison, double a, double b) {
        return switch (comparison) {
            case EQUAL -> a == b;
            case NOT_EQUAL -> a != b;
            case LESS -> a < b;
            case LESS_EQUAL -> a <= b;
            case GREATER -> a > b;
            case GREATER_EQUAL -> a >= b;
        };
    }

    static long multiplyAdd(Element element, long a, long b, long c) {
        return element == Element.F64
                ? of(Math.fma(f64(a), f64(b), f64(c)))
                : of(Math.fma(f32(a), f32(b), f32(c)));
    }

    static long dotBytes(long a, long b, long c) {
        int sum = (int) c;
        for (int at = 0; at < Integer.SIZE; at += Byte.SIZE) {
            sum += ((int) a >> at & 0xFF) * (byte) (b >> at);
        }
        return sum;
    }

    static long convert(Element from, Element to, long a) {
        return switch (to) {
            case F64 -> switch (from) {
                case F64 -> a;
                case F32 -> of((double) f32(a));
                case I64, I32, BOOL -> of((double) a);
            };
            case F32 -> switch (from) {
                case F64 -> of((float) f64(a));
                case F32 -> a;
                case I64, I32, BOOL -> of((float) a);
            };
            case I64 -> switch (from) {
                case F64 -> (long) f64(a);
                case F32 -> (long) f32(a);
                case I64, I32, BOOL -> a;
            };
            case I32 -> switch (from) {
                case F64 -> (int) f64(a);
                case F32 -> (int) f32(a);
                case I64, I32, BOOL -> (int) a;
            };
            case BOOL -> switch (from) {
                case F64 -> of(f64(a) != 0);
                case F32 -> of(f32(a) != 0);
                case I64, I32, BOOL -> of(a != 0);
            };
        };
    }

    static long roundTo(Format format, long a) {
        return switch (format) {
            case BF16, F16, F8E4M3, F8E5M2 -> of((float) format.round(f32(a)));
            case F32, F64, I64, I32, I8, BOOL -> a;
        };
    }

    private static IllegalArgumentException undefined(Enum<?> operation, Element element) {
        return new IllegalArgumentException(operation + " of " + element.word());
    }
}
