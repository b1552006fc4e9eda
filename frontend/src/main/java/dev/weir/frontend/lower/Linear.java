package dev.weir.frontend.lower;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Size;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * An integer expression as a constant and factors of parts: indices, run-time sizes, and whatever
 * else is not a sum. What does not fit into 64 bits is an {@link ArithmeticException}: a run would
 * wrap around, and nothing could be concluded.
 */
record Linear(long constant, Map<Scalar, Long> factors) {

    static Linear of(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> constant(w.value());
            case Scalar.Extent e -> of(e.size());
            case Scalar.Apply a when a.operation() == Operation.ADD ->
                    of(a.operands().get(0)).plus(of(a.operands().get(1)), 1);
            case Scalar.Apply a when a.operation() == Operation.SUBTRACT ->
                    of(a.operands().get(0)).plus(of(a.operands().get(1)), -1);
            case Scalar.Apply a when a.operation() == Operation.NEGATE ->
                    constant(0).plus(of(a.operands().getFirst()), -1);
            case Scalar.Apply a when a.operation() == Operation.MULTIPLY -> {
                Linear left = of(a.operands().get(0));
                Linear right = of(a.operands().get(1));
                yield left.factors.isEmpty() ? right.times(left.constant)
                        : right.factors.isEmpty() ? left.times(right.constant) : atom(scalar);
            }
            default -> atom(scalar);
        };
    }

    static Linear of(Size size) {
        return switch (size) {
            case Size.Constant c -> constant(c.value());
            case Size.Symbol s -> atom(new Scalar.Extent(s));
            case Size.Sum s -> of(s.left()).plus(of(s.right()), 1);
            case Size.Product p -> {
                Linear left = of(p.left());
                Linear right = of(p.right());
                yield left.factors.isEmpty() ? right.times(left.constant)
                        : right.factors.isEmpty() ? left.times(right.constant)
                        : atom(new Scalar.Extent(size));
            }
            case Size.Quotient q -> atom(new Scalar.Extent(size));
        };
    }

    static Linear constant(long value) {
        return new Linear(value, Map.of());
    }

    private static Linear atom(Scalar scalar) {
        return new Linear(0, Map.of(scalar, 1L));
    }

    /** Rounded down; empty where the factors are no multiples. */
    Optional<Linear> dividedBy(long divisor) {
        Map<Scalar, Long> quotients = new LinkedHashMap<>();
        for (var entry : factors.entrySet()) {
            if (entry.getValue() % divisor != 0) {
                return Optional.empty();
            }
            quotients.put(entry.getKey(), entry.getValue() / divisor);
        }
        return Optional.of(new Linear(Math.floorDiv(constant, divisor), quotients));
    }

    Linear plus(Linear other, long factor) {
        Map<Scalar, Long> sum = new LinkedHashMap<>(factors);
        other.factors.forEach((k, v) ->
                sum.merge(k, Math.multiplyExact(factor, v), Math::addExact));
        sum.values().removeIf(v -> v == 0);
        return new Linear(Math.addExact(
                constant, Math.multiplyExact(factor, other.constant)), sum);
    }

    Linear plus(long value) {
        return new Linear(Math.addExact(constant, value), factors);
    }

    Linear times(long factor) {
        return constant(0).plus(this, factor);
    }

    Linear without(Scalar part) {
        Map<Scalar, Long> rest = new LinkedHashMap<>(factors);
        rest.remove(part);
        return new Linear(constant, rest);
    }
}
