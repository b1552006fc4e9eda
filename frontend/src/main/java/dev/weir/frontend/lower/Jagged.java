package dev.weir.frontend.lower;

import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How many elements of an axis are in use, for each element of outer axes: the tokens of each
 * sequence, the edges of each node. What lies behind them is never read.
 *
 * @param length of the axis, over indices that stand for places of outer axes
 * @param axes which axis of the tensor each index stands for
 */
record Jagged(Scalar length, Map<Index, Integer> axes) {
    Jagged {
        axes = Map.copyOf(axes);
    }

    /** The length at a place, of which the coordinates before this axis are needed. */
    Scalar at(List<Scalar> coordinates) {
        Map<Index, Scalar> by = new HashMap<>();
        axes.forEach((index, axis) -> by.put(index, coordinates.get(axis)));
        return Scalars.substitute(length, by);
    }

    /** The length where the first axes of the tensor are fixed at some places. */
    Jagged behind(List<Scalar> fixed) {
        Map<Index, Scalar> by = new HashMap<>();
        Map<Index, Integer> left = new HashMap<>();
        axes.forEach((index, axis) -> {
            if (axis < fixed.size()) {
                by.put(index, fixed.get(axis));
            } else {
                left.put(index, axis - fixed.size());
            }
        });
        return new Jagged(Scalars.substitute(length, by), left);
    }
}
