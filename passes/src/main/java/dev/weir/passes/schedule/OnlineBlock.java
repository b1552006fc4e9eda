package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.maximum;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.type.Format;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The walk of several points that neighbour each other ({@link OnlineSchedule}). They go through
 * each tile together, so that what all of them read of it comes from memory once; in between, what
 * each carries is kept in scratch memory.
 *
 * <pre>
 *   each point { start };  each tile that may be open to any point {
 *       each point { mask[s] };  copy what all share
 *       each open point { a, m, e, l };  each four open points { z }
 *   }  each point { finish }
 * </pre>
 */
final class OnlineBlock {
    /** Points whose sums are made side by side. */
    private static final int TOGETHER = 4;
    /** Of a point: the places that it goes over, in all tiles. */
    private static final int LOWER = 0;

    private static final int UPPER = 1;
    /** Of a point: those that it goes over in the present tile. */
    private static final int FROM = 2;

    private static final int TO = 3;
    /** Of a point: whether the present tile is shut, open or whole. */
    private static final int OPENNESS = 4;

    private static final int WHOLES = 5;
    /** Whether no place of a tile takes part, some do, or all are known to. */
    private static final long SHUT = 0;

    private static final long OPEN = 1;
    private static final long WHOLE = 2;

    private final OnlineSchedule online;
    private final PointSchedule points;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final TileMask mask;
    private final long tileLength;
    private final int lanes;
    private final Block block;
    /** What the points carry: whole numbers, the maximum so far, and a vector of each sum. */
    private final Buffer wholes;

    private final Buffer largest;
    private final Map<Node.Compute, Buffer> singles = new LinkedHashMap<>();
    /** The points for which the present tile is open, one behind the other. */
    private final Buffer members;

    /**
     * Points that neighbour each other.
     *
     * @param length how many there are at most
     * @param axis along which they neighbour each other
     * @param bind makes a point the present one
     * @param earlier what is computed at a point before its first tile, and kept
     */
    record Block(
            long length, int axis, Expression first, Expression end, Consumer<Expression> bind,
            List<Node.Compute> earlier) {}

    OnlineBlock(OnlineSchedule online, Block block) {
        this.online = online;
        this.points = online.points();
        this.emitter = points.emitter();
        this.writer = points.writer();
        this.mask = online.mask();
        this.tileLength = online.tileLength();
        this.lanes = emitter.facts().target().lanes();
        this.block = block;
        this.wholes = writer.scratch(Format.I64, WHOLES * block.length());
        this.members = writer.scratch(Format.I64, block.length());
        this.largest = writer.scratch(Format.F32, block.length());
        online.sums().stream().filter(online::isSingle).forEach(node -> singles.put(
                node, writer.scratch(Format.F32, (block.length() + 1) * lanes)));
    }

    /**
     * Writes the walk.
     *
     * @param after what is done at a point behind its last tile
     */
    void write(Runnable after) {
        Optional<SharedRows> rows = sharedRows();
        block.bind().accept(block.first());
        Optional<SharedRows.Question> isShared = rows.map(
                r -> r.ask(mask.together(online.shared(block.axis()))));
        Variable lowest = writer.mutable(whole(Long.MAX_VALUE));
        Variable highest = writer.mutable(whole(0));
        each(() -> {
            isShared.ifPresent(SharedRows.Question::ask);
            block.earlier().forEach(node -> points.node(node, List.of()));
            start(lowest, highest);
        });
        Expression lower = writer.let(new Expression.Get(lowest));
        Expression upper = writer.let(new Expression.Get(highest));
        mask.start();
        // For few points a copy costs more than it saves.
        Optional<Expression> copies = isShared.map(question -> writer.let(Build.and(
                question.answer(), compare(Comparison.GREATER_EQUAL,
                        subtract(block.end(), block.first()), whole(TOGETHER)))));
        Expression begin = writer.let(
                multiply(divide(lower, whole(tileLength)), whole(tileLength)));
        writer.loop(begin, upper, tileLength, tile -> {
            Intervals.Stretch places = new Intervals.Stretch(
                    writer.let(maximum(tile, lower)),
                    writer.let(minimum(Build.add(tile, whole(tileLength)), upper)));
            Expression may = isShared.map(question -> mask.ask(question.answer(),
                            new Intervals.Stretch(block.first(), block.end()), tile, places))
                    .orElse(Build.truth(true));
            writer.when(may, () -> openTile(tile, () -> copies.ifPresentOrElse(
                    c -> writer.when(c,
                            () -> tileOfCopies(tile, rows.orElseThrow(), places),
                            () -> tileInPlace(tile)),
                    () -> tileInPlace(tile))));
        });
        each(() -> {
            restoreLargest();
            restoreSingles();
            online.finish();
            after.run();
        });
    }

    private Optional<SharedRows> sharedRows() {
        Map<Node.Compute, Axis> readers = new LinkedHashMap<>();
        online.before().forEach(node -> readers.put(node, online.axis(node)));
        online.sums().forEach(node -> readers.put(node, online.axis(node)));
        return SharedRows.of(emitter, tileLength, readers, block.axis());
    }

    /** The present point begins; which places points go over widens what all of them do. */
    private void start(Variable lowest, Variable highest) {
        online.start();
        saveLargest();
        saveSingles();
        Axis streamed = online.streamed();
        WalkBounds bounds = online.bounds(
                writer.let(emitter.emit(streamed.lower())),
                writer.let(emitter.emit(streamed.upper())));
        store(LOWER, bounds.lower());
        store(UPPER, bounds.upper());
        writer.assign(lowest, minimum(new Expression.Get(lowest), bounds.lower()));
        writer.assign(highest, maximum(new Expression.Get(highest), bounds.upper()));
    }

    // ------------------------------------------------------------------ points

    /** Makes a point of the block the present one. */
    private void enter(Expression point) {
        block.bind().accept(point);
        points.together(block.length(), writer.let(subtract(point, block.first())));
        block.earlier().forEach(online::takeRoom);
        wide().forEach(online::takeRoom);
    }

    private void each(Runnable body) {
        writer.loop(block.first(), block.end(), 1, point -> {
            enter(point);
            body.run();
        });
    }

    private void ifOpen(Runnable body) {
        writer.when(compare(Comparison.NOT_EQUAL, load(OPENNESS), whole(SHUT)), body);
    }

    /** The sums that have scratch memory. */
    private List<Node.Compute> wide() {
        return online.sums().stream().filter(node -> !online.isSingle(node)).toList();
    }

    // ------------------------------------------------------------------ a tile

    /** Asks each point whether a tile is open to it; the body is written for where any is. */
    private void openTile(Expression tile, Runnable body) {
        Variable any = writer.mutable(Build.truth(false));
        each(() -> {
            TileMask.Found found = mask.write(tile,
                    writer.let(maximum(tile, load(LOWER))),
                    writer.let(minimum(Build.add(tile, whole(tileLength)), load(UPPER))));
            Expression isOpen = writer.let(found.any());
            Expression how = found.isWhole()
                    .map(isWhole -> select(isWhole, whole(WHOLE), whole(OPEN)))
                    .orElse(whole(OPEN));
            store(OPENNESS, select(isOpen, how, whole(SHUT)));
            store(FROM, found.from());
            store(TO, found.to());
            writer.assign(any, binary(BinaryOperation.OR, new Expression.Get(any), isOpen));
        });
        writer.when(new Expression.Get(any), body);
    }

    /**
     * A tile that is read where it lies. Places are gone through a vector at a time by all points,
     * so that what is read of them is at hand for each, however far from each other it lies.
     */
    private void tileInPlace(Expression tile) {
        vectors(tile, first -> online.before().forEach(node ->
                online.before(node, tile, begin(first), end(first, lanes))));
        each(() -> ifOpen(() -> softmax(tile)));
        vectors(tile, first -> {
            online.exponentials().forEach(node -> online.ofTile(node, tile));
            Expression begin = begin(first);
            Expression end = end(first, lanes);
            wide().forEach(node -> online.add(node, begin, end));
        });
    }

    /** Goes through a tile a vector of places at a time, by each point to which it is open. */
    private void vectors(Expression tile, Consumer<Expression> body) {
        writer.loop(tile, writer.let(Build.add(tile, whole(tileLength))), lanes,
                first -> each(() -> ifOpen(() -> body.accept(first))));
    }

    /**
     * A tile of which copies lie side by side, which are at hand as long as the tile lasts. Sums of
     * a few points are made together over the places that all of them go over.
     */
    private void tileOfCopies(Expression tile, SharedRows rows, Intervals.Stretch places) {
        block.bind().accept(block.first());
        rows.copy(tile, places.from(), places.to());
        online.copied(rows, () -> {
            Expression count = softmaxes(tile);
            writer.loop(whole(0), count, TOGETHER, group -> sums(tile, group,
                    writer.let(minimum(Build.add(group, whole(TOGETHER)), count))));
        });
    }

    /** The softmax of all points; gives to how many the tile is open, and writes down to which. */
    private Expression softmaxes(Expression tile) {
        Variable count = writer.mutable(whole(0));
        writer.loop(block.first(), block.end(), 1, point -> {
            enterTile(point, tile);
            ifOpen(() -> {
                Expression from = begin(tile);
                Expression to = end(tile, tileLength);
                online.before().forEach(node -> online.before(node, tile, from, to));
                softmax(tile);
            });
            ifOpen(() -> {
                writer.store(members, new Expression.Get(count), point);
                writer.assign(count, Build.add(new Expression.Get(count), whole(1)));
            });
        });
        return writer.let(new Expression.Get(count));
    }

    private void enterTile(Expression point, Expression tile) {
        enter(point);
        online.exponentials().forEach(node -> online.ofTile(node, tile));
    }

    private void enterMember(Expression member, Expression tile) {
        enterTile(writer.let(new Expression.Load(members, member, 1, Optional.empty())), tile);
    }

    /** The sums of some members. */
    private void sums(Expression tile, Expression first, Expression end) {
        // The places that all of them go over, if there are enough of them.
        Variable lower = writer.mutable(tile);
        Variable upper = writer.mutable(select(
                compare(Comparison.EQUAL, subtract(end, first), whole(TOGETHER)),
                Build.add(tile, whole(tileLength)), tile));
        Consumer<Runnable> eachMember = body -> writer.loop(first, end, 1, member -> {
            enterMember(member, tile);
            body.run();
        });
        eachMember.accept(() -> {
            writer.assign(lower, maximum(new Expression.Get(lower), load(FROM)));
            writer.assign(upper, minimum(new Expression.Get(upper), load(TO)));
        });
        Expression from = writer.let(new Expression.Get(lower));
        Expression to = writer.let(new Expression.Get(upper));
        writer.when(Build.less(from, to),
                () -> wide().forEach(node -> {
                    eachMember.accept(() -> addSome(node, begin(tile), from));
                    points.points(whole(0), whole(TOGETHER), 1, 1, true, at -> {
                        enterMember(writer.let(Build.add(first, at)), tile);
                        online.add(node, from, to);
                    });
                    eachMember.accept(() -> addSome(node, to, end(tile, tileLength)));
                }),
                () -> eachMember.accept(() -> wide().forEach(node ->
                        online.add(node, begin(tile), end(tile, tileLength)))));
    }

    private void addSome(Node.Compute node, Expression from, Expression to) {
        writer.when(Build.less(from, to), () -> online.add(node, from, to));
    }

    /** The softmax of the present point; the tile stays open if there is something to sum. */
    private void softmax(Expression tile) {
        Expression isWhole = writer.let(
                compare(Comparison.EQUAL, load(OPENNESS), whole(WHOLE)));
        store(OPENNESS, whole(SHUT));
        restoreLargest();
        restoreSingles();
        online.before().forEach(node -> online.locate(node, tile));
        Expression from = begin(tile);
        Expression to = end(tile, tileLength);
        online.softmax(tile, Optional.of(isWhole), mask.takesPart(tile, from, to), () -> {
            online.sums().stream().filter(online::isSingle)
                    .forEach(node -> online.add(node, tile));
            store(OPENNESS, whole(OPEN));
        });
        saveLargest();
        saveSingles();
    }

    private Expression begin(Expression from) {
        return writer.let(maximum(from, load(FROM)));
    }

    private Expression end(Expression from, long length) {
        return writer.let(minimum(Build.add(from, whole(length)), load(TO)));
    }

    // ------------------------------------------------------------------ what points carry

    private Expression load(int which) {
        return new Expression.Load(wholes, ofPoint(which), 1, Optional.empty());
    }

    private void store(int which, Expression value) {
        writer.store(wholes, ofPoint(which), value);
    }

    private Expression ofPoint(int which) {
        return Build.add(multiply(points.point(), whole(WHOLES)), whole(which));
    }

    private void saveLargest() {
        writer.store(largest, points.point(), new Expression.Get(online.largest()));
    }

    private void restoreLargest() {
        online.setLargest(writer.mutable(
                new Expression.Load(largest, points.point(), 1, Optional.empty())));
    }

    private void saveSingles() {
        singles.forEach((node, buffer) -> writer.store(
                buffer, multiply(points.point(), whole(lanes)),
                new Expression.Get(online.single(node))));
    }

    private void restoreSingles() {
        singles.forEach((node, buffer) -> online.setSingle(node, writer.mutable(
                new Expression.Load(buffer, multiply(points.point(), whole(lanes)), lanes,
                        Optional.empty()))));
    }
}
