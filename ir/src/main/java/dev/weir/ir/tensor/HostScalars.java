package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.function.ToLongFunction;

/**
 * Evaluates expressions of whole numbers and truths that are about no index: instances, the bounds
 * of loops, what a host program counts.
 */
public final class HostScalars {
    private final ToLongFunction<Scalar.Load> loads;
    private final ToLongFunction<Size> sizes;

    public HostScalars(ToLongFunction<Scalar.Load> loads, ToLongFunction<Size> sizes) {
        this.loads = loads;
        this.sizes = sizes;
    }

    public long evaluate(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> w.value();
            case Scalar.Extent e -> sizes.applyAsLong(e.size());
            case Scalar.Load l -> loads.applyAsLong(l);
            case Scalar.Apply a -> apply(a);
            case Scalar.Convert c -> c.format() == Format.BOOL
                    ? (evaluate(c.operand()) != 0 ? 1 : 0)
                    : c.format() == Format.I32
                            ? (int) evaluate(c.operand())
                            : evaluate(c.operand());
            case Scalar.Within w -> within(w);
            case Scalar.Real r -> throw new IllegalStateException("a float on the host");
            case Scalar.Round r -> throw new IllegalStateException("a float on the host");
            case Scalar.Variable v -> throw new IllegalStateException("an index on the host");
        };
    }

    private long within(Scalar.Within within) {
        long index = evaluate(within.index());
        long extent = evaluate(within.extent());
        if (index < 0 || index >= extent) {
            throw Scalar.Within.fault(index, within.place(), extent);
        }
        return index;
    }

    private long apply(Scalar.Apply apply) {
        List<Scalar> operands = apply.operands();
        if (apply.operation() == Operation.SELECT) {
            return evaluate(operands.get(0)) != 0
                    ? evaluate(operands.get(1))
                    : evaluate(operands.get(2));
        }
        long x = evaluate(operands.get(0));
        if (apply.operation() == Operation.AND && x == 0) {
            return 0;
        }
        if (apply.operation() == Operation.OR && x != 0) {
            return 1;
        }
        long y = operands.size() > 1 ? evaluate(operands.get(1)) : 0;
        return switch (apply.operation()) {
            case ADD -> x + y;
            case SUBTRACT -> x - y;
            case MULTIPLY -> x * y;
            case DIVIDE -> Math.floorDiv(x, y);
            case REMAINDER -> Math.floorMod(x, y);
            case MINIMUM -> Math.min(x, y);
            case MAXIMUM -> Math.max(x, y);
            case NEGATE -> -x;
            case ABSOLUTE -> Math.abs(x);
            case EQUAL -> x == y ? 1 : 0;
            case NOT_EQUAL -> x != y ? 1 : 0;
            case LESS -> x < y ? 1 : 0;
            case LESS_EQUAL -> x <= y ? 1 : 0;
            case GREATER -> x > y ? 1 : 0;
            case GREATER_EQUAL -> x >= y ? 1 : 0;
            case AND, BIT_AND -> x & y;
            case OR, BIT_OR -> x | y;
            case NOT -> 1 - x;
            case BIT_XOR -> x ^ y;
            case SHIFT_LEFT -> x << y;
            case SHIFT_RIGHT -> x >> y;
            case POWER, FLOOR, SQUARE_ROOT, RECIPROCAL_SQUARE_ROOT, EXPONENTIAL, LOGARITHM, SINE,
                    COSINE, TANGENT_HYPERBOLIC, ERROR_FUNCTION, SIGMOID, SELECT ->
                    throw new IllegalStateException(apply.operation().word() + " on the host");
        };
    }
}
