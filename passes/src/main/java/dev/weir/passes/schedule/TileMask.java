package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.less;
import static dev.weir.passes.schedule.Build.multiply;
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
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * Which places of a tile take part in a walk.
 *
 * <p>A condition that is just bounds becomes the walk's: lanes compare their places with them. Of
 * any other it is asked first whether it can hold at all between the tile's ends, and whether it
 * must ({@link Intervals}). Only where it can and need not, the places are asked one by one; the
 * answers stand in scratch memory, as 1 and 0.
 */
final class TileMask {
    private final PointSchedule points;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Axis axis;
    private final Optional<Scalar> condition;
    private final long tileLength;
    private final int lanes;
    /** Whether all places between the bounds take part. */
    private boolean isBounds;
    private Optional<Intervals> intervals = Optional.empty();
    /** Whether all places between the bounds take part in the tile of which was written last. */
    private Optional<Variable> isAll = Optional.empty();
    private Optional<Buffer> answers = Optional.empty();
    private Optional<Buffer> numbers = Optional.empty();

    /**
     * @param axis the axis of the walk
     * @param condition which of its places take part, if not all
     */
    TileMask(PointSchedule points, Axis axis, Optional<Scalar> condition, long tileLength) {
        this.points = points;
        this.emitter = points.emitter();
        this.writer = points.writer();
        this.axis = axis;
        this.condition = condition;
        this.tileLength = tileLength;
        this.lanes = emitter.facts().target().lanes();
    }

    /** Between which places any may take part: those of the axis, narrowed by the condition. */
    WalkBounds bounds(Expression lower, Expression upper) {
        WalkBounds bounds = condition
                .map(c -> WalkBounds.of(c, axis.index(), emitter, lower, upper))
                .orElse(new WalkBounds(lower, upper, true));
        isBounds = bounds.exact();
        intervals = isBounds ? Optional.empty()
                : condition.flatMap(c -> Intervals.of(emitter, axis, c));
        return bounds;
    }

    /** What tiles need, before the first one. */
    void start() {
        intervals.ifPresent(Intervals::start);
        if (isBounds || intervals.isPresent()) {
            writeNumbers();
        }
    }

    /** Writes down which places of a tile take part, and gives whether any does. */
    Expression write(Expression tile, Expression from, Expression to) {
        if (isBounds) {
            return less(from, to);
        }
        Variable any = writer.mutable(Build.truth(false));
        isAll = intervals.map(i -> writer.mutable(Build.truth(false)));
        Runnable byPlace = () -> writeByPlace(tile, from, to, any);
        intervals.ifPresentOrElse(
                i -> writer.when(less(from, to), () -> {
                    Intervals.Answer answer = i.ask(from, to);
                    writer.when(answer.may(), () -> writer.when(
                            answer.must(), () -> writeAll(tile, from, to, any), byPlace));
                }),
                byPlace);
        return new Expression.Get(any);
    }

    private void writeAll(Expression tile, Expression from, Expression to, Variable any) {
        UnaryOperator<Expression> isBetween = isBetween(tile, from, to);
        inLanes(at -> writer.store(answers(), ofPoint(at), select(
                isBetween.apply(at), real(vector(), 1), real(vector(), 0))));
        writer.assign(any, Build.truth(true));
        isAll.ifPresent(all -> writer.assign(all, Build.truth(true)));
    }

    private void writeByPlace(Expression tile, Expression from, Expression to, Variable any) {
        inLanes(at -> writer.store(answers(), ofPoint(at), real(vector(), 0)));
        writer.loop(from, to, 1, place -> {
            emitter.bind(axis, place);
            Expression takes = writer.let(emitter.emit(condition.orElseThrow()));
            writer.assign(any, binary(BinaryOperation.OR, new Expression.Get(any), takes));
            Type type = vector().withLanes(1);
            writer.store(answers(), ofPoint(subtract(place, tile)),
                    select(takes, real(type, 1), real(type, 0)));
        });
    }

    /** Whether all places of the tile of which was written last take part, as far as is known. */
    Optional<Expression> isWhole(Expression tile, Expression from, Expression to) {
        return isBounds ? Optional.of(covers(tile, from, to))
                : isAll.map(all -> Build.and(
                        new Expression.Get(all), covers(tile, from, to)));
    }

    private Expression covers(Expression tile, Expression from, Expression to) {
        return Build.and(
                compare(Comparison.LESS_EQUAL, from, tile),
                compare(Comparison.GREATER_EQUAL, to, Build.add(tile, whole(tileLength))));
    }

    /** Which lanes take part, from a place of the tile on. */
    UnaryOperator<Expression> takesPart(Expression tile, Expression from, Expression to) {
        return isBounds ? isBetween(tile, from, to) : at -> compare(Comparison.NOT_EQUAL,
                new Expression.Load(answers(), ofPoint(at), lanes, Optional.empty()),
                real(vector(), 0));
    }

    /** Which lanes lie between two places. */
    private UnaryOperator<Expression> isBetween(
            Expression tile, Expression from, Expression to) {
        Expression first = spread(subtract(from, tile));
        Expression end = spread(subtract(to, tile));
        return at -> {
            Expression place = new Expression.Load(numbers(), at, lanes, Optional.empty());
            return binary(BinaryOperation.AND,
                    compare(Comparison.GREATER_EQUAL, place, first),
                    compare(Comparison.LESS, place, end));
        };
    }

    /** A place's number in its tile, in each lane. */
    private Expression spread(Expression number) {
        return writer.let(ScalarEmitter.widen(
                new Expression.Convert(Type.Element.F32, number), lanes));
    }

    private Buffer answers() {
        answers = Optional.of(answers.orElseGet(() -> ofPlaces(points.together())));
        return answers.get();
    }

    /** Where the present point's answer for a place of the tile stands. */
    private Expression ofPoint(Expression place) {
        return Build.add(multiply(points.point(), whole(tileLength)), place);
    }

    /** The numbers 0, 1, 2, … of a tile's places. */
    private Buffer numbers() {
        numbers = Optional.of(numbers.orElseGet(() -> ofPlaces(1)));
        return numbers.get();
    }

    private void writeNumbers() {
        writer.loop(whole(0), whole(lanes), 1, at -> writer.store(
                numbers(), at, new Expression.Convert(Type.Element.F32, at)));
        writer.loop(whole(lanes), whole(tileLength), lanes, at -> writer.store(
                numbers(), at, Build.add(
                        new Expression.Load(numbers(), whole(0), lanes, Optional.empty()),
                        ScalarEmitter.widen(
                                new Expression.Convert(Type.Element.F32, at), lanes))));
    }

    private Buffer ofPlaces(long number) {
        return writer.scratch(Format.F32, number * tileLength + lanes);
    }

    private void inLanes(Consumer<Expression> body) {
        writer.loop(whole(0), whole(tileLength), lanes, body);
    }

    private Type vector() {
        return new Type(Type.Element.F32, lanes);
    }
}
