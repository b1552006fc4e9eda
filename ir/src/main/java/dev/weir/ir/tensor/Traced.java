package dev.weir.ir.tensor;

import java.util.Optional;

/**
 * A value that a run shows, under its path.
 *
 * @param moment the same for all rows that run through the same code: what they show in one moment
 *     belongs together
 * @param chosen whether it is inside a block that was chosen at run time, where it is one of many
 *     and in no order that other ways of running have
 * @param value all of it
 * @param rowAxis the axis of the value that counts rows; without one the value is one row
 */
public record Traced(
        String path, Moment moment, boolean chosen, TensorData value, Optional<Integer> rowAxis) {

    /** The value as {@code [rows, own axes…]}. */
    public TensorData rows() {
        return rowAxis.map(value::axisFirst).orElseGet(value::asRow);
    }
}
