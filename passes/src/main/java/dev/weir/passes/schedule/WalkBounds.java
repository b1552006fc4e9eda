package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The places that a walk goes over.
 *
 * @param exact whether all of them take part
 */
record WalkBounds(Expression lower, Expression upper, boolean exact) {
    /** Numbers up to it, and divisors below {@link #DIVISOR}, have products that do not wrap. */
    private static final double LARGEST = 0x1p40;

    private static final long DIVISOR = 1L << 20;
    /** Indices and sizes are smaller. */
    private static final double INDEX = 0x1p31;

    /** Narrowed by the parts of a condition that compare the index with something else. */
    static WalkBounds of(
            Scalar condition,
            Index index,
            ScalarEmitter emitter,
            Expression lower,
            Expression upper) {
        if (!Walk.mentions(condition, List.of(index))
                && Vectors.harmless(condition, emitter.facts())) {
            // All places or none.
            return new WalkBounds(lower, emitter.writer().let(
                    select(emitter.emit(condition), upper, lower)), true);
        }
        if (!(condition instanceof Scalar.Apply apply)) {
            return new WalkBounds(lower, upper, false);
        }
        Scalar left = apply.operands().get(0);
        Scalar right = apply.operands().size() > 1 ? apply.operands().get(1) : left;
        return switch (apply.operation()) {
            case AND -> of(left, index, emitter, lower, upper).and(right, index, emitter);
            case EQUAL -> of(Scalar.apply(Operation.LESS_EQUAL, left, right), index, emitter,
                    lower, upper)
                    .and(Scalar.apply(Operation.LESS_EQUAL, right, left), index, emitter);
            case GREATER_EQUAL, GREATER -> of(
                    Scalar.apply(apply.operation() == Operation.GREATER
                            ? Operation.LESS : Operation.LESS_EQUAL, right, left),
                    index, emitter, lower, upper);
            case LESS, LESS_EQUAL -> {
                long over = apply.operation() == Operation.LESS ? 0 : 1;
                if (left instanceof Scalar.Apply size
                        && size.operation() == Operation.ABSOLUTE
                        && size.format() == Format.I64) {
                    Scalar inner = size.operands().getFirst();
                    Scalar negated = Scalar.apply(Operation.SUBTRACT, Scalar.whole(0), inner);
                    yield below(inner, right, over, index, emitter, lower, upper).and(
                            Scalar.apply(apply.operation(), negated, right), index, emitter);
                }
                yield undivided(left, right, over, index, emitter)
                        .map(c -> of(c, index, emitter, lower, upper))
                        .orElseGet(() -> below(
                                left, right, over, index, emitter, lower, upper));
            }
            default -> new WalkBounds(lower, upper, false);
        };
    }

    /** Narrowed by another condition as well. */
    private WalkBounds and(Scalar condition, Index index, ScalarEmitter emitter) {
        WalkBounds both = of(condition, index, emitter, lower, upper);
        return new WalkBounds(both.lower, both.upper, exact && both.exact);
    }

    /**
     * {@code left < right + over} without the division by a number that the index stands in, if
     * there is one: {@code s / n < a} is {@code s < a * n}, as divisions round down. What it is
     * compared with is made of indices and sizes, so that no product of it wraps.
     */
    private static Optional<Scalar> undivided(
            Scalar left, Scalar right, long over, Index index, ScalarEmitter emitter) {
        return divided(left, right, index, emitter)
                .map(d -> Scalar.apply(Operation.LESS, d.operands().getFirst(),
                        times(Scalar.apply(Operation.ADD, right, Scalar.whole(over)), d)))
                .or(() -> divided(right, left, index, emitter)
                        .map(d -> Scalar.apply(Operation.LESS_EQUAL,
                                times(Scalar.apply(Operation.ADD, left, Scalar.whole(1 - over)), d),
                                d.operands().getFirst())));
    }

    private static Scalar times(Scalar factor, Scalar.Apply division) {
        return Scalar.apply(Operation.MULTIPLY, factor, division.operands().getLast());
    }

    /** A side that divides what the index stands in, if the other side is small and without it. */
    private static Optional<Scalar.Apply> divided(
            Scalar side, Scalar other, Index index, ScalarEmitter emitter) {
        return side instanceof Scalar.Apply apply
                        && apply.operation() == Operation.DIVIDE
                        && apply.format() == Format.I64
                        && Walk.mentions(apply.operands().getFirst(), List.of(index))
                        && apply.operands().getLast() instanceof Scalar.Whole divisor
                        && divisor.value() > 0 && divisor.value() < DIVISOR
                        && isSmall(apply.operands().getFirst(), emitter)
                        && isSmall(other, emitter) && !Walk.mentions(other, List.of(index))
                ? Optional.of(apply) : Optional.empty();
    }

    /** Whether a number is made of indices, sizes, and the places where sequences begin. */
    private static boolean isSmall(Scalar scalar, ScalarEmitter emitter) {
        return Vectors.harmless(scalar, emitter.facts()) && magnitude(scalar, emitter) <= LARGEST;
    }

    /** What a number's absolute value cannot exceed; infinite if data says it. */
    private static double magnitude(Scalar scalar, ScalarEmitter emitter) {
        return switch (scalar) {
            case Scalar.Variable variable -> INDEX;
            case Scalar.Extent extent -> INDEX;
            case Scalar.Whole whole -> Math.abs((double) whole.value());
            case Scalar.Load load -> emitter.facts().program().frames()
                    .filter(f -> f.offsets().equals(load.source()))
                    .map(f -> INDEX).orElse(Double.POSITIVE_INFINITY);
            case Scalar.Apply apply when apply.format() == Format.I64 -> {
                double left = magnitude(apply.operands().getFirst(), emitter);
                double right = magnitude(apply.operands().getLast(), emitter);
                yield switch (apply.operation()) {
                    case ADD, SUBTRACT -> left + right;
                    case MULTIPLY -> left * right;
                    case MINIMUM, MAXIMUM -> Math.max(left, right);
                    case DIVIDE, NEGATE, ABSOLUTE -> left;
                    case REMAINDER -> right;
                    default -> Double.POSITIVE_INFINITY;
                };
            }
            default -> Double.POSITIVE_INFINITY;
        };
    }

    /** By {@code left - right < over}, if the index stands in it once, as it is or negated. */
    private static WalkBounds below(
            Scalar left,
            Scalar right,
            long over,
            Index index,
            ScalarEmitter emitter,
            Expression lower,
            Expression upper) {
        Scalar difference = Scalar.apply(Operation.SUBTRACT, left, right);
        if (left.format() != Format.I64 || !Vectors.harmless(difference, emitter.facts())) {
            return new WalkBounds(lower, upper, false);
        }
        Optional<Boolean> isPositive = sign(difference, index);
        if (isPositive.isEmpty()) {
            return new WalkBounds(lower, upper, false);
        }
        KernelWriter writer = emitter.writer();
        Expression rest = writer.let(emitter.emit(Substitution.apply(
                difference, Map.of(index, Scalar.whole(0)))));
        List<Scalar> data = new ArrayList<>();
        besides(difference, index, data);
        data.removeIf(d -> isSmall(d, emitter));
        // s + rest < over, or rest - s < over, as long as nothing wraps.
        Expression doesNotWrap = data.stream().map(d -> writer.let(emitter.emit(d)))
                .map(d -> Build.and(
                        Build.less(whole(-(long) LARGEST), d),
                        Build.less(d, whole((long) LARGEST))))
                .reduce(Build.truth(true), Build::and);
        Expression narrowed = writer.let(isPositive.get()
                ? binary(BinaryOperation.MINIMUM, upper, writer.let(subtract(whole(over), rest)))
                : binary(BinaryOperation.MAXIMUM, lower, writer.let(
                        Build.add(subtract(rest, whole(over)), whole(1)))));
        if (!data.isEmpty()) {
            narrowed = writer.let(select(
                    doesNotWrap, narrowed, isPositive.get() ? upper : lower));
        }
        return isPositive.get()
                ? new WalkBounds(lower, narrowed, data.isEmpty())
                : new WalkBounds(narrowed, upper, data.isEmpty());
    }

    /** What is added to the index, or subtracted. */
    private static void besides(Scalar scalar, Index index, List<Scalar> found) {
        if (!Walk.mentions(scalar, List.of(index))) {
            found.add(scalar);
        } else if (scalar instanceof Scalar.Apply apply) {
            apply.operands().forEach(o -> besides(o, index, found));
        }
    }

    /** Whether the index is added (true) or subtracted, once, and nothing else is done. */
    private static Optional<Boolean> sign(Scalar scalar, Index index) {
        if (scalar instanceof Scalar.Variable variable) {
            return variable.index().equals(index) ? Optional.of(true) : Optional.empty();
        }
        if (!(scalar instanceof Scalar.Apply apply)
                || apply.operation() != Operation.ADD
                        && apply.operation() != Operation.SUBTRACT) {
            return Optional.empty();
        }
        Scalar left = apply.operands().get(0);
        Scalar right = apply.operands().get(1);
        boolean inLeft = Walk.mentions(left, List.of(index));
        if (inLeft == Walk.mentions(right, List.of(index))) {
            return Optional.empty();
        }
        return inLeft ? sign(left, index)
                : sign(right, index).map(p -> p == (apply.operation() == Operation.ADD));
    }
}
