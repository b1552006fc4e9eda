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
import java.util.List;
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
    private Optional<BlockMask> block = Optional.empty();
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
                : condition.flatMap(c -> Intervals.of(emitter, List.of(axis), c));
        return bounds;
    }

    /**
     * Lets points be asked together.
     *
     * @param point the axis along which they neighbour each other
     * @return what they have to look up alike for that
     */
    List<Scalar> together(Axis point) {
        block = condition.flatMap(c -> BlockMask.of(emitter, axis, point, c, tileLength));
        return block.map(BlockMask::looksUp).orElse(List.of());
    }

    /** Asks for all points of a block that look up the same; gives whether any may take part. */
    Expression ask(
            Expression isShared, Intervals.Stretch points, Expression tile,
            Intervals.Stretch places) {
        block.ifPresent(b -> b.ask(isShared, points, tile, places));
        return block.map(BlockMask::may).orElse(Build.truth(true));
    }

    /** What tiles need, before the first one. */
    void start() {
        if (isBounds) {
            block = Optional.empty();
        }
        intervals.ifPresent(Intervals::start);
        block.ifPresent(BlockMask::start);
        if (isBounds || intervals.isPresent() || block.isPresent()) {
            writeNumbers();
        }
    }

    /**
     * What is found of a tile.
     *
     * @param any whether any place takes part
     * @param isWhole whether all its places are known to, if that is asked
     * @param from the first place that may take part
     * @param to where such places end
     */
    record Found(Expression any, Optional<Expression> isWhole, Expression from, Expression to) {}

    /** What is about to be found. */
    private record Finding(Variable any, Variable isAll, Variable from, Variable to) {}

    /** Writes down which of a tile's places take part, of those between two. */
    Found write(Expression tile, Expression from, Expression to) {
        if (isBounds) {
            return new Found(less(from, to), Optional.of(covers(tile, from, to)), from, to);
        }
        Finding finding = new Finding(
                writer.mutable(Build.truth(false)), writer.mutable(Build.truth(false)),
                writer.mutable(from), writer.mutable(to));
        writer.when(less(from, to), () -> block.ifPresentOrElse(
                b -> writer.when(b.must(), () -> writeAll(tile, from, to, finding),
                        () -> b.askPoint(lanes -> writeInLanes(lanes, tile, from, to, finding),
                                () -> writeAlone(tile, from, to, finding))),
                () -> writeAlone(tile, from, to, finding)));
        boolean isAsked = intervals.isPresent() || block.isPresent();
        return new Found(new Expression.Get(finding.any()),
                isAsked ? Optional.of(Build.and(new Expression.Get(finding.isAll()),
                        covers(tile, from, to))) : Optional.empty(),
                writer.let(new Expression.Get(finding.from())),
                writer.let(new Expression.Get(finding.to())));
    }

    private void writeAlone(Expression tile, Expression from, Expression to, Finding finding) {
        Runnable byPlace = () -> writeByPlace(tile, from, to, finding);
        intervals.ifPresentOrElse(i -> {
            Intervals.Answer answer = i.ask(List.of(new Intervals.Stretch(from, to)));
            writer.when(answer.may(), () -> writer.when(
                    answer.must(), () -> writeAll(tile, from, to, finding), byPlace));
        }, byPlace);
    }

    /** Of a tile that is whole nobody reads the answers. */
    private void writeAll(Expression tile, Expression from, Expression to, Finding finding) {
        writer.when(Build.not(covers(tile, from, to)), () -> {
            UnaryOperator<Expression> isBetween = isBetween(tile, from, to);
            inLanes(at -> writer.store(answers(), ofPoint(at), select(
                    isBetween.apply(at), real(vector(), 1), real(vector(), 0))));
        });
        writer.assign(finding.any(), Build.truth(true));
        writer.assign(finding.isAll(), Build.truth(true));
    }

    private void writeInLanes(
            MaskInLanes mask, Expression tile, Expression from, Expression to,
            Finding finding) {
        UnaryOperator<Expression> isBetween = isBetween(tile, from, to);
        writer.assign(finding.isAll(), Build.truth(true));
        writer.assign(finding.from(), to);
        writer.assign(finding.to(), from);
        inLanes(at -> {
            Expression takes = writer.let(Build.and(isBetween.apply(at), mask.answers(at)));
            writer.store(answers(), ofPoint(at),
                    select(takes, real(vector(), 1), real(vector(), 0)));
            Expression isSome = writer.let(new Expression.Fold(BinaryOperation.OR, takes));
            Expression first = writer.let(Build.add(tile, at));
            join(finding.isAll(), BinaryOperation.AND,
                    new Expression.Fold(BinaryOperation.AND, takes));
            join(finding.any(), BinaryOperation.OR, isSome);
            join(finding.from(), BinaryOperation.MINIMUM, select(isSome, first, to));
            join(finding.to(), BinaryOperation.MAXIMUM,
                    select(isSome, Build.add(first, whole(lanes)), from));
        });
        join(finding.from(), BinaryOperation.MAXIMUM, from);
        join(finding.to(), BinaryOperation.MINIMUM, to);
    }

    private void join(Variable variable, BinaryOperation operation, Expression by) {
        writer.assign(variable, binary(operation, new Expression.Get(variable), by));
    }

    private void writeByPlace(Expression tile, Expression from, Expression to, Finding finding) {
        inLanes(at -> writer.store(answers(), ofPoint(at), real(vector(), 0)));
        writer.loop(from, to, 1, place -> {
            emitter.bind(axis, place);
            Expression takes = writer.let(emitter.emit(condition.orElseThrow()));
            join(finding.any(), BinaryOperation.OR, takes);
            Type type = vector().withLanes(1);
            writer.store(answers(), ofPoint(subtract(place, tile)),
                    select(takes, real(type, 1), real(type, 0)));
        });
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
