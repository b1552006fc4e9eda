package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import java.util.List;

/** Where a kernel keeps a value that it computes itself. */
sealed interface Local {

    /** In a variable: one element, or the lanes of the present vector. */
    record InVariable(Expression value) implements Local {}

    /**
     * In scratch memory.
     *
     * @param prefix how many leading axes are the kernel's own indices, and take no room
     * @param extents the constant extents of the other axes; the present tile of an axis whose
     *     extent is known at run time only
     * @param streamed which of the axes behind the prefix is tiled, or -1
     * @param tileStart where the present tile begins on that axis
     * @param point which of the points is the present one, if several have room
     */
    record InScratch(
            Buffer buffer, int prefix, List<Long> extents, int streamed, Expression tileStart,
            Expression point)
            implements Local {}

    /**
     * In memory that the kernel changes.
     *
     * @param leading stands for the first coordinate: where the present row is there
     */
    record InPlace(Value memory, List<Expression> leading) implements Local {
        public InPlace {
            leading = List.copyOf(leading);
        }
    }

    /** Not kept: the reduction is computed where it is asked for. */
    record Inline(Node.Compute compute, List<Scalar> coordinates) implements Local {}
}
