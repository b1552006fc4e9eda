package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;

/**
 * The range of an index: {@code lower <= index < upper}. The bounds may depend on indices that
 * stand before it in the same node, so that a ragged axis is a range like any other:
 * {@code s in 0..length[segment[p]]}.
 */
public record Axis(Index index, Scalar lower, Scalar upper) {

    /** The whole of an axis of this size. */
    public static Axis over(Index index, Size size) {
        return new Axis(index, Scalar.whole(0), Scalar.extent(size));
    }

    /** Whether the range is the whole of an axis of this size. */
    public boolean covers(Size size) {
        return equals(over(index, size));
    }

    /** Whether the range is 0..n for a constant n or a symbol, the same at every point. */
    public boolean isRectangular() {
        return lower.equals(Scalar.whole(0))
                && (upper instanceof Scalar.Extent
                        || upper instanceof Scalar.Whole);
    }
}
