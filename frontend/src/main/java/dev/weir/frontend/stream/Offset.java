package dev.weir.frontend.stream;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A coordinate as a multiple of the place of the present element plus something between two
 * constants: {@code t - 2 * u} for u in 0..3 is once t, plus -4 to 0.
 *
 * @param times how often the place goes in
 * @param least the smallest that is added
 * @param most the largest that is added
 */
record Offset(long times, long least, long most) {

    /**
     * @param own the place of the present element
     * @param ranges constant ranges of other indices, both ends included
     */
    static Optional<Offset> of(Scalar scalar, Scalar own, Map<Index, Offset> ranges) {
        if (scalar.equals(own)) {
            return Optional.of(new Offset(1, 0, 0));
        }
        try {
            return switch (scalar) {
                case Scalar.Whole w -> Optional.of(new Offset(0, w.value(), w.value()));
                case Scalar.Variable v -> Optional.ofNullable(ranges.get(v.index()));
                case Scalar.Apply a -> apply(a, own, ranges);
                default -> Optional.empty();
            };
        } catch (ArithmeticException overflow) {
            return Optional.empty();
        }
    }

    private static Optional<Offset> apply(
            Scalar.Apply apply, Scalar own, Map<Index, Offset> ranges) {
        List<Optional<Offset>> parts = apply.operands().stream()
                .map(o -> of(o, own, ranges)).toList();
        if (parts.stream().anyMatch(Optional::isEmpty)) {
            return Optional.empty();
        }
        Offset first = parts.getFirst().orElseThrow();
        Offset last = parts.getLast().orElseThrow();
        return switch (apply.operation()) {
            case ADD -> Optional.of(first.plus(last));
            case SUBTRACT -> Optional.of(first.plus(last.times(-1)));
            case NEGATE -> Optional.of(first.times(-1));
            case MULTIPLY -> last.isConstant() ? Optional.of(first.times(last.least))
                    : first.isConstant() ? Optional.of(last.times(first.least))
                    : Optional.empty();
            default -> Optional.empty();
        };
    }

    /** The constant ranges among these axes. */
    static Map<Index, Offset> ranges(List<Axis> axes) {
        Map<Index, Offset> ranges = new HashMap<>();
        for (Axis axis : axes) {
            if (axis.lower() instanceof Scalar.Whole from && axis.upper() instanceof Scalar.Whole to
                    && from.value() < to.value()) {
                ranges.put(axis.index(), new Offset(0, from.value(), to.value() - 1));
            }
        }
        return ranges;
    }

    private boolean isConstant() {
        return times == 0 && least == most;
    }

    private Offset plus(Offset other) {
        return new Offset(Math.addExact(times, other.times), Math.addExact(least, other.least),
                Math.addExact(most, other.most));
    }

    private Offset times(long factor) {
        long low = Math.multiplyExact(least, factor);
        long high = Math.multiplyExact(most, factor);
        return new Offset(Math.multiplyExact(times, factor), Math.min(low, high),
                Math.max(low, high));
    }
}
