package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.maximum;
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
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Substitution;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Streaming;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Writes the walk of an online softmax in lanes along the streamed axis.
 *
 * <p>One condition says which places take part ({@link TileMask}). If no place of a tile does,
 * nothing else of the tile is done. The rest of the tile does all its places, also those
 * outside of the axis, and leaves out what does not take part:
 *
 * <pre>
 *   mask[s];  if any { a[s], a vector of places at a time;  m = max a;  e[s] = exp(a[s] - m);
 *                      l = l · scale + e;  z[c] = z[c] · scale + sum[s] e[s] · v[s, c] }
 * </pre>
 *
 * <p>Neighbouring points may go through the tiles together ({@link OnlineBlock}).
 *
 * <p>Place s always falls into lane s modulo the lanes, and tiles begin at multiples of their
 * length: sums have the same bits however long the axis is.
 */
final class OnlineSchedule {
    /** Places whose inner reductions are done side by side. */
    private static final int PLACES = 4;
    /** Vectors of a sum that stay in registers during a tile. */
    private static final int VECTORS = 8;

    private final PointSchedule points;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Streaming streaming;
    private final Cluster cluster;
    private final long tileLength;
    private final int lanes;
    private final Node.Compute maximum;
    private final TileMask mask;
    /** What a node along the axis computes where it takes part. */
    private final Map<Node.Compute, Scalar> bodies = new HashMap<>();
    private final List<Node.Compute> before = new ArrayList<>();
    private final List<Node.Compute> exponentials = new ArrayList<>();
    private final List<Node.Compute> sums = new ArrayList<>();
    private final Map<Node.Compute, Variable> singles = new HashMap<>();
    private Variable largest;
    /** Where the points of a block read what they share, while it is copied for them. */
    private Optional<SharedRows> copied = Optional.empty();

    private OnlineSchedule(
            PointSchedule points,
            Streaming streaming,
            Cluster cluster,
            long tileLength,
            Node.Compute maximum) {
        this.points = points;
        this.emitter = points.emitter();
        this.writer = points.writer();
        this.streaming = streaming;
        this.cluster = cluster;
        this.tileLength = tileLength;
        this.lanes = emitter.facts().target().lanes();
        this.maximum = maximum;
        this.mask = new TileMask(points, axis(maximum),
                maximum.reduction().orElseThrow().filter(), tileLength);
    }

    /**
     * The walk, if it can be written so.
     *
     * @param before the nodes along the axis that the maximum needs
     * @param exponentials those relative to it
     * @param sums the sums of these
     */
    static Optional<OnlineSchedule> of(
            PointSchedule points,
            Streaming streaming,
            Cluster cluster,
            long tileLength,
            Node.Compute maximum,
            List<Node.Compute> before,
            List<Node.Compute> exponentials,
            List<Node.Compute> sums) {
        OnlineSchedule online =
                new OnlineSchedule(points, streaming, cluster, tileLength, maximum);
        boolean fits = tileLength % online.lanes == 0
                && before.stream().allMatch(online::acceptBefore)
                && exponentials.stream().allMatch(online::acceptExponential)
                && sums.stream().allMatch(online::acceptSum)
                && online.vectorised(maximum, maximum.body());
        return fits ? Optional.of(online) : Optional.empty();
    }

    // ------------------------------------------------------------------ what fits

    private boolean acceptBefore(Node.Compute node) {
        before.add(node);
        bodies.put(node, taking(node).orElse(node.body()));
        return points.ownAxes(node).size() == 1 && node.body().format() == Format.F32;
    }

    private boolean acceptExponential(Node.Compute node) {
        boolean isChosen = node.body() instanceof Scalar.Apply apply
                && apply.operation() == Operation.SELECT;
        Optional<Scalar> body = isChosen ? taking(node) : Optional.of(node.body());
        body.ifPresent(b -> bodies.put(node, b));
        exponentials.add(node);
        return points.ownAxes(node).size() == 1
                && body.filter(b -> vectorised(node, b)).isPresent();
    }

    private boolean acceptSum(Node.Compute node) {
        sums.add(node);
        Reduction reduction = node.reduction().orElseThrow();
        return reduction.filter().isEmpty()
                && reduction.axes().equals(List.of(axis(node)))
                && (!isSingle(node) || node.body() instanceof Scalar.Load load
                        && exponentials.stream().anyMatch(e -> e.result().equals(load.source())));
    }

    private boolean vectorised(Node.Compute node, Scalar body) {
        return Vectors.possible(body, axis(node), emitter.facts())
                && Vectors.harmless(body, emitter.facts());
    }

    /** The streamed axis, as a node has it. */
    Axis axis(Node.Compute node) {
        return streaming.along().get(node);
    }

    /** Whether a sum has no axes of its own. */
    boolean isSingle(Node.Compute node) {
        return node.axes().size() == cluster.prefix();
    }

    /** What a node computes under just the condition of the maximum, if that is how it looks. */
    private Optional<Scalar> taking(Node.Compute node) {
        Optional<Scalar> condition = maximum.reduction().orElseThrow().filter();
        if (condition.isEmpty()
                || !(node.body() instanceof Scalar.Apply apply)
                || apply.operation() != Operation.SELECT) {
            return Optional.empty();
        }
        return Substitution.apply(apply.operands().get(0), ofMaximum(node))
                        .equals(condition.get())
                ? Optional.of(apply.operands().get(1))
                : Optional.empty();
    }

    // ------------------------------------------------------------------ for blocks of points

    PointSchedule points() {
        return points;
    }

    TileMask mask() {
        return mask;
    }

    long tileLength() {
        return tileLength;
    }

    /** The axis of which a walk goes over the tiles. */
    Axis streamed() {
        return streaming.axis();
    }

    /** An axis that all nodes share, as the condition has it. */
    Axis shared(int axis) {
        return maximum.axes().get(axis);
    }

    /** The nodes along the axis that the maximum needs. */
    List<Node.Compute> before() {
        return before;
    }

    List<Node.Compute> exponentials() {
        return exponentials;
    }

    List<Node.Compute> sums() {
        return sums;
    }

    /** The maximum so far. */
    Variable largest() {
        return largest;
    }

    void setLargest(Variable variable) {
        largest = variable;
    }

    /** A sum without axes of its own so far, in lanes. */
    Variable single(Node.Compute node) {
        return singles.get(node);
    }

    void setSingle(Node.Compute node, Variable variable) {
        singles.put(node, variable);
    }

    /** Writes what reads copies of what the points of a block share. */
    void copied(SharedRows rows, Runnable body) {
        copied = Optional.of(rows);
        body.run();
        copied = Optional.empty();
    }

    // ------------------------------------------------------------------ the walk

    /** Before the first tile. */
    void start() {
        largest = writer.mutable(number(Double.NEGATIVE_INFINITY));
        for (Node.Compute node : sums) {
            if (isSingle(node)) {
                singles.put(node, writer.mutable(real(vector(), 0)));
            } else {
                takeRoom(node);
                points.nest(node, points.ownAxes(node), at -> points.store(
                        node, room(node), Reductions.identity(Reduction.Kind.SUM, Format.F32,
                                at.map(ScalarEmitter.Lanes::count).orElse(1))));
            }
        }
    }

    void takeRoom(Node.Compute node) {
        points.scratch(node, -1, 0, whole(0));
    }

    /** What a node computes, of rows that are copied where they are. */
    private Node.Compute reading(Node.Compute node) {
        return copied.map(rows -> rows.of(node)).orElse(node);
    }

    private Type vector() {
        return new Type(Type.Element.F32, lanes);
    }

    private Local.InScratch room(Node.Compute node) {
        return (Local.InScratch) emitter.local(node.result()).orElseThrow();
    }

    /** Which places may take part at all. */
    WalkBounds bounds(Expression lower, Expression upper) {
        WalkBounds bounds = mask.bounds(lower, upper);
        if (points.together() == 1) {
            mask.start();
        }
        return bounds;
    }

    /** All that one point does in a tile. */
    void tile(Expression tile, Expression from, Expression to) {
        TileMask.Found found = mask.write(tile, from, to);
        writer.when(found.any(), () -> {
            before.forEach(node -> before(node, tile, from, to));
            softmax(tile, found.isWhole().map(writer::let), mask.takesPart(tile, from, to),
                    () -> sums.forEach(node -> {
                        if (isSingle(node)) {
                            add(node, tile);
                        } else {
                            add(node, from, to);
                        }
                    }));
        });
    }

    private static Expression number(double value) {
        return real(new Type(Type.Element.F32, 1), value);
    }

    /** Loops over a tile's vectors; the body gets the first place, counted from the tile. */
    private void inLanes(Consumer<Expression> body) {
        writer.loop(whole(0), whole(tileLength), lanes, body);
    }

    private Expression inLanes(Node.Compute node, Scalar body, Expression place) {
        emitter.bind(axis(node), place);
        return emitter.spread(body, lanes(node));
    }

    private Optional<ScalarEmitter.Lanes> lanes(Node.Compute node) {
        return Optional.of(
                new ScalarEmitter.Lanes(axis(node).index(), lanes, Optional.empty()));
    }

    /**
     * The maximum and the exponentials, to which older sums are fitted.
     *
     * @param isWhole whether all places of the tile are known to take part, if that is asked
     * @param takesPart which of the lanes from a place of the tile on take part
     * @param then what is done if any place takes part
     */
    void softmax(
            Expression tile, Optional<Expression> isWhole,
            UnaryOperator<Expression> takesPart, Runnable then) {
        Variable most = writer.mutable(real(vector(), Double.NEGATIVE_INFINITY));
        choosing(isWhole, takesPart, Double.NEGATIVE_INFINITY, chosen ->
                inLanes(at -> writer.assign(most, binary(BinaryOperation.MAXIMUM,
                        new Expression.Get(most),
                        chosen.of(at, inLanes(maximum, maximum.body(),
                                writer.let(Build.add(tile, at))))))));
        Expression old = writer.let(new Expression.Get(largest));
        writer.assign(largest, binary(BinaryOperation.MAXIMUM, old,
                new Expression.Fold(BinaryOperation.MAXIMUM, new Expression.Get(most))));
        Expression now = new Expression.Get(largest);
        // As long as all terms are minus infinity, every exponential is 0.
        writer.when(compare(Comparison.NOT_EQUAL, now, number(Double.NEGATIVE_INFINITY)), () -> {
            Expression current = writer.let(now);
            emitter.keep(maximum.result(), new Local.InVariable(current));
            // What has not grown shrinks nothing: the factor would be 1.
            writer.when(compare(Comparison.NOT_EQUAL, old, current), () -> {
                Expression scale = writer.let(new MathExpansion(writer)
                        .exponentialBelow(writer.let(subtract(old, current))));
                sums.forEach(node -> shrink(node, scale));
            });
            for (Node.Compute node : exponentials) {
                Local.InScratch room = ofTile(node, tile);
                Expression first = writer.let(multiply(points.point(), whole(tileLength)));
                choosing(isWhole, takesPart, 0, chosen -> inLanes(at -> writer.store(
                        room.buffer(), Build.add(first, at), Reductions.stored(node, writer.let(
                                chosen.of(at, exponential(
                                        node, writer.let(Build.add(tile, at)))))))));
            }
            then.run();
        });
    }

    /** Puts a number where lanes do not take part. */
    private interface Chosen {
        Expression of(Expression at, Expression value);
    }

    private void choosing(
            Optional<Expression> isWhole, UnaryOperator<Expression> takesPart,
            double otherwise, Consumer<Chosen> body) {
        Runnable some = () -> body.accept((at, value) ->
                select(takesPart.apply(at), value, real(vector(), otherwise)));
        isWhole.ifPresentOrElse(
                whole -> writer.when(whole, () -> body.accept((at, value) -> value), some), some);
    }

    /** Of what the maximum is taken of, no more than 1. */
    private Expression exponential(Node.Compute node, Expression place) {
        Scalar body = bodies.get(node);
        if (!(body instanceof Scalar.Apply power
                && power.operation() == Operation.EXPONENTIAL
                && power.operands().getFirst() instanceof Scalar.Apply difference
                && isMaximised(node, difference.operands().getFirst()))) {
            return inLanes(node, body, place);
        }
        return new MathExpansion(writer).exponentialBelow(
                writer.let(inLanes(node, difference, place)));
    }

    private boolean isMaximised(Node.Compute node, Scalar scalar) {
        return Substitution.apply(scalar, ofMaximum(node)).equals(maximum.body());
    }

    /** What makes a node's indices those of the maximum. */
    private Map<Index, Scalar> ofMaximum(Node.Compute node) {
        Map<Index, Scalar> renaming = new HashMap<>(Substitution.renaming(
                node.axes().subList(0, cluster.prefix()), maximum.axes()));
        renaming.put(axis(node).index(), Scalar.variable(axis(maximum).index()));
        return renaming;
    }

    /** Room for what the present point computes at a tile's places. */
    Local.InScratch ofTile(Node.Compute node, Expression tile) {
        return points.scratch(node, 0, tileLength, tile);
    }

    /** Multiplies a sum by what the maximum has grown. */
    private void shrink(Node.Compute node, Expression scale) {
        if (isSingle(node)) {
            Variable sum = singles.get(node);
            writer.assign(sum, multiply(
                    new Expression.Get(sum), ScalarEmitter.widen(scale, lanes)));
            return;
        }
        points.nest(node, points.ownAxes(node), at -> {
            Expression place = writer.let(points.scratchIndex(node, room(node)));
            int count = at.map(ScalarEmitter.Lanes::count).orElse(1);
            writer.store(room(node).buffer(), place, multiply(
                    new Expression.Load(room(node).buffer(), place, count, Optional.empty()),
                    ScalarEmitter.widen(scale, count)));
        });
    }

    /** Adds the terms of a tile to a sum without axes of its own. */
    void add(Node.Compute node, Expression tile) {
        Variable sum = singles.get(node);
        inLanes(at -> writer.assign(sum, Build.add(
                new Expression.Get(sum),
                inLanes(node, node.body(), writer.let(Build.add(tile, at))))));
    }

    /** Adds the terms of some places to a sum that has scratch memory. */
    void add(Node.Compute node, Expression from, Expression to) {
        List<Axis> own = points.ownAxes(node);
        Optional<Integer> vectors = own.size() == 1 && points.vectorisable(node, own.getFirst())
                ? wholeVectors(own.getFirst()) : Optional.empty();
        if (vectors.isPresent()) {
            inRegisters(node, own.getFirst(), vectors.get(), from, to);
            return;
        }
        points.nest(node, own, at -> {
            int count = at.map(ScalarEmitter.Lanes::count).orElse(1);
            Expression place = writer.let(points.scratchIndex(node, room(node)));
            Variable sum = writer.mutable(
                    new Expression.Load(room(node).buffer(), place, count, Optional.empty()));
            writer.loop(from, to, 1, s -> {
                emitter.bind(axis(node), s);
                writer.assign(sum, emitter.reductions().combined(
                        Reduction.Kind.SUM, sum, reading(node).body(), at));
            });
            writer.store(room(node).buffer(), place, new Expression.Get(sum));
        });
    }

    private Optional<Integer> wholeVectors(Axis axis) {
        return axis.lower().equals(Scalar.whole(0)) && axis.upper() instanceof Scalar.Whole extent
                && extent.value() % lanes == 0 && extent.value() / lanes <= VECTORS
                ? Optional.of((int) (extent.value() / lanes)) : Optional.empty();
    }

    private void inRegisters(
            Node.Compute node,
            Axis own,
            int vectors,
            Expression from,
            Expression to) {
        Buffer buffer = room(node).buffer();
        Expression first = writer.let(multiply(points.point(), whole((long) vectors * lanes)));
        List<Variable> parts = new ArrayList<>();
        for (int v = 0; v < vectors; v++) {
            parts.add(writer.mutable(new Expression.Load(
                    buffer, Build.add(first, whole((long) v * lanes)), lanes,
                    Optional.empty())));
        }
        Optional<ScalarEmitter.Lanes> at = Optional.of(
                new ScalarEmitter.Lanes(own.index(), lanes, Optional.empty()));
        writer.loop(from, to, 1, place -> {
            emitter.bind(axis(node), place);
            for (int v = 0; v < vectors; v++) {
                emitter.bind(own, whole((long) v * lanes));
                writer.assign(parts.get(v), emitter.reductions().combined(
                        Reduction.Kind.SUM, parts.get(v), reading(node).body(), at));
            }
        });
        for (int v = 0; v < vectors; v++) {
            writer.store(buffer, Build.add(first, whole((long) v * lanes)),
                    new Expression.Get(parts.get(v)));
        }
    }

    /** Behind the last tile. */
    void finish() {
        keep(maximum, writer.let(new Expression.Get(largest)));
        for (Node.Compute node : sums) {
            if (isSingle(node)) {
                keep(node, writer.let(Reductions.stored(node, new Expression.Fold(
                        BinaryOperation.ADD, new Expression.Get(singles.get(node))))));
            } else if (cluster.exported().contains(node.result())) {
                points.nest(node, points.ownAxes(node), at -> points.deliver(
                        node, at, new Expression.Load(room(node).buffer(),
                                points.scratchIndex(node, room(node)),
                                at.map(ScalarEmitter.Lanes::count).orElse(1),
                                Optional.empty())));
            }
        }
    }

    private void keep(Node.Compute node, Expression value) {
        emitter.keep(node.result(), new Local.InVariable(value));
        if (cluster.exported().contains(node.result())) {
            points.deliver(node, Optional.empty(), value);
        }
    }

    // ------------------------------------------------------------------ before the maximum

    /** A node along the axis: at all places of the axis in the tile, as what it reads is there. */
    void before(Node.Compute node, Expression tile, Expression from, Expression to) {
        locate(node, tile);
        if (emitter.local(node.result()).orElseThrow() instanceof Local.Inline) {
            return;
        }
        Optional<Scalar.Load> inner = inner(node);
        Expression rest = from;
        if (inner.isPresent()) {
            Local kept = emitter.local(inner.get().source()).orElseThrow();
            if (vectorised(node, bodies.get(node))) {
                if (readsOnlyCopies(node, inner.get())) {
                    // What is computed beside the places in question is left out later.
                    Expression begin = writer.let(multiply(
                            divide(from, whole(lanes)), whole(lanes)));
                    writer.loop(begin, to, lanes,
                            first -> beforeInLanes(node, inner.get(), first));
                    emitter.keep(inner.get().source(), kept);
                    return;
                }
                rest = inGroups(rest, to, lanes, first -> beforeInLanes(node, inner.get(), first));
                emitter.keep(inner.get().source(), kept);
            }
            rest = inGroups(rest, to, PLACES, first -> beforeSideBySide(node, inner.get(), first));
            emitter.keep(inner.get().source(), kept);
        }
        Scalar body = inner.isPresent() ? bodies.get(node) : node.body();
        writer.loop(rest, to, 1, place -> {
            emitter.bind(axis(node), place);
            deliver(node, body);
        });
    }

    /** Whether places of a tile are read from copies only, which have room for all of them. */
    private boolean readsOnlyCopies(Node.Compute node, Scalar.Load inner) {
        if (copied.isEmpty()) {
            return false;
        }
        boolean[] isCopied = {true};
        Node.Compute producer = before.stream()
                .filter(n -> n.result().equals(inner.source())).findFirst().orElseThrow();
        Walk.loads(reading(producer).body(), load -> isCopied[0] &= copied.get().isCopy(load)
                || !Walk.mentions(load, List.of(axis(producer).index())));
        Walk.loads(bodies.get(node), load -> isCopied[0] &= load.equals(inner)
                || !Walk.mentions(load, List.of(axis(node).index())));
        return isCopied[0];
    }

    /** Goes through as many whole groups of places as there are; gives the first place behind. */
    private Expression inGroups(
            Expression from, Expression to, long places, Consumer<Expression> body) {
        Expression rest = writer.let(Build.add(from, multiply(
                divide(subtract(to, from), whole(places)), whole(places))));
        writer.loop(from, rest, places, body);
        return rest;
    }

    private Node.Compute producer(Scalar.Load inner) {
        return ((Local.Inline) emitter.local(inner.source()).orElseThrow()).compute();
    }

    private void beforeInLanes(Node.Compute node, Scalar.Load inner, Expression first) {
        Expression values = emitter.reductions().inLanes(producer(inner), inner.coordinates(),
                place -> emitter.bind(axis(node), Build.add(first, whole(place))));
        emitter.keep(inner.source(), new Local.InVariable(values));
        emitter.bind(axis(node), first);
        points.deliver(node, lanes(node), Reductions.stored(
                node, emitter.spread(bodies.get(node), lanes(node))));
    }

    private void beforeSideBySide(Node.Compute node, Scalar.Load inner, Expression first) {
        List<Expression> values = emitter.reductions().sideBySide(
                producer(inner), inner.coordinates(), PLACES,
                place -> emitter.bind(axis(node), Build.add(first, whole(place))));
        for (int place = 0; place < PLACES; place++) {
            emitter.bind(axis(node), writer.let(Build.add(first, whole(place))));
            emitter.keep(inner.source(), new Local.InVariable(values.get(place)));
            deliver(node, bodies.get(node));
        }
    }

    /** Makes what the present point has of a node in a tile known to who reads it. */
    void locate(Node.Compute node, Expression tile) {
        if (node.reduction().isPresent() && isReadOnceByOne(node)) {
            emitter.keep(node.result(), new Local.Inline(reading(node), List.of()));
        } else {
            ofTile(node, tile);
        }
    }

    private void deliver(Node.Compute node, Scalar body) {
        points.deliver(node, Optional.empty(), Reductions.stored(node,
                node.reduction().isPresent()
                        ? emitter.reductions().element(node, Optional.empty())
                        : emitter.emit(body)));
    }

    /** The one inner reduction that a node reads, if several places of it go side by side. */
    private Optional<Scalar.Load> inner(Node.Compute node) {
        List<Scalar.Load> inner = new ArrayList<>();
        Walk.loads(bodies.get(node), load -> {
            if (emitter.local(load.source()).orElse(null) instanceof Local.Inline) {
                inner.add(load);
            }
        });
        List<Index> along = List.of(axis(node).index());
        return inner.size() == 1 && node.reduction().isEmpty()
                        && Vectors.harmlessAlong(bodies.get(node), along, emitter.facts())
                        && emitter.reductions().goesSideBySide(
                                producer(inner.getFirst()),
                                differing(inner.getFirst(), along))
                ? Optional.of(inner.getFirst()) : Optional.empty();
    }

    /** The indices of an inner reduction that differ between the places at which it is read. */
    private List<Index> differing(Scalar.Load inner, List<Index> along) {
        List<Axis> axes = producer(inner).axes();
        return IntStream.range(0, axes.size())
                .filter(i -> Walk.mentions(inner.coordinates().get(i), along))
                .mapToObj(i -> axes.get(i).index())
                .toList();
    }

    private boolean isReadOnceByOne(Node.Compute node) {
        int[] reads = {0};
        boolean[] isPlain = {true};
        for (Node reader : cluster.nodes()) {
            Walk.scalars(reader).forEach(s -> Walk.loads(s, load -> {
                if (load.source().equals(node.result())) {
                    reads[0]++;
                    isPlain[0] &= reader instanceof Node.Compute c && before.contains(c)
                            && c.reduction().isEmpty();
                }
            }));
        }
        return reads[0] == 1 && isPlain[0];
    }
}
