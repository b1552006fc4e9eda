package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.maximum;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Whether a condition can hold, and whether it must, anywhere in a stretch of an axis, or of
 * several axes: interval arithmetic over its whole numbers, so that what is shut or open as a whole
 * is not asked place by place.
 *
 * <p>What is looked up along an axis lies between the smallest and the largest element of the
 * stretch, which are found first. If a number from data is so large that arithmetic on it might
 * wrap, the answer is that the condition can hold and need not.
 */
final class Intervals {
    /** Indices and sizes are smaller; of data it is tested. */
    private static final double SMALL = 0x1p40;
    /** Arithmetic that cannot leave this range does not wrap; other arithmetic is not followed. */
    private static final double LARGEST = 0x1p62;

    private static final Expression YES = Build.truth(true);
    private static final Expression NO = Build.truth(false);

    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final List<Axis> axes;
    private final List<Index> indices;
    private final Scalar condition;
    private final Map<Scalar.Load, Extremes> lookups = new LinkedHashMap<>();
    /** Of the stretches that are asked about: a condition may say a number in several places. */
    private final Map<Scalar, Interval> known = new HashMap<>();

    /** Places of an axis, at least one. */
    record Stretch(Expression from, Expression to) {}

    /** What is known of a condition in its stretches. */
    record Answer(Expression may, Expression must) {}

    /**
     * Between what a whole number lies.
     *
     * @param isSmall whether the data that it is made of is small enough to say so
     */
    private record Interval(Expression low, Expression high, Expression isSmall) {}

    /**
     * The smallest and the largest element of the stretch that was looked up last.
     *
     * @param key which stretch that was: its ends, and the other coordinates
     */
    private record Extremes(Variable smallest, Variable largest, List<Variable> key) {}

    private Intervals(ScalarEmitter emitter, List<Axis> axes, Scalar condition) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.axes = axes;
        this.indices = axes.stream().map(Axis::index).toList();
        this.condition = condition;
    }

    /** For a condition of which arithmetic on intervals says something. */
    static Optional<Intervals> of(ScalarEmitter emitter, List<Axis> axes, Scalar condition) {
        Intervals intervals = new Intervals(emitter, axes, condition);
        return intervals.says(condition) ? Optional.of(intervals) : Optional.empty();
    }

    // ------------------------------------------------------------------ what can be followed

    private boolean says(Scalar scalar) {
        if (!variesAlong(scalar)) {
            return isSafe(scalar);
        }
        return scalar instanceof Scalar.Apply apply && switch (apply.operation()) {
            case AND, OR, NOT -> apply.operands().stream().anyMatch(this::says);
            case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
                    apply.operands().stream().allMatch(o -> magnitude(o) <= LARGEST);
            default -> false;
        };
    }

    /** What a number's absolute value cannot exceed if all data is small; else infinite. */
    private double magnitude(Scalar scalar) {
        if (scalar.format() != Format.I64) {
            return Double.POSITIVE_INFINITY;
        }
        if (scalar instanceof Scalar.Whole whole) {
            return Math.abs((double) whole.value());
        }
        boolean isLeaf = !variesAlong(scalar)
                || scalar instanceof Scalar.Variable
                || scalar instanceof Scalar.Load load && along(load).isPresent();
        if (isLeaf) {
            return isSafe(scalar) ? SMALL : Double.POSITIVE_INFINITY;
        }
        if (!(scalar instanceof Scalar.Apply apply)) {
            return Double.POSITIVE_INFINITY;
        }
        double left = magnitude(apply.operands().getFirst());
        double right = magnitude(apply.operands().getLast());
        double result = switch (apply.operation()) {
            case ADD, SUBTRACT -> left + right;
            case MINIMUM, MAXIMUM -> Math.max(left, right);
            case NEGATE, ABSOLUTE -> left;
            case MULTIPLY -> apply.operands().stream().allMatch(this::variesAlong)
                    ? Double.POSITIVE_INFINITY : left * right;
            case DIVIDE, REMAINDER -> apply.operands().get(1) instanceof Scalar.Whole divisor
                    && divisor.value() > 0 ? left : Double.POSITIVE_INFINITY;
            default -> Double.POSITIVE_INFINITY;
        };
        return result <= LARGEST ? result : Double.POSITIVE_INFINITY;
    }

    private boolean variesAlong(Scalar scalar) {
        return Walk.mentions(scalar, indices);
    }

    /** The one axis of which neighbouring places look up neighbouring elements, if there is one. */
    private Optional<Axis> along(Scalar.Load load) {
        List<Scalar> varying = load.coordinates().stream().filter(this::variesAlong).toList();
        return axes.stream()
                .filter(a -> load.bounds() == Scalar.Bounds.PROVED
                        && varying.size() == 1
                        && Vectors.linear(varying.getFirst(), a.index())
                        && !variesAlong(atZero(varying.getFirst(), a)))
                .findFirst();
    }

    private static Scalar atZero(Scalar scalar, Axis axis) {
        return Substitution.apply(scalar, Map.of(axis.index(), Scalar.whole(0)));
    }

    /**
     * Whether an expression may be evaluated although the condition might not get that far: it is
     * harmless, or evaluated at every place anyway.
     */
    private boolean isSafe(Scalar scalar) {
        boolean[] isInMemory = {true};
        Walk.loads(scalar, load -> isInMemory[0] &= emitter.local(load.source()).isEmpty());
        return isInMemory[0] && Vectors.harmlessIn(condition, scalar, emitter.facts());
    }

    // ------------------------------------------------------------------ asking

    /** Makes room for what is looked up, outside of the loops in which is asked. */
    void start() {
        lookups.clear();
        Walk.loads(condition, load -> {
            if (along(load).isPresent() && magnitude(load) <= LARGEST) {
                lookups.computeIfAbsent(load, l -> new Extremes(
                        writer.mutable(whole(0)), writer.mutable(whole(0)),
                        Stream.generate(() -> writer.mutable(whole(-1)))
                                .limit(2 + places(l).size()).toList()));
            }
        });
    }

    /** What holds in a stretch of each axis. */
    Answer ask(List<Stretch> stretches) {
        known.clear();
        for (int i = 0; i < axes.size(); i++) {
            Stretch stretch = stretches.get(i);
            Expression last = writer.let(subtract(stretch.to(), whole(1)));
            known.put(Scalar.variable(indices.get(i)), new Interval(stretch.from(), last, YES));
        }
        lookups.forEach(this::lookUp);
        return answer(condition);
    }

    /** Finds the extremes of a stretch, unless they were just found for another point. */
    private void lookUp(Scalar.Load load, Extremes extremes) {
        Axis axis = along(load).orElseThrow();
        Interval stretch = known.get(Scalar.variable(axis.index()));
        List<Expression> key = new ArrayList<>(List.of(stretch.low(), stretch.high()));
        places(load).forEach(c -> key.add(writer.let(emitter.emit(c))));
        Expression isKnown = YES;
        for (int i = 0; i < key.size(); i++) {
            isKnown = and(isKnown, compare(Comparison.EQUAL,
                    new Expression.Get(extremes.key().get(i)), key.get(i)));
        }
        writer.when(Build.not(isKnown), () -> {
            for (int i = 0; i < key.size(); i++) {
                writer.assign(extremes.key().get(i), key.get(i));
            }
            writer.assign(extremes.smallest(), whole(Long.MAX_VALUE));
            writer.assign(extremes.largest(), whole(Long.MIN_VALUE));
            writer.loop(stretch.low(), Build.add(stretch.high(), whole(1)), 1, place -> {
                emitter.bind(axis, place);
                Expression element = writer.let(emitter.emit(load));
                writer.assign(extremes.smallest(),
                        minimum(new Expression.Get(extremes.smallest()), element));
                writer.assign(extremes.largest(),
                        maximum(new Expression.Get(extremes.largest()), element));
            });
        });
    }

    /** What, besides its stretch, says which elements are looked up. */
    private List<Scalar> places(Scalar.Load load) {
        Axis axis = along(load).orElseThrow();
        return load.coordinates().stream().map(c -> atZero(c, axis))
                .filter(c -> !(c instanceof Scalar.Whole)).toList();
    }

    private Answer answer(Scalar scalar) {
        if (!says(scalar)) {
            return new Answer(YES, NO);
        }
        if (!variesAlong(scalar)) {
            Expression value = writer.let(emitter.emit(scalar));
            return new Answer(value, value);
        }
        Scalar.Apply apply = (Scalar.Apply) scalar;
        Scalar left = apply.operands().getFirst();
        Scalar right = apply.operands().getLast();
        return switch (apply.operation()) {
            case AND -> {
                Answer a = answer(left);
                Answer b = answer(right);
                yield new Answer(and(a.may, b.may), and(a.must, b.must));
            }
            case OR -> {
                Answer a = answer(left);
                Answer b = answer(right);
                yield new Answer(or(a.may, b.may), or(a.must, b.must));
            }
            case NOT -> opposite(answer(left));
            case GREATER -> compared(Operation.LESS, right, left);
            case GREATER_EQUAL -> compared(Operation.LESS_EQUAL, right, left);
            case NOT_EQUAL -> opposite(compared(Operation.EQUAL, left, right));
            default -> compared(apply.operation(), left, right);
        };
    }

    private static Answer opposite(Answer answer) {
        return new Answer(not(answer.must), not(answer.may));
    }

    private Answer compared(Operation operation, Scalar left, Scalar right) {
        Interval a = interval(left);
        Interval b = interval(right);
        Expression isSmall = writer.let(and(a.isSmall, b.isSmall));
        Expression may = switch (operation) {
            case LESS -> Build.less(a.low, b.high);
            case LESS_EQUAL -> notAbove(a.low, b.high);
            default -> and(notAbove(a.low, b.high), notAbove(b.low, a.high));
        };
        Expression must = switch (operation) {
            case LESS -> Build.less(a.high, b.low);
            case LESS_EQUAL -> notAbove(a.high, b.low);
            default -> and(notAbove(a.high, b.low), notAbove(b.high, a.low));
        };
        return new Answer(or(not(isSmall), may), and(isSmall, must));
    }

    private static Expression notAbove(Expression left, Expression right) {
        return compare(Comparison.LESS_EQUAL, left, right);
    }

    // ------------------------------------------------------------------ numbers

    private Interval interval(Scalar scalar) {
        Interval before = known.get(scalar);
        if (before != null) {
            return before;
        }
        Interval interval = found(scalar);
        known.put(scalar, interval);
        return interval;
    }

    private Interval found(Scalar scalar) {
        if (!variesAlong(scalar)) {
            Expression value = writer.let(emitter.emit(scalar));
            boolean isSize = scalar instanceof Scalar.Whole || scalar instanceof Scalar.Variable
                    || scalar instanceof Scalar.Extent;
            return new Interval(value, value, isSize ? YES : isSmall(value, value));
        }
        return switch (scalar) {
            case Scalar.Load load -> {
                Expression low = writer.let(new Expression.Get(lookups.get(load).smallest()));
                Expression high = writer.let(new Expression.Get(lookups.get(load).largest()));
                yield new Interval(low, high, isSmall(low, high));
            }
            case Scalar.Apply apply -> interval(apply);
            default -> throw new IllegalStateException(scalar + " is not followed");
        };
    }

    private Expression isSmall(Expression low, Expression high) {
        return and(notAbove(whole((long) -SMALL), low), notAbove(high, whole((long) SMALL)));
    }

    private Interval interval(Scalar.Apply apply) {
        Interval a = interval(apply.operands().getFirst());
        Interval b = interval(apply.operands().getLast());
        return switch (apply.operation()) {
            case ADD -> between(Build.add(a.low, b.low), Build.add(a.high, b.high), a, b);
            case SUBTRACT -> between(subtract(a.low, b.high), subtract(a.high, b.low), a, b);
            case MINIMUM -> between(minimum(a.low, b.low), minimum(a.high, b.high), a, b);
            case MAXIMUM -> between(maximum(a.low, b.low), maximum(a.high, b.high), a, b);
            case NEGATE -> between(
                    subtract(whole(0), a.high), subtract(whole(0), a.low), a, a);
            case ABSOLUTE -> {
                Expression negated = writer.let(subtract(whole(0), a.low));
                yield between(
                        maximum(whole(0), maximum(a.low, subtract(whole(0), a.high))),
                        maximum(negated, a.high), a, a);
            }
            case MULTIPLY -> {
                // One of the two is a single number.
                Expression one = writer.let(Build.multiply(a.low, b.low));
                Expression other = writer.let(Build.multiply(a.high, b.high));
                yield between(minimum(one, other), maximum(one, other), a, b);
            }
            case DIVIDE -> between(
                    operate(apply.operation(), apply, a.low),
                    operate(apply.operation(), apply, a.high), a, a);
            case REMAINDER -> {
                Expression isWithin = writer.let(compare(Comparison.EQUAL,
                        operate(Operation.DIVIDE, apply, a.low),
                        operate(Operation.DIVIDE, apply, a.high)));
                long divisor = ((Scalar.Whole) apply.operands().get(1)).value();
                yield between(
                        select(isWithin, operate(Operation.REMAINDER, apply, a.low), whole(0)),
                        select(isWithin, operate(Operation.REMAINDER, apply, a.high),
                                whole(divisor - 1)), a, a);
            }
            default -> throw new IllegalStateException(apply.operation().word());
        };
    }

    /** A division of the condition, of another number than the condition's. */
    private Expression operate(Operation operation, Scalar.Apply division, Expression number) {
        return writer.let(emitter.operate(
                new Scalar.Apply(operation, division.operands()),
                List.of(number, emitter.emit(division.operands().get(1)))));
    }

    private Interval between(Expression low, Expression high, Interval a, Interval b) {
        return new Interval(writer.let(low), writer.let(high),
                a == b ? a.isSmall : writer.let(and(a.isSmall, b.isSmall)));
    }

    // ------------------------------------------------------------------ truth

    private static Expression and(Expression left, Expression right) {
        if (left.equals(NO) || right.equals(NO)) {
            return NO;
        }
        if (left.equals(YES)) {
            return right;
        }
        return right.equals(YES) ? left : Build.and(left, right);
    }

    private static Expression or(Expression left, Expression right) {
        return left.equals(NO) ? right : right.equals(NO) ? left
                : left.equals(YES) || right.equals(YES) ? YES
                : Build.binary(BinaryOperation.OR, left, right);
    }

    private static Expression not(Expression operand) {
        return operand.equals(YES) ? NO : operand.equals(NO) ? YES : Build.not(operand);
    }
}
