package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A condition on points and places, asked for the places of a tile a vector at a time.
 *
 * <p>What it says of places alone is found once for all points and kept in rows of scratch memory.
 * What it says of a point alone is one number a point. What is left compares the two, in lanes of
 * f32: whole numbers below {@link #SMALL} and their sums are exact there. Whether data is that
 * small is asked at run time.
 */
final class MaskInLanes {
    private static final double SMALL = 0x1p22;
    /** Up to here f32 holds all whole numbers. */
    private static final double EXACT = 0x1p24;

    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Axis place;
    private final Index point;
    private final Scalar condition;
    private final long tileLength;
    private final int lanes;
    private final Set<Scalar> ofPlaces = new LinkedHashSet<>();
    private final Set<Scalar> ofPoint = new LinkedHashSet<>();
    private final Map<Scalar, Buffer> rows = new HashMap<>();
    private final Map<Scalar, Expression> spread = new HashMap<>();

    private MaskInLanes(
            ScalarEmitter emitter, Axis place, Index point, Scalar condition, long tileLength) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.place = place;
        this.point = point;
        this.condition = condition;
        this.tileLength = tileLength;
        this.lanes = emitter.facts().target().lanes();
    }

    /** For a condition that can be taken apart like this. */
    static Optional<MaskInLanes> of(
            ScalarEmitter emitter, Axis place, Index point, Scalar condition, long tileLength) {
        MaskInLanes mask = new MaskInLanes(emitter, place, point, condition, tileLength);
        return mask.takesApart(condition) ? Optional.of(mask) : Optional.empty();
    }

    // ------------------------------------------------------------------ what it is made of

    private boolean takesApart(Scalar truth) {
        if (isPart(truth)) {
            return takes(truth);
        }
        return truth instanceof Scalar.Apply apply && switch (apply.operation()) {
            case AND, OR, NOT -> apply.operands().stream().allMatch(this::takesApart);
            case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
                    apply.operands().stream().allMatch(o -> magnitude(o) <= EXACT);
            default -> false;
        };
    }

    /** Whether an expression is of places alone, or of the point alone. */
    private boolean isPart(Scalar scalar) {
        return !Walk.mentions(scalar, List.of(place.index()))
                || !Walk.mentions(scalar, List.of(point));
    }

    private boolean takes(Scalar part) {
        boolean[] isInMemory = {true};
        Walk.loads(part, load -> isInMemory[0] &= emitter.local(load.source()).isEmpty());
        if (!isInMemory[0] || !Vectors.harmlessIn(condition, part, emitter.facts())) {
            return false;
        }
        (Walk.mentions(part, List.of(place.index())) ? ofPlaces : ofPoint).add(part);
        return true;
    }

    /** What a whole number's absolute value cannot exceed if all parts are small; else infinite. */
    private double magnitude(Scalar number) {
        if (number.format() != Format.I64) {
            return Double.POSITIVE_INFINITY;
        }
        if (isPart(number)) {
            return takes(number) ? SMALL : Double.POSITIVE_INFINITY;
        }
        if (!(number instanceof Scalar.Apply apply)) {
            return Double.POSITIVE_INFINITY;
        }
        double left = magnitude(apply.operands().getFirst());
        double right = apply.operands().size() > 1 ? magnitude(apply.operands().getLast()) : left;
        return switch (apply.operation()) {
            case ADD, SUBTRACT -> left + right;
            case MINIMUM, MAXIMUM -> Math.max(left, right);
            case NEGATE, ABSOLUTE -> left;
            default -> Double.POSITIVE_INFINITY;
        };
    }

    // ------------------------------------------------------------------ asking

    /** Makes room, before the first tile. */
    void start() {
        ofPlaces.forEach(part ->
                rows.put(part, writer.scratch(Format.F32, tileLength + lanes)));
    }

    /** Finds what the condition says of a tile's places; gives whether all numbers are small. */
    Expression findPlaces(Expression tile, Intervals.Stretch places) {
        Variable isSmall = writer.mutable(Build.truth(true));
        writer.loop(places.from(), places.to(), 1, at -> {
            emitter.bind(place, at);
            ofPlaces.forEach(part -> {
                Expression value = writer.let(emitter.emit(part));
                writer.store(rows.get(part), subtract(at, tile), number(part, value));
                writer.assign(isSmall, Build.and(new Expression.Get(isSmall), small(part, value)));
            });
        });
        return writer.let(new Expression.Get(isSmall));
    }

    /** Finds what the condition says of the present point; gives whether all numbers are small. */
    Expression findPoint() {
        Expression isSmall = Build.truth(true);
        spread.clear();
        for (Scalar part : ofPoint) {
            Expression value = writer.let(emitter.emit(part));
            isSmall = Build.and(isSmall, small(part, value));
            spread.put(part, writer.let(ScalarEmitter.widen(number(part, value), lanes)));
        }
        return writer.let(isSmall);
    }

    private static Expression number(Scalar part, Expression value) {
        return part.format() == Format.BOOL
                ? select(value, real(Type.F32, 1), real(Type.F32, 0))
                : Build.convert(Type.Element.F32, value);
    }

    private static Expression small(Scalar part, Expression value) {
        return part.format() == Format.BOOL || part instanceof Scalar.Whole w
                        && Math.abs(w.value()) < SMALL
                ? Build.truth(true)
                : Build.and(
                        compare(Comparison.LESS, whole(-(long) SMALL), value),
                        compare(Comparison.LESS, value, whole((long) SMALL)));
    }

    /** The answers for the present point, from a place of the tile on. */
    Expression answers(Expression at) {
        return truth(condition, at);
    }

    private Expression truth(Scalar scalar, Expression at) {
        if (isPart(scalar)) {
            return compare(Comparison.NOT_EQUAL, found(scalar, at),
                    real(new Type(Type.Element.F32, lanes), 0));
        }
        Scalar.Apply apply = (Scalar.Apply) scalar;
        Scalar left = apply.operands().getFirst();
        Scalar right = apply.operands().getLast();
        return switch (apply.operation()) {
            case AND -> Build.and(truth(left, at), truth(right, at));
            case OR -> Build.binary(BinaryOperation.OR, truth(left, at), truth(right, at));
            case NOT -> Build.not(truth(left, at));
            default -> emitter.operate(apply, List.of(numbers(left, at), numbers(right, at)));
        };
    }

    private Expression numbers(Scalar scalar, Expression at) {
        if (isPart(scalar)) {
            return found(scalar, at);
        }
        Scalar.Apply apply = (Scalar.Apply) scalar;
        return emitter.operate(apply,
                apply.operands().stream().map(o -> numbers(o, at)).toList());
    }

    private Expression found(Scalar part, Expression at) {
        return spread.containsKey(part) ? spread.get(part)
                : new Expression.Load(rows.get(part), at, lanes, Optional.empty());
    }
}
