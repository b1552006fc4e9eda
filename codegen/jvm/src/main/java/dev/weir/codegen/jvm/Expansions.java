package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Bitcast;
import dev.weir.ir.kernel.Expression.Broadcast;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.Convert;
import dev.weir.ir.kernel.Expression.Real;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.kernel.Expression.Unary;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;

/**
 * Vector operations that the Vector API lacks, made of those that it has. Operands are expected to
 * be cheap to evaluate more than once.
 */
final class Expansions {

    private Expansions() {}

    /**
     * Below 2^23 (2^52 for f64) the conversion to an integer and back drops the fraction, towards
     * zero; from there on, every number is whole. The sign is kept for the sake of -0.
     */
    static Expression floor(Expression x) {
        Type type = x.type();
        boolean wide = type.element() == Element.F64;
        Element whole = wide ? Element.I64 : Element.I32;
        Expression towardsZero = new Convert(type.element(), new Convert(whole, x));
        Expression lower = new Select(
                new Compare(Comparison.GREATER, towardsZero, x),
                binary(BinaryOperation.SUBTRACT, towardsZero, real(type, 1)),
                towardsZero);
        Type bits = type.withElement(whole);
        Expression sign = binary(
                BinaryOperation.AND,
                new Bitcast(whole, x),
                whole(bits, wide ? Long.MIN_VALUE : Integer.MIN_VALUE));
        Expression signed = new Bitcast(
                type.element(), binary(BinaryOperation.OR, new Bitcast(whole, lower), sign));
        Expression small = new Compare(
                Comparison.LESS,
                new Unary(UnaryOperation.ABSOLUTE, x),
                real(type, wide ? 0x1p52 : 0x1p23));
        return new Select(small, signed, x);
    }

    /** Whether it is a constant other than 0 and NaN, so that {@link #limited} holds. */
    static boolean isLimit(Expression x) {
        return switch (x) {
            case Real r -> (float) r.value() != 0 && !Double.isNaN(r.value());
            case Broadcast b -> isLimit(b.operand());
            default -> false;
        };
    }

    /**
     * The minimum or maximum with a limit: a comparison and a choice, where those of Java tell one
     * zero from the other and look for NaN on both sides. A comparison with NaN keeps NaN.
     */
    static Expression limited(BinaryOperation operation, Expression x, Expression limit) {
        Comparison beyond = operation == BinaryOperation.MAXIMUM
                ? Comparison.LESS : Comparison.GREATER;
        return new Select(new Compare(beyond, x, limit), limit, x);
    }

    /** An integer divisor that cannot trap. */
    static Expression divisor(Expression y) {
        return new Select(
                new Compare(Comparison.EQUAL, y, whole(y.type(), 0)), whole(y.type(), 1), y);
    }

    static Expression remainder(Expression x, Expression quotient, Expression divisor) {
        return binary(
                BinaryOperation.SUBTRACT, x, binary(BinaryOperation.MULTIPLY, quotient, divisor));
    }

    /** The f32 of a narrow float in the low bits of an i32. */
    static Expression widen(Format format, Expression bits) {
        return switch (format) {
            case BF16 -> widenBrain(bits);
            case F16 -> widenHalf(bits);
            case F8E5M2 -> widenHalf(shiftLeft(bits, 8));
            case F8E4M3 -> widenFourThree(bits);
            default -> throw new IllegalArgumentException(format.word());
        };
    }

    /** The narrow float of an f32 in the low bits of an i32. */
    static Expression narrow(Format format, Expression x) {
        return switch (format) {
            case BF16 -> narrowBrain(x);
            case F16 -> narrowHalf(x);
            case F8E4M3 -> narrowEight(x, Float8.LARGEST_E4M3, 3, 0x1p-6f, 0x1p14f, 0x7F);
            case F8E5M2 -> narrowEight(x, Float8.LARGEST_E5M2, 2, 0x1p-14f, 0x1p7f, 0x7E);
            default -> throw new IllegalArgumentException(format.word());
        };
    }

    /** As {@link Float8#e4m3ToFloat}. */
    private static Expression widenFourThree(Expression bits) {
        Type type = bits.type();
        Expression magnitude = binary(BinaryOperation.AND, bits, whole(type, 0x7F));
        Expression finite = new Bitcast(Element.I32, binary(
                BinaryOperation.MULTIPLY,
                new Bitcast(Element.F32, shiftLeft(magnitude, 20)),
                real(type.withElement(Element.F32), 0x1p120)));
        Expression number = new Select(
                new Compare(Comparison.EQUAL, magnitude, whole(type, 0x7F)),
                whole(type, 0x7FC00000), finite);
        Expression sign = shiftLeft(
                binary(BinaryOperation.AND, bits, whole(type, 0x80)), 24);
        return new Bitcast(Element.F32, binary(BinaryOperation.OR, number, sign));
    }

    /** As {@link Float8}: both ways to round, and a choice by size. */
    private static Expression narrowEight(
            Expression x, float largest, int fraction, float normal, float step, int nan) {
        Type real = x.type();
        Type type = real.withElement(Element.I32);
        Expression sign = binary(BinaryOperation.AND,
                shiftRight(new Bitcast(Element.I32, x), 24), whole(type, 0x80));
        Expression absolute = new Unary(UnaryOperation.ABSOLUTE, x);
        Expression magnitude = new Select(
                new Compare(Comparison.GREATER, absolute, real(real, largest)),
                real(real, largest), absolute);
        Expression small = binary(BinaryOperation.SUBTRACT,
                new Bitcast(Element.I32, add(magnitude, real(real, step))),
                whole(type, Float.floatToRawIntBits(step)));
        Expression bits = new Bitcast(Element.I32, magnitude);
        int dropped = 23 - fraction;
        Expression odd = binary(
                BinaryOperation.AND, shiftRight(bits, dropped), whole(type, 1));
        Expression rounded = shiftRight(
                add(bits, add(odd, whole(type, (1 << dropped - 1) - 1))), dropped);
        int bias = Float.floatToRawIntBits(normal) - (1 << 23) >>> dropped;
        Expression number = new Select(
                new Compare(Comparison.LESS, magnitude, real(real, normal)),
                small,
                binary(BinaryOperation.SUBTRACT, rounded, whole(type, bias)));
        Expression known = new Select(notANumber(x), whole(type, nan), number);
        return binary(BinaryOperation.OR, known, sign);
    }

    /** The f32 of which {@code bits}, an i32, holds the upper half. */
    private static Expression widenBrain(Expression bits) {
        return new Bitcast(Element.F32, shiftLeft(bits, 16));
    }

    /** The bf16 of an f32 in the lower half of an i32: adds half of the last place, or less. */
    private static Expression narrowBrain(Expression x) {
        Expression bits = new Bitcast(Element.I32, x);
        Type type = bits.type();
        Expression upper = shiftRight(bits, 16);
        Expression odd = binary(BinaryOperation.AND, upper, whole(type, 1));
        Expression rounded = shiftRight(
                add(bits, binary(BinaryOperation.ADD, odd, whole(type, 0x7FFF))), 16);
        Expression quiet = binary(BinaryOperation.OR, upper, whole(type, 0x40));
        return new Select(notANumber(x), quiet, rounded);
    }

    /**
     * The f32 of an f16 in the lower half of an i32. Exponent and fraction in place, a product with
     * 2^112 mends the bias, exactly, and makes denormal numbers normal.
     */
    private static Expression widenHalf(Expression bits) {
        Type type = bits.type();
        Expression placed = shiftLeft(
                binary(BinaryOperation.AND, bits, whole(type, 0x7FFF)), 13);
        Expression finite = new Bitcast(Element.I32, binary(
                BinaryOperation.MULTIPLY,
                new Bitcast(Element.F32, placed),
                real(type.withElement(Element.F32), 0x1p112)));
        Expression special = binary(BinaryOperation.OR, placed, whole(type, 0x7F800000));
        Expression exponent = binary(BinaryOperation.AND, bits, whole(type, 0x7C00));
        Expression magnitude = new Select(
                new Compare(Comparison.EQUAL, exponent, whole(type, 0x7C00)), special, finite);
        Expression sign = shiftLeft(
                binary(BinaryOperation.AND, bits, whole(type, 0x8000)), 16);
        return new Bitcast(Element.F32, binary(BinaryOperation.OR, magnitude, sign));
    }

    /**
     * The f16 of an f32 in the lower half of an i32. The addition of a power of two that depends on
     * the exponent rounds at the place wanted, as the machine rounds: to nearest, ties to even; the
     * scaling before it makes infinity of what is too large. The method is that of M. Dukhan's
     * FP16 library, {@code fp16_ieee_from_fp32_value}.
     */
    private static Expression narrowHalf(Expression x) {
        Type type = x.type().withElement(Element.I32);
        Type real = x.type();
        Expression bits = new Bitcast(Element.I32, x);
        Expression scaled = binary(
                BinaryOperation.MULTIPLY,
                binary(BinaryOperation.MULTIPLY,
                        new Unary(UnaryOperation.ABSOLUTE, x), real(real, 0x1p112)),
                real(real, 0x1p-110));
        Expression exponent = binary(BinaryOperation.AND, bits, whole(type, 0x7F800000));
        Expression least = binary(BinaryOperation.MAXIMUM, exponent, whole(type, 0x38800000));
        Expression power = new Bitcast(Element.F32, add(least, whole(type, 0x07800000)));
        Expression sum = new Bitcast(Element.I32, binary(BinaryOperation.ADD, power, scaled));
        Expression magnitude = add(
                binary(BinaryOperation.AND, shiftRight(sum, 13), whole(type, 0x7C00)),
                binary(BinaryOperation.AND, sum, whole(type, 0xFFF)));
        Expression chosen = new Select(notANumber(x), whole(type, 0x7E00), magnitude);
        Expression sign = binary(
                BinaryOperation.AND, shiftRight(bits, 16), whole(type, 0x8000));
        return binary(BinaryOperation.OR, chosen, sign);
    }

    private static Expression notANumber(Expression x) {
        return new Compare(Comparison.NOT_EQUAL, x, x);
    }

    private static Expression add(Expression left, Expression right) {
        return binary(BinaryOperation.ADD, left, right);
    }

    private static Expression shiftLeft(Expression left, int count) {
        return binary(BinaryOperation.SHIFT_LEFT, left, whole(left.type(), count));
    }

    private static Expression shiftRight(Expression left, int count) {
        return binary(BinaryOperation.SHIFT_RIGHT, left, whole(left.type(), count));
    }

    private static Expression binary(BinaryOperation operation, Expression left, Expression right) {
        return new Binary(operation, left, right);
    }

    static Expression whole(Type type, long value) {
        return new Broadcast(new Whole(type.withLanes(1), value), type.lanes());
    }

    private static Expression real(Type type, double value) {
        return new Broadcast(new Real(type.withLanes(1), value), type.lanes());
    }
}
