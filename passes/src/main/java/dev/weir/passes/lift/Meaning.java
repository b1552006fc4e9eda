package dev.weir.passes.lift;

import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.List;

/** What a size symbol of an unlifted function stands for in the lifted program. */
sealed interface Meaning {

    /** A size of the lifted program, the same everywhere. */
    record Fixed(Size size) implements Meaning {}

    /** The rows that a sequence has in a frame: ragged over the sequences. */
    record Stream(Frame frame) implements Meaning {}

    /**
     * A number that each row of a frame has.
     *
     * @param numbers {@code i64[rows]}
     */
    record Counted(Value numbers, Frame frame) implements Meaning {}

    /** The slots in use of a growing state: ragged over the sequences. */
    record Slots(State state, List<Scalar> instances) implements Meaning {}
}
