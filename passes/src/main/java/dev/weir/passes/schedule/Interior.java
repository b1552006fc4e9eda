package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongBinaryOperator;

/**
 * Where all that is read with a guard lies inside of what it is read from: the pixels of an image
 * that are farther from its border than a filter reaches. There one question replaces one for each
 * term.
 *
 * <p>Coordinates are followed that are sums of indices, sizes and constants, with constant factors:
 * over a range of indices each lies between two such sums.
 */
final class Interior {
    /** Indices and sizes are smaller. */
    private static final double SMALL = 0x1p40;
    /** Sums that cannot leave this range do not wrap; others are not followed. */
    private static final double LARGEST = 0x1p62;

    private final ScalarEmitter emitter;
    /** What has to be inside: between these two, and below the size. */
    private final List<Guarded> guarded = new ArrayList<>();
    private final Map<Index, Ends> ranges = new HashMap<>();

    /** A coordinate and the size of the axis that it has to stay in. */
    private record Guarded(Scalar coordinate, Size size) {}

    /** The smallest and the largest number that an index or a sum of them takes. */
    private record Ends(Scalar low, Scalar high) {}

    private Interior(ScalarEmitter emitter) {
        this.emitter = emitter;
    }

    /**
     * The question, if there is one that can be asked of all that the expressions read.
     *
     * @param read the expressions
     * @param points the axes of which one point is asked for
     * @param reduced the axes along which all is asked for
     */
    static Optional<Interior> of(
            ScalarEmitter emitter, List<Scalar> read, List<Axis> points, List<Axis> reduced) {
        Interior interior = new Interior(emitter);
        boolean isConstant = reduced.stream().allMatch(a ->
                a.lower() instanceof Scalar.Whole && a.upper() instanceof Scalar.Whole);
        if (!isConstant) {
            return Optional.empty();
        }
        reduced.forEach(a -> interior.ranges.put(a.index(), new Ends(a.lower(),
                Scalar.whole(((Scalar.Whole) a.upper()).value() - 1))));
        List<Axis> axes = new ArrayList<>(points);
        axes.addAll(reduced);
        boolean[] isFollowed = {true};
        read.forEach(s -> Walk.loads(s, load -> isFollowed[0] &= interior.accept(load, axes)));
        return isFollowed[0] && !interior.guarded.isEmpty()
                ? Optional.of(interior) : Optional.empty();
    }

    private boolean accept(Scalar.Load load, List<Axis> axes) {
        if (load.bounds() != Scalar.Bounds.GUARDED) {
            return true;
        }
        if (emitter.facts().state(load.source()).isPresent()) {
            // Of a state the slots in use are asked for too.
            return false;
        }
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            Scalar coordinate = load.coordinates().get(axis);
            Size size = load.source().type().shape().get(axis);
            boolean isWhole = axes.stream().anyMatch(a ->
                    Scalar.variable(a.index()).equals(coordinate) && a.covers(size));
            if (isWhole) {
                continue;
            }
            if (ends(coordinate, ranges).isEmpty() || magnitude(coordinate) > LARGEST) {
                return false;
            }
            guarded.add(new Guarded(coordinate, size));
        }
        return true;
    }

    /**
     * Whether all is inside, from the present point on for some neighbours.
     *
     * @param along the axis of neighbours, as each expression names it
     * @param neighbours how many points, the present one included
     */
    Expression holds(List<Axis> along, long neighbours) {
        Map<Index, Ends> all = new HashMap<>(ranges);
        for (Axis axis : along) {
            Scalar first = Scalar.variable(axis.index());
            all.put(axis.index(), new Ends(first, plus(first, Scalar.whole(neighbours - 1))));
        }
        return holds(all);
    }

    /** Whether all is inside at the present point. */
    Expression holds() {
        return holds(ranges);
    }

    private Expression holds(Map<Index, Ends> all) {
        Expression result = Build.truth(true);
        for (Guarded one : guarded.stream().distinct().toList()) {
            Ends ends = ends(one.coordinate, all).orElseThrow();
            Expression low = emitter.emit(ends.low);
            Expression high = emitter.emit(ends.high);
            result = and(result, and(
                    Build.compare(Expression.Comparison.GREATER_EQUAL, low, Build.whole(0)),
                    Build.less(high, emitter.extent(one.size))));
        }
        return emitter.writer().let(result);
    }

    private static Expression and(Expression left, Expression right) {
        return left.equals(Build.truth(true)) ? right : Build.and(left, right);
    }

    // ------------------------------------------------------------------ sums and their ends

    private static double magnitude(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole whole -> Math.abs((double) whole.value());
            case Scalar.Apply apply when apply.operation() == Operation.MULTIPLY ->
                    magnitude(apply.operands().getFirst())
                            * magnitude(apply.operands().getLast());
            case Scalar.Apply apply ->
                    apply.operands().stream().mapToDouble(Interior::magnitude).sum();
            default -> SMALL;
        };
    }

    private static Optional<Ends> ends(Scalar scalar, Map<Index, Ends> ranges) {
        return switch (scalar) {
            case Scalar.Whole whole -> Optional.of(new Ends(whole, whole));
            case Scalar.Extent extent -> Optional.of(new Ends(extent, extent));
            case Scalar.Variable variable -> Optional.of(
                    ranges.getOrDefault(variable.index(), new Ends(variable, variable)));
            case Scalar.Apply apply when apply.operands().size() == 2 -> {
                Optional<Ends> left = ends(apply.operands().getFirst(), ranges);
                Optional<Ends> right = ends(apply.operands().getLast(), ranges);
                yield left.isPresent() && right.isPresent()
                        ? ends(apply, left.get(), right.get()) : Optional.empty();
            }
            default -> Optional.empty();
        };
    }

    private static Optional<Ends> ends(Scalar.Apply apply, Ends left, Ends right) {
        return switch (apply.operation()) {
            case ADD -> Optional.of(
                    new Ends(plus(left.low, right.low), plus(left.high, right.high)));
            case SUBTRACT -> Optional.of(
                    new Ends(minus(left.low, right.high), minus(left.high, right.low)));
            case MULTIPLY -> isFactor(left) ? Optional.of(new Ends(
                            times(left.low, right.low), times(left.low, right.high)))
                    : isFactor(right) ? Optional.of(new Ends(
                            times(left.low, right.low), times(left.high, right.low)))
                    : Optional.empty();
            default -> Optional.empty();
        };
    }

    private static boolean isFactor(Ends ends) {
        return ends.low instanceof Scalar.Whole whole && whole.value() >= 0
                && ends.low.equals(ends.high);
    }

    private static Scalar plus(Scalar left, Scalar right) {
        return constant(left, right, (a, b) -> a + b)
                .orElseGet(() -> Scalar.apply(Operation.ADD, left, right));
    }

    private static Scalar minus(Scalar left, Scalar right) {
        return constant(left, right, (a, b) -> a - b)
                .orElseGet(() -> Scalar.apply(Operation.SUBTRACT, left, right));
    }

    private static Scalar times(Scalar left, Scalar right) {
        return constant(left, right, (a, b) -> a * b)
                .orElseGet(() -> Scalar.apply(Operation.MULTIPLY, left, right));
    }

    private static Optional<Scalar> constant(
            Scalar left, Scalar right, LongBinaryOperator operator) {
        return left instanceof Scalar.Whole a && right instanceof Scalar.Whole b
                ? Optional.of(Scalar.whole(operator.applyAsLong(a.value(), b.value())))
                : Optional.empty();
    }
}
