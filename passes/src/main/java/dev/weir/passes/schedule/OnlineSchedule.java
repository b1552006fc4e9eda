package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.divide;
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

/**
 * Writes the walk of an online softmax in lanes along the streamed axis.
 *
 * <p>One condition says which places take part. A tile evaluates it first, into a mask in scratch
 * memory; if no place takes part, nothing else of the tile is done. The rest of the tile does all
 * its places, those outside of the axis too, and leaves out by the mask what does not take part:
 *
 * <pre>
 *   mask[s];  if any { a[s], 4 places at a time;  m = max a;  e[s] = exp(a[s] - m);
 *                      l = l · scale + e;  z[c] = z[c] · scale + sum[s] e[s] · v[s, c] }
 * </pre>
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
    /** What a node along the axis computes where it takes part. */
    private final Map<Node.Compute, Scalar> bodies = new HashMap<>();
    private final List<Node.Compute> before = new ArrayList<>();
    private final List<Node.Compute> exponentials = new ArrayList<>();
    private final List<Node.Compute> sums = new ArrayList<>();
    private final Map<Node.Compute, Variable> singles = new HashMap<>();
    private Variable largest;

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
        return Vectors.possible(body, axis(node).index(), emitter.facts())
                && Vectors.harmless(body);
    }

    private Axis axis(Node.Compute node) {
        return streaming.along().get(node);
    }

    private boolean isSingle(Node.Compute node) {
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
        Map<Index, Scalar> renaming = new HashMap<>(Substitution.renaming(
                node.axes().subList(0, cluster.prefix()), maximum.axes()));
        renaming.put(axis(node).index(), Scalar.variable(axis(maximum).index()));
        return Substitution.apply(apply.operands().get(0), renaming).equals(condition.get())
                ? Optional.of(apply.operands().get(1))
                : Optional.empty();
    }

    // ------------------------------------------------------------------ the walk

    /** Before the first tile. */
    void start() {
        largest = writer.mutable(real(new Type(Type.Element.F32, 1), Double.NEGATIVE_INFINITY));
        for (Node.Compute node : sums) {
            if (isSingle(node)) {
                singles.put(node, writer.mutable(real(vector(), 0)));
            } else {
                points.scratch(node, -1, 0, whole(0));
                points.nest(node, points.ownAxes(node), at -> points.store(
                        node, room(node), Reductions.identity(Reduction.Kind.SUM, Format.F32,
                                at.map(ScalarEmitter.Lanes::count).orElse(1))));
            }
        }
    }

    private Type vector() {
        return new Type(Type.Element.F32, lanes);
    }

    private Local.InScratch room(Node.Compute node) {
        return (Local.InScratch) emitter.local(node.result()).orElseThrow();
    }

    /** Which places may take part at all: bounds of the axis, narrowed by its condition. */
    Bounds bounds(Expression lower, Expression upper) {
        return maximum.reduction().orElseThrow().filter()
                .map(c -> Bounds.of(c, axis(maximum).index(), emitter, lower, upper))
                .orElse(new Bounds(lower, upper));
    }

    void tile(Expression tile, Expression from, Expression to) {
        Buffer mask = points.streamMask(tileLength);
        Variable any = writer.mutable(Build.truth(false));
        inLanes(at -> writer.store(mask, at, real(vector(), 0)));
        Optional<Scalar> condition = maximum.reduction().orElseThrow().filter();
        writer.loop(from, to, 1, place -> {
            emitter.bind(axis(maximum), place);
            Expression takes = writer.let(
                    condition.map(emitter::emit).orElse(Build.truth(true)));
            writer.assign(any, binary(BinaryOperation.OR, new Expression.Get(any), takes));
            writer.store(mask, subtract(place, tile), select(takes, number(1), number(0)));
        });
        writer.when(new Expression.Get(any), () -> open(mask, tile, from, to));
    }

    private static Expression number(double value) {
        return real(new Type(Type.Element.F32, 1), value);
    }

    /** Loops over a tile's vectors; the body gets the first place, counted from the tile. */
    private void inLanes(Consumer<Expression> body) {
        writer.loop(whole(0), whole(tileLength), lanes, body);
    }

    private Expression takesPart(Buffer mask, Expression at) {
        return compare(Comparison.NOT_EQUAL,
                new Expression.Load(mask, at, lanes, Optional.empty()), real(vector(), 0));
    }

    private Expression inLanes(Node.Compute node, Scalar body, Expression place) {
        emitter.bind(axis(node), place);
        return emitter.spread(body, Optional.of(new ScalarEmitter.Lanes(
                axis(node).index(), lanes, Optional.empty())));
    }

    private void open(Buffer mask, Expression tile, Expression from, Expression to) {
        for (Node.Compute node : before) {
            before(node, tile, from, to);
        }
        Variable most = writer.mutable(real(vector(), Double.NEGATIVE_INFINITY));
        inLanes(at -> writer.assign(most, binary(BinaryOperation.MAXIMUM,
                new Expression.Get(most),
                select(takesPart(mask, at),
                        inLanes(maximum, maximum.body(), writer.let(add(tile, at))),
                        real(vector(), Double.NEGATIVE_INFINITY)))));
        Expression old = writer.let(new Expression.Get(largest));
        writer.assign(largest, binary(BinaryOperation.MAXIMUM, old,
                new Expression.Fold(BinaryOperation.MAXIMUM, new Expression.Get(most))));
        Expression now = new Expression.Get(largest);
        // As long as all terms are minus infinity, every exponential is 0.
        writer.when(compare(Comparison.NOT_EQUAL, now, number(Double.NEGATIVE_INFINITY)), () -> {
            Expression current = writer.let(now);
            emitter.keep(maximum.result(), new Local.InVariable(current));
            Expression scale = writer.let(new MathExpansion(writer).exponential(
                    writer.let(subtract(old, current))));
            for (Node.Compute node : exponentials) {
                points.scratch(node, 0, tileLength, tile);
                inLanes(at -> {
                    Expression value = writer.let(select(takesPart(mask, at),
                            inLanes(node, bodies.get(node), writer.let(add(tile, at))),
                            real(vector(), 0)));
                    writer.store(room(node).buffer(), at, Reductions.stored(node, value));
                });
            }
            sums.forEach(node -> accumulate(node, scale, tile, from, to));
        });
    }

    private void accumulate(
            Node.Compute node, Expression scale, Expression tile, Expression from, Expression to) {
        if (isSingle(node)) {
            Variable sum = singles.get(node);
            writer.assign(sum, multiply(
                    new Expression.Get(sum), ScalarEmitter.widen(scale, lanes)));
            inLanes(at -> writer.assign(sum, add(
                    new Expression.Get(sum),
                    inLanes(node, node.body(), writer.let(add(tile, at))))));
            return;
        }
        List<Axis> own = points.ownAxes(node);
        Optional<Integer> vectors = own.size() == 1 && points.vectorisable(node, own.getFirst())
                ? wholeVectors(own.getFirst()) : Optional.empty();
        if (vectors.isPresent()) {
            inRegisters(node, own.getFirst(), vectors.get(), scale, from, to);
            return;
        }
        points.nest(node, own, at -> {
            int count = at.map(ScalarEmitter.Lanes::count).orElse(1);
            Expression place = writer.let(points.scratchIndex(node, room(node)));
            Variable sum = writer.mutable(multiply(
                    new Expression.Load(room(node).buffer(), place, count, Optional.empty()),
                    ScalarEmitter.widen(scale, count)));
            writer.loop(from, to, 1, s -> {
                emitter.bind(axis(node), s);
                writer.assign(sum, emitter.reductions().combined(
                        Reduction.Kind.SUM, sum, node.body(), at));
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
            Expression scale,
            Expression from,
            Expression to) {
        Buffer buffer = room(node).buffer();
        List<Variable> parts = new ArrayList<>();
        for (int v = 0; v < vectors; v++) {
            parts.add(writer.mutable(multiply(
                    new Expression.Load(
                            buffer, whole((long) v * lanes), lanes, Optional.empty()),
                    ScalarEmitter.widen(scale, lanes))));
        }
        Optional<ScalarEmitter.Lanes> at = Optional.of(
                new ScalarEmitter.Lanes(own.index(), lanes, Optional.empty()));
        writer.loop(from, to, 1, place -> {
            emitter.bind(axis(node), place);
            for (int v = 0; v < vectors; v++) {
                emitter.bind(own, whole((long) v * lanes));
                writer.assign(parts.get(v), emitter.reductions().combined(
                        Reduction.Kind.SUM, parts.get(v), node.body(), at));
            }
        });
        for (int v = 0; v < vectors; v++) {
            writer.store(buffer, whole((long) v * lanes), new Expression.Get(parts.get(v)));
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
    private void before(Node.Compute node, Expression tile, Expression from, Expression to) {
        if (node.reduction().isPresent() && isReadOnceByOne(node)) {
            emitter.keep(node.result(), new Local.Inline(node, List.of()));
            return;
        }
        points.scratch(node, 0, tileLength, tile);
        Optional<Scalar.Load> inner = inner(node);
        Expression rest = from;
        if (inner.isPresent()) {
            Node.Compute producer = ((Local.Inline) emitter.local(
                    inner.get().source()).orElseThrow()).compute();
            Local kept = emitter.local(producer.result()).orElseThrow();
            rest = writer.let(add(from, multiply(
                    divide(subtract(to, from), whole(PLACES)), whole(PLACES))));
            writer.loop(from, rest, PLACES, first -> {
                List<Expression> values = emitter.reductions().sideBySide(
                        producer, inner.get().coordinates(), PLACES,
                        place -> emitter.bind(axis(node), add(first, whole(place))));
                for (int place = 0; place < PLACES; place++) {
                    emitter.bind(axis(node), writer.let(add(first, whole(place))));
                    emitter.keep(producer.result(), new Local.InVariable(values.get(place)));
                    deliver(node, bodies.get(node));
                }
            });
            emitter.keep(producer.result(), kept);
        }
        Scalar body = inner.isPresent() ? bodies.get(node) : node.body();
        writer.loop(rest, to, 1, place -> {
            emitter.bind(axis(node), place);
            deliver(node, body);
        });
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
        return inner.size() == 1 && node.reduction().isEmpty()
                        && Vectors.harmless(bodies.get(node))
                        && emitter.local(inner.getFirst().source()).orElse(null)
                                instanceof Local.Inline inline
                        && emitter.reductions().goesSideBySide(inline.compute())
                ? Optional.of(inner.getFirst()) : Optional.empty();
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

    /** The places that a walk goes over. */
    record Bounds(Expression lower, Expression upper) {

        /** Narrowed by the parts of a condition that compare the index with something else. */
        static Bounds of(
                Scalar condition,
                Index index,
                ScalarEmitter emitter,
                Expression lower,
                Expression upper) {
            if (!(condition instanceof Scalar.Apply apply)) {
                return new Bounds(lower, upper);
            }
            Scalar left = apply.operands().get(0);
            Scalar right = apply.operands().size() > 1 ? apply.operands().get(1) : left;
            return switch (apply.operation()) {
                case AND -> {
                    Bounds first = of(left, index, emitter, lower, upper);
                    yield of(right, index, emitter, first.lower, first.upper);
                }
                case LESS_EQUAL -> below(left, right, 1, index, emitter, lower, upper);
                case LESS -> below(left, right, 0, index, emitter, lower, upper);
                case GREATER_EQUAL -> below(right, left, 1, index, emitter, lower, upper);
                case GREATER -> below(right, left, 0, index, emitter, lower, upper);
                default -> new Bounds(lower, upper);
            };
        }

        /** By {@code left - right < over}, if the index stands in it once, as it is or negated. */
        private static Bounds below(
                Scalar left,
                Scalar right,
                long over,
                Index index,
                ScalarEmitter emitter,
                Expression lower,
                Expression upper) {
            Scalar difference = Scalar.apply(Operation.SUBTRACT, left, right);
            if (left.format() != Format.I64 || !Vectors.harmless(difference)) {
                return new Bounds(lower, upper);
            }
            Optional<Boolean> isPositive = sign(difference, index);
            if (isPositive.isEmpty()) {
                return new Bounds(lower, upper);
            }
            KernelWriter writer = emitter.writer();
            Expression rest = emitter.emit(Substitution.apply(
                    difference, Map.of(index, Scalar.whole(0))));
            // s + rest < over, or rest - s < over.
            return isPositive.get()
                    ? new Bounds(lower, writer.let(binary(BinaryOperation.MINIMUM, upper,
                            writer.let(subtract(whole(over), rest)))))
                    : new Bounds(writer.let(binary(BinaryOperation.MAXIMUM, lower,
                            writer.let(add(subtract(rest, whole(over)), whole(1))))), upper);
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
}
