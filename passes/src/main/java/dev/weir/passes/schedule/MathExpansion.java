package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.convert;
import static dev.weir.passes.schedule.Build.fma;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;

/**
 * Elementary functions written out in basic operations, so that every back end computes the same
 * bits. {@code exp} and {@code sigmoid} work on f32 lanes; the others go through f64, one lane at a
 * time, and are rounded to f32 at the end.
 */
final class MathExpansion {
    private final KernelWriter writer;

    MathExpansion(KernelWriter writer) {
        this.writer = writer;
    }

    private Expression let(Expression expression) {
        return writer.let(expression);
    }

    private static Expression multiply(Expression a, Expression b) {
        return binary(BinaryOperation.MULTIPLY, a, b);
    }

    private static Expression add(Expression a, Expression b) {
        return binary(BinaryOperation.ADD, a, b);
    }

    private static Expression subtract(Expression a, Expression b) {
        return binary(BinaryOperation.SUBTRACT, a, b);
    }

    private static Expression divide(Expression a, Expression b) {
        return binary(BinaryOperation.DIVIDE, a, b);
    }

    private static Expression shift(Expression a, int count) {
        return binary(BinaryOperation.SHIFT_LEFT, a, whole(a.type(), count));
    }

    /**
     * e^x on f32 lanes, within 2 units in the last place. The argument is split into n ln 2 + r
     * with
     * |r| ≤ ln 2 / 2 (ln 2 in two parts), e^r is the degree-7 polynomial of S. L. Moshier's Cephes
     * library (expf), and 2^n is applied in two halves, so that denormal results are right.
     */
    Expression exponential(Expression x) {
        if (x.type().element() == Element.F64) {
            return exponential64(x);
        }
        Type type = x.type();
        // Below, the result is 0; above, infinity. The maximum keeps a NaN.
        Expression clamped = let(binary(
                BinaryOperation.MAXIMUM,
                binary(BinaryOperation.MINIMUM, x, real(type, 89)),
                real(type, -104)));
        // Adding 1.5 · 2^23 rounds to a whole number and leaves it in the low bits.
        Expression magic = real(type, 12582912.0);
        Expression shifted = let(fma(clamped, real(type, 1.44269504088896341), magic));
        Expression n = let(subtract(shifted, magic));
        Expression r = let(fma(n, real(type, 2.12194440e-4),
                fma(n, real(type, -0.693359375), clamped)));
        Expression power = power(r);
        Expression whole = let(subtract(
                new Expression.Bitcast(Element.I32, shifted),
                new Expression.Bitcast(Element.I32, magic)));
        Type integers = whole.type();
        Expression half = let(binary(
                BinaryOperation.SHIFT_RIGHT, whole, whole(integers, 1)));
        Expression rest = let(subtract(whole, half));
        return let(multiply(multiply(power, powerOfTwo(half)), powerOfTwo(rest)));
    }

    /** e^r for |r| ≤ ln 2 / 2. */
    private Expression power(Expression r) {
        Type type = r.type();
        Expression p = real(type, 1.9875691500e-4);
        double[] coefficients = {
            1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1
        };
        for (double coefficient : coefficients) {
            p = fma(p, r, real(type, coefficient));
        }
        return let(add(fma(p, multiply(r, r), r), real(type, 1)));
    }

    /**
     * e^x on f32 lanes for x ≤ 0, where a softmax needs it: as {@link #exponential}, but what would
     * be denormal is 0, and so 2^n needs no halves. Of a NaN it gives a NaN; of x > 0, anything.
     */
    Expression exponentialBelow(Expression x) {
        Type type = x.type();
        // e^x would be less than 2^-126.
        Expression lowest = real(type, -87.33654);
        Expression clamped = let(binary(BinaryOperation.MAXIMUM, x, lowest));
        // As in exponential, with the exponent's bias added already.
        Expression magic = real(type, 12582912.0 + 127);
        Expression shifted = let(fma(clamped, real(type, 1.44269504088896341), magic));
        Expression n = let(subtract(shifted, magic));
        Expression r = let(fma(n, real(type, 2.12194440e-4),
                fma(n, real(type, -0.693359375), clamped)));
        Expression scale = new Expression.Bitcast(
                Element.F32, shift(new Expression.Bitcast(Element.I32, shifted), 23));
        return let(select(Build.less(x, lowest), real(type, 0), multiply(power(r), scale)));
    }

    private static Expression powerOfTwo(Expression exponent) {
        return new Expression.Bitcast(
                Element.F32,
                shift(add(exponent, whole(exponent.type(), 127)), 23));
    }

    Expression sigmoid(Expression x) {
        Expression e = exponential(new Expression.Unary(UnaryOperation.NEGATE, x));
        return let(divide(real(x.type(), 1), add(real(x.type(), 1), e)));
    }

    // ------------------------------------------------------------------ in f64, one lane

    private static Expression d(double value) {
        return real(Type.F64, value);
    }

    private Expression in64(Expression x, java.util.function.UnaryOperator<Expression> function) {
        Expression wide = let(convert(Element.F64, x));
        return let(convert(x.type().element(), function.apply(wide)));
    }

    private Expression polynomial(Expression x, double... coefficients) {
        Expression p = d(coefficients[0]);
        for (int i = 1; i < coefficients.length; i++) {
            p = fma(p, x, d(coefficients[i]));
        }
        return let(p);
    }

    /** e^x: Taylor's series to degree 13 on |r| ≤ ln 2 / 2. */
    private Expression exponential64(Expression x) {
        Expression clamped = let(binary(
                BinaryOperation.MAXIMUM,
                binary(BinaryOperation.MINIMUM, x, d(710)),
                d(-746)));
        Expression magic = d(6755399441055744.0);
        Expression shifted = let(fma(clamped, d(1.4426950408889634), magic));
        Expression n = let(subtract(shifted, magic));
        Expression r = let(fma(n, d(-1.90821492927058770002e-10),
                fma(n, d(-6.93147180369123816490e-01), clamped)));
        double[] coefficients = new double[14];
        double factorial = 1;
        for (int i = 0; i < 14; i++) {
            coefficients[13 - i] = 1 / factorial;
            factorial *= i + 1;
        }
        Expression power = polynomial(r, coefficients);
        Expression whole = let(subtract(
                new Expression.Bitcast(Element.I64, shifted),
                new Expression.Bitcast(Element.I64, magic)));
        Expression half = let(binary(BinaryOperation.SHIFT_RIGHT, whole, whole(1)));
        Expression rest = let(subtract(whole, half));
        return let(multiply(multiply(power, powerOfTwo64(half)), powerOfTwo64(rest)));
    }

    private static Expression powerOfTwo64(Expression exponent) {
        return new Expression.Bitcast(Element.F64, shift(add(exponent, whole(1023)), 52));
    }

    /** ln x: 2 artanh((m - 1) / (m + 1)) on sqrt(1/2) ≤ m < sqrt(2), plus the exponent's share. */
    private Expression logarithm64(Expression x) {
        Expression bits = let(new Expression.Bitcast(Element.I64, x));
        // Offset so that the mantissa ends in [sqrt(1/2), sqrt(2)).
        Expression offset = let(subtract(bits, whole(0x3FE6A09E667F3BCDL)));
        Expression exponent = let(binary(BinaryOperation.SHIFT_RIGHT, offset, whole(52)));
        Expression mantissa = let(new Expression.Bitcast(
                Element.F64, subtract(bits, shift(exponent, 52))));
        Expression s = let(divide(
                subtract(mantissa, d(1)), add(mantissa, d(1))));
        Expression z = let(multiply(s, s));
        double[] coefficients = new double[12];
        for (int i = 0; i < 12; i++) {
            coefficients[11 - i] = 2.0 / (2 * i + 1);
        }
        Expression series = multiply(polynomial(z, coefficients), s);
        Expression share = convert(Element.F64, exponent);
        Expression value = let(fma(share, d(6.93147180369123816490e-01),
                fma(share, d(1.90821492927058770002e-10), series)));
        Expression infinity = d(Double.POSITIVE_INFINITY);
        Expression positive = select(compare(Comparison.EQUAL, x, infinity), infinity, value);
        Expression special = select(
                compare(Comparison.EQUAL, x, d(0)),
                d(Double.NEGATIVE_INFINITY),
                d(Double.NaN));
        return let(select(compare(Comparison.GREATER, x, d(0)), positive, special));
    }

    Expression logarithm(Expression x) {
        return in64(x, this::logarithm64);
    }

    Expression sine(Expression x) {
        return in64(x, wide -> circular(wide, 0));
    }

    Expression cosine(Expression x) {
        return in64(x, wide -> circular(wide, 1));
    }

    /**
     * sin(x + quarters · π/2). The argument is reduced by multiples of π/2, which stands in three
     * parts (W. J. Cody and W. Waite, Software Manual for the Elementary Functions, 1980); then
     * Taylor's series on |r| ≤ π/4.
     */
    private Expression circular(Expression x, long quarters) {
        Expression magic = d(6755399441055744.0);
        Expression shifted = let(fma(x, d(0.63661977236758134308), magic));
        Expression n = let(subtract(shifted, magic));
        Expression r = let(fma(n, d(-1.4973849048591833e-33),
                fma(n, d(-6.123233995736766e-17), fma(n, d(-1.5707963267948966), x))));
        Expression quadrant = let(binary(
                BinaryOperation.AND,
                add(subtract(
                        new Expression.Bitcast(Element.I64, shifted),
                        new Expression.Bitcast(Element.I64, magic)),
                        whole(quarters)),
                whole(3)));
        Expression z = let(multiply(r, r));
        Expression sine = let(multiply(r, polynomial(z,
                2.8114572543455206e-15, -7.647163731819816e-13, 1.6059043836821613e-10,
                -2.505210838544172e-8, 2.7557319223985893e-6, -1.984126984126984e-4,
                8.333333333333333e-3, -0.16666666666666666, 1)));
        Expression cosine = polynomial(z,
                4.779477332387385e-14, -1.1470745597729725e-11, 2.08767569878681e-9,
                -2.755731922398589e-7, 2.48015873015873e-5, -1.388888888888889e-3,
                0.041666666666666664, -0.5, 1);
        Expression odd = compare(
                Comparison.EQUAL,
                binary(BinaryOperation.AND, quadrant, whole(1)), whole(1));
        Expression magnitude = let(select(odd, cosine, sine));
        Expression negative = compare(Comparison.GREATER_EQUAL, quadrant, whole(2));
        return let(select(
                negative, new Expression.Unary(UnaryOperation.NEGATE, magnitude), magnitude));
    }

    Expression tangentHyperbolic(Expression x) {
        return in64(x, wide -> {
            // For |x| < 0.02 the quotient loses digits; three terms of the series do not.
            Expression z = let(multiply(wide, wide));
            Expression small = multiply(wide, polynomial(z,
                    2.0 / 15, -1.0 / 3, 1));
            Expression e = exponential64(multiply(wide, d(2)));
            Expression large = subtract(d(1), divide(d(2), add(e, d(1))));
            Expression magnitude = new Expression.Unary(UnaryOperation.ABSOLUTE, wide);
            return let(select(compare(Comparison.LESS, magnitude, d(0.02)), small, large));
        });
    }

    /** W. J. Cody, Rational Chebyshev approximations for the error function, 1969. */
    Expression errorFunction(Expression x) {
        return in64(x, wide -> {
            Expression y = let(new Expression.Unary(UnaryOperation.ABSOLUTE, wide));
            Expression z = let(multiply(y, y));
            Expression small = let(multiply(wide, divide(
                    polynomial(z,
                            1.85777706184603153e-1, 3.16112374387056560e0,
                            1.13864154151050156e2, 3.77485237685302021e2,
                            3.20937758913846947e3),
                    polynomial(z,
                            1, 2.36012909523441209e1, 2.44024637934444173e2,
                            1.28261652607737228e3, 2.84423683343917062e3))));
            Expression quotient = divide(
                    polynomial(y,
                            2.15311535474403846e-8, 5.64188496988670089e-1,
                            8.88314979438837594e0, 6.61191906371416295e1,
                            2.98635138197400131e2, 8.81952221241769090e2,
                            1.71204761263407058e3, 2.05107837782607147e3,
                            1.23033935479799725e3),
                    polynomial(y,
                            1, 1.57449261107098347e1, 1.17693950891312499e2,
                            5.37181101862009858e2, 1.62138957456669019e3,
                            3.29079923573345963e3, 4.36261909014324716e3,
                            3.43936767414372164e3, 1.23033935480374942e3));
            Expression decay = exponential64(new Expression.Unary(UnaryOperation.NEGATE, z));
            Expression tail = subtract(d(1), multiply(decay, quotient));
            Expression far = select(compare(Comparison.GREATER, y, d(6)), d(1), tail);
            Expression signed = let(select(
                    compare(Comparison.LESS, wide, d(0)),
                    new Expression.Unary(UnaryOperation.NEGATE, far),
                    far));
            return let(select(compare(Comparison.LESS_EQUAL, y, d(0.46875)), small, signed));
        });
    }

    /**
     * x^y as |x|^y with the sign that an odd whole exponent gives to what is negative, -0 included;
     * for other exponents NaN, where the magnitude is neither 0 nor infinite.
     */
    Expression power(Expression x, Expression y) {
        Expression base = let(convert(Element.F64, x));
        Expression exponent = let(convert(Element.F64, y));
        Expression magnitude = let(new Expression.Unary(UnaryOperation.ABSOLUTE, base));
        Expression value = exponential64(multiply(exponent, logarithm64(magnitude)));
        Expression floor = new Expression.Unary(UnaryOperation.FLOOR, exponent);
        Expression isWhole = compare(Comparison.EQUAL, floor, exponent);
        Expression halved = let(multiply(exponent, d(0.5)));
        Expression isEven = compare(
                Comparison.EQUAL, new Expression.Unary(UnaryOperation.FLOOR, halved), halved);
        Expression negated = new Expression.Unary(UnaryOperation.NEGATE, value);
        Expression hasValue = binary(BinaryOperation.OR,
                compare(Comparison.EQUAL, magnitude, d(0)),
                compare(Comparison.EQUAL, magnitude, d(Double.POSITIVE_INFINITY)));
        Expression ofNegative = select(isWhole, select(isEven, value, negated),
                select(hasValue, value, d(Double.NaN)));
        Expression signed = let(select(
                compare(Comparison.LESS, new Expression.Bitcast(Element.I64, base), whole(0)),
                ofNegative, value));
        Expression result = select(
                compare(Comparison.EQUAL, exponent, d(0)), d(1), signed);
        return let(convert(x.type().element(), result));
    }
}
