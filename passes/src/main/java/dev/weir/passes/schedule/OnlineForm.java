package dev.weir.passes.schedule;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.Set;

/** Recognises expressions that scale by {@code exp(-d)} when a maximum grows by d. */
final class OnlineForm {
    private OnlineForm() {}

    /** {@code exp(a - m)}, or that under a condition and else 0; a and the condition without m. */
    static boolean isExponential(Scalar scalar, Value maximum) {
        if (!(scalar instanceof Scalar.Apply apply)) {
            return false;
        }
        if (apply.operation() == Operation.SELECT) {
            return !reads(apply.operands().get(0), maximum)
                    && isExponential(apply.operands().get(1), maximum)
                    && isZero(apply.operands().get(2));
        }
        return apply.operation() == Operation.EXPONENTIAL
                && apply.operands().getFirst() instanceof Scalar.Apply difference
                && difference.operation() == Operation.SUBTRACT
                && !reads(difference.operands().get(0), maximum)
                && difference.operands().get(1) instanceof Scalar.Load load
                && load.source().equals(maximum);
    }

    private static boolean isZero(Scalar scalar) {
        return scalar instanceof Scalar.Real real && real.value() == 0;
    }

    private static boolean reads(Scalar scalar, Value value) {
        boolean[] found = {false};
        Walk.loads(scalar, load -> found[0] |= load.source().equals(value));
        return found[0];
    }

    /** Whether exactly one factor of a product is one of the values that scale. */
    static boolean isProportional(Scalar scalar, Set<Value> relative) {
        if (scalar instanceof Scalar.Load load) {
            return relative.contains(load.source());
        }
        if (scalar instanceof Scalar.Apply apply && apply.operation() == Operation.MULTIPLY) {
            Scalar left = apply.operands().get(0);
            Scalar right = apply.operands().get(1);
            return isProportional(left, relative) && isFree(right, relative)
                    || isProportional(right, relative) && isFree(left, relative);
        }
        return scalar instanceof Scalar.Apply quotient
                && quotient.operation() == Operation.DIVIDE
                && isProportional(quotient.operands().get(0), relative)
                && isFree(quotient.operands().get(1), relative);
    }

    private static boolean isFree(Scalar scalar, Set<Value> relative) {
        boolean[] free = {true};
        Walk.loads(scalar, load -> free[0] &= !relative.contains(load.source()));
        return free[0];
    }
}
