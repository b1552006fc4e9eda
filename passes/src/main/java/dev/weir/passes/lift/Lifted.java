package dev.weir.passes.lift;

import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import java.util.List;
import java.util.function.UnaryOperator;

/** Where the elements of a value of an unlifted function are found in the lifted program. */
sealed interface Lifted {

    /** The same at every row. */
    record Uniform(Value value) implements Lifted {}

    /** {@code value[row of frame, own axes…]}. */
    record Rows(Value value, Frame frame) implements Lifted {}

    /**
     * {@code value[row of holder, own axes without the one at axis…]}: own axis {@code axis} is a
     * stream, whose elements are the rows of {@code frame}, which lies in {@code holder}. The two
     * differ inside a gate: the entrants' rows are found among all rows, without a copy.
     */
    record Stream(Value value, Frame holder, Frame frame, int axis) implements Lifted {
        Stream(Value value, Frame frame, int axis) {
            this(value, frame, frame, axis);
        }
    }

    /** A growing state: {@code state.value[instances…, sequence, own axes…]}. */
    record Stored(State state, List<Scalar> instances, Frame sequences) implements Lifted {}

    /** A scalar computed from the row. */
    record Formula(Frame frame, UnaryOperator<Scalar> ofRow) implements Lifted {}

    /**
     * An argument of a call that is lifted along an axis of constant size: what {@code outer} has
     * at {@code place(row)} along its first axis.
     */
    record Part(Lifted outer, Frame frame, UnaryOperator<Scalar> place) implements Lifted {}
}
