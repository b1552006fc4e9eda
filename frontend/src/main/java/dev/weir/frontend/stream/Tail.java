package dev.weir.frontend.stream;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;

/**
 * The last elements of a value along the stream, which have to be remembered from step to step.
 *
 * @param value of which earlier elements are read
 * @param axis its stream axis
 * @param stream that axis's size
 * @param length how far back it is read
 * @param isZero whether before the beginning of the stream 0 is read everywhere
 * @param span an equation that reads it
 */
record Tail(Value value, int axis, Size stream, long length, boolean isZero, Span span) {

    /** What serves both. */
    Tail with(Tail other) {
        return new Tail(value, axis, stream, Math.max(length, other.length),
                isZero && other.isZero, span);
    }

    /** Whether an expression is the constant 0 that memory holds to begin with. */
    static boolean isZero(Scalar otherwise) {
        return switch (otherwise) {
            case Scalar.Real r -> Double.doubleToRawLongBits(r.value()) == 0;
            case Scalar.Whole w -> w.value() == 0;
            case Scalar.Convert c -> isZero(c.operand());
            default -> false;
        };
    }
}
