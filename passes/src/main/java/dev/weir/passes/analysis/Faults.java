package dev.weir.passes.analysis;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;

/** Which computes may stop the program, and so must not run unless the program as written does. */
public final class Faults {
    private Faults() {}

    /** Whether a compute checks an index, divides integers, or asks for the largest of none. */
    public static boolean possible(Node.Compute compute) {
        return compute.reduction().stream().anyMatch(
                        r -> r.kind() == Reduction.Kind.ARGUMENT_MAXIMUM)
                || Walk.scalars(compute).stream().anyMatch(Faults::possible);
    }

    private static boolean possible(Scalar scalar) {
        boolean own = switch (scalar) {
            case Scalar.Load load -> load.bounds() == Scalar.Bounds.CHECKED;
            case Scalar.Within within -> true;
            case Scalar.Apply apply -> (apply.operation() == Operation.DIVIDE
                            || apply.operation() == Operation.REMAINDER)
                    && !apply.format().isFloat()
                    && !isNonZero(apply.operands().get(1));
            default -> false;
        };
        return own || Walk.operands(scalar).stream().anyMatch(Faults::possible);
    }

    private static boolean isNonZero(Scalar scalar) {
        return scalar instanceof Scalar.Whole whole && whole.value() != 0;
    }
}
