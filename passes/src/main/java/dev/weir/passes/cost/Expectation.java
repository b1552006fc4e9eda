package dev.weir.passes.cost;

import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Size;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Function;

/**
 * Evaluates sizes and expressions of the host by what is expected of them: half an element is
 * possible, and a truth is a probability. Empty where nothing is known.
 */
final class Expectation {
    private final Map<String, Double> sizes = new HashMap<>();
    private final Function<Scalar.Load, OptionalDouble> loads;

    /**
     * @param loads what is expected of an element of a tensor, or of a host variable
     */
    Expectation(Function<Scalar.Load, OptionalDouble> loads) {
        this.loads = loads;
    }

    void set(String size, double value) {
        sizes.put(size, value);
    }

    OptionalDouble of(Size size) {
        return switch (size) {
            case Size.Constant c -> OptionalDouble.of(c.value());
            case Size.Symbol s -> sizes.containsKey(s.name())
                    ? OptionalDouble.of(sizes.get(s.name())) : OptionalDouble.empty();
            case Size.Sum s -> both(of(s.left()), of(s.right()), Double::sum);
            case Size.Product p -> both(of(p.left()), of(p.right()), (a, b) -> a * b);
            case Size.Quotient q -> both(of(q.left()), of(q.right()), Expectation::quotient);
        };
    }

    private interface Combination {
        double of(double left, double right);
    }

    private static OptionalDouble both(
            OptionalDouble left, OptionalDouble right, Combination combination) {
        return left.isEmpty() || right.isEmpty()
                ? OptionalDouble.empty()
                : OptionalDouble.of(combination.of(left.getAsDouble(), right.getAsDouble()));
    }

    /** Of whole numbers rounded down, as at run time; what is a fraction stays one. */
    private static double quotient(double left, double right) {
        return left == Math.rint(left) ? Math.floor(left / right) : left / right;
    }

    OptionalDouble of(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> OptionalDouble.of(w.value());
            case Scalar.Extent e -> of(e.size());
            case Scalar.Load l -> loads.apply(l);
            case Scalar.Convert c -> of(c.operand());
            case Scalar.Within w -> of(w.index());
            case Scalar.Apply a -> apply(a);
            case Scalar.Real r -> OptionalDouble.of(r.value());
            case Scalar.Round r -> of(r.operand());
            case Scalar.Variable v -> OptionalDouble.empty();
        };
    }

    private OptionalDouble apply(Scalar.Apply apply) {
        List<Scalar> operands = apply.operands();
        OptionalDouble x = of(operands.getFirst());
        OptionalDouble y = operands.size() > 1 ? of(operands.get(1)) : x;
        return switch (apply.operation()) {
            case ADD -> both(x, y, Double::sum);
            case SUBTRACT -> both(x, y, (a, b) -> a - b);
            case MULTIPLY, AND -> both(x, y, (a, b) -> a * b);
            case DIVIDE -> both(x, y, Expectation::quotient);
            case REMAINDER -> both(x, y, (a, b) -> a - Math.floor(a / b) * b);
            case MINIMUM -> both(x, y, Math::min);
            case MAXIMUM -> both(x, y, Math::max);
            case OR -> both(x, y, (a, b) -> a + b - a * b);
            case NOT -> both(x, x, (a, b) -> 1 - a);
            case NEGATE -> both(x, x, (a, b) -> -a);
            case EQUAL -> both(x, y, (a, b) -> a == b ? 1 : 0);
            case NOT_EQUAL -> both(x, y, (a, b) -> a != b ? 1 : 0);
            case LESS -> both(x, y, (a, b) -> clamped(b - a));
            case LESS_EQUAL -> both(x, y, (a, b) -> clamped(b - a + 1));
            case GREATER -> both(x, y, (a, b) -> clamped(a - b));
            case GREATER_EQUAL -> both(x, y, (a, b) -> clamped(a - b + 1));
            case SELECT -> selected(operands);
            default -> OptionalDouble.empty();
        };
    }

    /** Of whole numbers a comparison is exact; of half an element it is half a truth. */
    private static double clamped(double difference) {
        return Math.max(0, Math.min(1, difference));
    }

    private OptionalDouble selected(List<Scalar> operands) {
        OptionalDouble condition = of(operands.getFirst());
        if (condition.isEmpty()) {
            return OptionalDouble.empty();
        }
        double share = condition.getAsDouble();
        if (share == 0 || share == 1) {
            return of(operands.get(share == 1 ? 1 : 2));
        }
        return both(of(operands.get(1)), of(operands.get(2)),
                (a, b) -> share * a + (1 - share) * b);
    }
}
