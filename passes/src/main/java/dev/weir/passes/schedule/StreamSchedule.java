package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Streaming;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Writes the nodes of one point that walk along an axis of run-time extent, tile by tile.
 *
 * <p>A reduction over the axis can only be used once all tiles have been seen, so there is a walk
 * for each generation of reductions, and what a walk needs along the axis is computed again. The
 * one
 * exception pays off: sums of terms that are proportional to {@code exp(a - m)} with m the maximum
 * of a can join the walk that finds m, if they are rescaled whenever m grows (M. Milakov and N.
 * Gimelshein, Online normalizer calculation for softmax, 2018).
 *
 * <p>Tiles begin at multiples of their length whatever the range, and terms are added in ascending
 * order, so that a longer axis whose new terms are neutral gives the same bits.
 */
final class StreamSchedule {
    private static final long TILE = 64;
    /** So many points go through the tiles together, where they read the same of them. */
    static final long BLOCK = 64;

    private final PointSchedule points;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Streaming streaming;
    private final Cluster cluster;
    private final Map<Value, Node> producers = new HashMap<>();
    private final Map<Node, Integer> generations = new HashMap<>();
    private final Map<Node, Variable> sums = new HashMap<>();
    private final Optional<Online> online;

    /** A maximum that is found while sums relative to it are made. */
    private record Online(Node.Compute maximum) {}

    StreamSchedule(PointSchedule points, Streaming streaming, Cluster cluster) {
        this.points = points;
        this.emitter = points.emitter();
        this.writer = points.writer();
        this.streaming = streaming;
        this.cluster = cluster;
        cluster.nodes().forEach(n -> n.results().forEach(v -> producers.put(v, n)));
        cluster.nodes().forEach(n -> generations.put(n, generation(n)));
        this.online = findOnline();
    }

    /** How the walk is done, for who looks at the program. */
    String form() {
        return online.isPresent() ? "streamed online" : "streamed";
    }

    /** Whether one walk in lanes finds the maximum and all sums. */
    boolean isInLanes() {
        return wholeWalk().isPresent();
    }

    /**
     * The shared axis whose neighbouring points read the same elements along the streamed axis, so
     * that they should go through its tiles together; if the walk can be written so.
     */
    Optional<Integer> axisOfBlocks() {
        boolean plain = cluster.nodes().stream().allMatch(n -> n instanceof Node.Compute c
                && (streaming.along().containsKey(n) || generations.get(n) > 0
                        || !points.ownAxes(c).isEmpty())
                && !(isAlong(n) && cluster.exported().contains(n.results().getFirst())));
        if (!plain || wholeWalk().isEmpty()) {
            return Optional.empty();
        }
        List<Size> shape = cluster.nodes().getFirst().results().getFirst().type().shape();
        return IntStream.range(0, cluster.prefix()).boxed()
                .filter(axis -> shape.get(axis).constant().filter(n -> n < BLOCK).isEmpty()
                        && points.isWhole(axis)
                        && cluster.nodes().stream().allMatch(n -> readsTheSame(n, axis)))
                .findFirst();
    }

    /**
     * Whether what a node reads along the streamed axis is the same at all points of a shared axis,
     * unless it stands at a place that is itself looked up.
     */
    private boolean readsTheSame(Node node, int axis) {
        Axis along = streaming.along().get(node);
        if (along == null) {
            return true;
        }
        Index shared = ((Node.Compute) node).axes().get(axis).index();
        boolean[] same = {true};
        Walk.scalars(node).forEach(s -> Walk.loads(s, load -> {
            boolean streamed = load.coordinates().stream().anyMatch(c -> names(c, along.index()));
            same[0] &= !streamed || producers.containsKey(load.source())
                    || load.coordinates().stream().noneMatch(c -> names(c, shared));
        }));
        return same[0];
    }

    /** Whether an index stands in an expression, but for places of what it looks up. */
    private static boolean names(Scalar scalar, Index index) {
        return scalar instanceof Scalar.Variable v && v.index().equals(index)
                || !(scalar instanceof Scalar.Load)
                        && Walk.operands(scalar).stream().anyMatch(o -> names(o, index));
    }

    /** Points that neighbour each other along an axis, up to {@link #BLOCK} of them. */
    void writeBlock(List<Expression> place, int axis, Expression first, Expression end) {
        List<Expression> at = new ArrayList<>(place);
        Consumer<Expression> bind = point -> {
            at.set(axis, point);
            points.bind(at);
        };
        new OnlineBlock(wholeWalk().orElseThrow(),
                new OnlineBlock.Block(BLOCK, axis, first, end, bind, besides(0)))
                .write(() -> besides(1).forEach(n -> points.node(n, at)));
    }

    /** What is computed before the walk (0) or behind it (1). */
    private List<Node.Compute> besides(int generation) {
        return cluster.nodes().stream()
                .filter(n -> !streaming.along().containsKey(n)
                        && Math.min(1, generations.get(n)) == generation)
                .map(n -> (Node.Compute) n).toList();
    }

    /** The one walk that finds the maximum and all sums, if it can be written in lanes. */
    private Optional<OnlineSchedule> wholeWalk() {
        return online.flatMap(o -> {
            List<Node.Compute> over = over(0);
            over.addAll(over(1));
            List<Node.Compute> needed = needed(over);
            return OnlineSchedule.of(points, streaming, cluster, TILE, o.maximum(),
                    needed.stream().filter(n -> generations.get(n) == 0).toList(),
                    needed.stream().filter(n -> generations.get(n) == 1).toList(),
                    over.stream().filter(n -> n != o.maximum()).toList());
        });
    }

    private boolean isAlong(Node node) {
        return node instanceof Node.Compute c
                && streaming.along().containsKey(c)
                && c.axes().contains(streaming.along().get(c));
    }

    private boolean isOver(Node node) {
        return streaming.along().containsKey(node) && !isAlong(node);
    }

    /** After how many walks a node can be computed, or in which walk it takes part. */
    private int generation(Node node) {
        int generation = 0;
        for (Value value : Walk.reads(node)) {
            Node producer = producers.get(value);
            if (producer != null && producer != node) {
                int its = generations.getOrDefault(producer, 0) + (isOver(producer) ? 1 : 0);
                generation = Math.max(generation, its);
            }
        }
        return generation;
    }

    void write(List<Expression> place) {
        int last = generations.values().stream().mapToInt(g -> g).max().orElse(0);
        for (int g = 0; g <= last; g++) {
            for (Node node : cluster.nodes()) {
                if (generations.get(node) == g && !streaming.along().containsKey(node)) {
                    points.node(node, place);
                }
            }
            if (online.isPresent() && g == 1) {
                continue;
            }
            List<Node.Compute> over = over(g);
            if (online.isPresent() && g == 0) {
                over.addAll(over(1));
            }
            if (!over.isEmpty()) {
                walk(over);
            }
        }
        exportAlong();
    }

    private List<Node.Compute> over(int generation) {
        List<Node.Compute> over = new ArrayList<>();
        for (Node node : cluster.nodes()) {
            if (isOver(node) && generations.get(node) == generation) {
                over.add((Node.Compute) node);
            }
        }
        return over;
    }

    /** Values along the axis that somebody outside reads are written in a walk of their own. */
    private void exportAlong() {
        List<Node.Compute> exported = new ArrayList<>();
        for (Node node : cluster.nodes()) {
            if (isAlong(node) && cluster.exported().contains(node.results().getFirst())) {
                exported.add((Node.Compute) node);
            }
        }
        if (!exported.isEmpty()) {
            Set<Node.Compute> all = new LinkedHashSet<>(needed(exported));
            all.addAll(exported);
            tiles((tile, from, to) -> cluster.nodes().stream()
                    .filter(all::contains)
                    .forEach(n -> along((Node.Compute) n, tile, from, to)));
        }
    }

    // ------------------------------------------------------------------ one walk

    private void walk(List<Node.Compute> over) {
        Optional<OnlineSchedule> inLanes = wholeWalk();
        if (inLanes.isPresent()) {
            inLanes.get().start();
            tiles(inLanes.get()::bounds, inLanes.get()::tile);
            inLanes.get().finish();
            return;
        }
        for (Node.Compute node : over) {
            start(node);
        }
        List<Node.Compute> needed = needed(over);
        tiles((tile, from, to) -> {
            if (online.isPresent()) {
                onlineTile(over, needed, tile, from, to);
            } else {
                needed.forEach(n -> along(n, tile, from, to));
                over.forEach(n -> accumulate(n, from, to));
            }
        });
        over.forEach(this::finish);
    }

    /** What is done in one tile, for the places from {@code from} up to {@code to}. */
    private interface Tile {
        void write(Expression tile, Expression from, Expression to);
    }

    private void tiles(Tile body) {
        tiles((lower, upper) -> new WalkBounds(lower, upper, true), body);
    }

    private void tiles(
            BiFunction<Expression, Expression, WalkBounds> narrow, Tile body) {
        Axis axis = streaming.axis();
        WalkBounds bounds = narrow.apply(
                writer.let(emitter.emit(axis.lower())), writer.let(emitter.emit(axis.upper())));
        Expression lower = bounds.lower();
        Expression upper = bounds.upper();
        Expression first = Build.isWhole(lower, 0)
                ? lower
                : multiply(divide(lower, whole(TILE)), whole(TILE));
        writer.loop(first, upper, TILE, tile -> {
            Expression from = Build.isWhole(lower, 0)
                    ? tile
                    : writer.let(binary(BinaryOperation.MAXIMUM, tile, lower));
            body.write(tile, from, writer.let(minimum(add(tile, whole(TILE)), upper)));
        });
    }

    /** The nodes along the axis that some reductions need, in order. */
    private List<Node.Compute> needed(List<Node.Compute> over) {
        Set<Node> wanted = new LinkedHashSet<>();
        over.forEach(n -> want(n, wanted));
        List<Node.Compute> needed = new ArrayList<>();
        for (Node node : cluster.nodes()) {
            if (wanted.contains(node) && isAlong(node)) {
                needed.add((Node.Compute) node);
            }
        }
        return needed;
    }

    private void want(Node node, Set<Node> wanted) {
        for (Value value : Walk.reads(node)) {
            Node producer = producers.get(value);
            if (producer != null && isAlong(producer) && wanted.add(producer)) {
                want(producer, wanted);
            }
        }
    }

    /** Computes one tile of a node along the axis. */
    private void along(Node.Compute node, Expression tile, Expression from, Expression to) {
        List<Axis> own = points.ownAxes(node);
        int streamed = own.indexOf(streaming.along().get(node));
        if (isReadOnceAtItsPlace(node)) {
            emitter.keep(node.result(), new Local.Inline(node, List.of()));
            return;
        }
        points.scratch(node, streamed, TILE, tile);
        tileNest(node, own, 0, streamed, from, to, lanes -> points.deliver(
                node, lanes, Reductions.stored(
                        node, emitter.reductions().element(node, lanes))));
    }

    /**
     * A reduction that one other node reads, at the same place, is computed there: under that
     * node's
     * condition, if it has one, so that what a mask hides is never computed.
     */
    private boolean isReadOnceAtItsPlace(Node.Compute node) {
        if (node.reduction().isEmpty()) {
            return false;
        }
        int[] reads = {0};
        boolean[] same = {true};
        for (Node reader : cluster.nodes()) {
            Walk.scalars(reader).forEach(s -> Walk.loads(s, load -> {
                if (load.source().equals(node.result())) {
                    reads[0]++;
                    same[0] &= reader instanceof Node.Compute c
                            && c.reduction().isEmpty()
                            && c.axes().size() == load.coordinates().size();
                }
            }));
        }
        return reads[0] == 1 && same[0];
    }

    private void tileNest(
            Node.Compute node,
            List<Axis> own,
            int depth,
            int streamed,
            Expression from,
            Expression to,
            PointSchedule.Element element) {
        Axis axis = own.get(depth);
        Expression begin = depth == streamed ? from : emitter.emit(axis.lower());
        Expression end = depth == streamed ? to : emitter.emit(axis.upper());
        if (depth == own.size() - 1) {
            points.lastAxis(node, axis, begin, end, element);
            return;
        }
        writer.loop(begin, end, 1, index -> {
            emitter.bind(axis, index);
            tileNest(node, own, depth + 1, streamed, from, to, element);
        });
    }

    // ------------------------------------------------------------------ reductions

    private boolean isSingle(Node.Compute node) {
        return node.axes().size() == cluster.prefix();
    }

    private void start(Node.Compute node) {
        Reduction.Kind kind = node.reduction().orElseThrow().kind();
        Format format = node.body().format();
        if (isSingle(node)) {
            sums.put(node, writer.mutable(Reductions.identity(kind, format, 1)));
            return;
        }
        Local.InScratch room = points.scratch(node, -1, 0, whole(0));
        points.nest(node, points.ownAxes(node), lanes -> points.store(
                node, room, Reductions.identity(
                        kind, format, lanes.map(ScalarEmitter.Lanes::count).orElse(1))));
    }

    /** Adds the terms of one tile. */
    private void accumulate(Node.Compute node, Expression from, Expression to) {
        Reduction reduction = node.reduction().orElseThrow();
        if (isSingle(node)) {
            terms(node, reduction.axes(), sums.get(node), from, to, Optional.empty());
            return;
        }
        Local.InScratch room = (Local.InScratch) emitter.local(node.result()).orElseThrow();
        points.nest(node, points.ownAxes(node), lanes -> {
            int count = lanes.map(ScalarEmitter.Lanes::count).orElse(1);
            Expression place = writer.let(points.scratchIndex(node, room));
            Variable sum = writer.mutable(
                    new Expression.Load(room.buffer(), place, count, Optional.empty()));
            terms(node, reduction.axes(), sum, from, to, lanes);
            writer.store(room.buffer(), place, new Expression.Get(sum));
        });
    }

    private void terms(
            Node.Compute node,
            List<Axis> axes,
            Variable sum,
            Expression from,
            Expression to,
            Optional<ScalarEmitter.Lanes> lanes) {
        Reduction reduction = node.reduction().orElseThrow();
        if (axes.isEmpty()) {
            Runnable term = () -> writer.assign(sum, emitter.reductions().combined(
                    reduction.kind(), sum, node.body(), lanes));
            if (reduction.filter().isPresent()) {
                writer.when(emitter.emit(reduction.filter().get()), term);
            } else {
                term.run();
            }
            return;
        }
        Axis axis = axes.getFirst();
        boolean streamed = axis.equals(streaming.along().get(node));
        Expression begin = streamed ? from : emitter.emit(axis.lower());
        Expression end = streamed ? to : emitter.emit(axis.upper());
        writer.loop(begin, end, 1, index -> {
            emitter.bind(axis, index);
            terms(node, axes.subList(1, axes.size()), sum, from, to, lanes);
        });
    }

    private void finish(Node.Compute node) {
        if (isSingle(node)) {
            Expression value = writer.let(
                    Reductions.stored(node, new Expression.Get(sums.get(node))));
            emitter.keep(node.result(), new Local.InVariable(value));
            if (cluster.exported().contains(node.result())) {
                points.deliver(node, Optional.empty(), value);
            }
        } else if (cluster.exported().contains(node.result())) {
            Local.InScratch room = (Local.InScratch) emitter.local(node.result()).orElseThrow();
            points.nest(node, points.ownAxes(node), lanes -> points.deliver(
                    node, lanes, new Expression.Load(
                            room.buffer(),
                            points.scratchIndex(node, room),
                            lanes.map(ScalarEmitter.Lanes::count).orElse(1),
                            Optional.empty())));
        }
    }

    // ------------------------------------------------------------------ online

    private void onlineTile(
            List<Node.Compute> over,
            List<Node.Compute> needed,
            Expression tile,
            Expression from,
            Expression to) {
        Node.Compute maximum = online.orElseThrow().maximum();
        needed.stream()
                .filter(n -> generations.get(n) == 0)
                .forEach(n -> along(n, tile, from, to));
        Variable largest = sums.get(maximum);
        Expression before = writer.let(new Expression.Get(largest));
        accumulate(maximum, from, to);
        Expression now = new Expression.Get(largest);
        Expression some = compare(
                Comparison.NOT_EQUAL, now, real(now.type(), Double.NEGATIVE_INFINITY));
        // As long as all terms are minus infinity, every exponential is 0.
        writer.when(some, () -> {
            Expression current = writer.let(now);
            emitter.keep(maximum.result(), new Local.InVariable(current));
            Expression scale = new MathExpansion(writer).exponential(
                    writer.let(subtract(before, current)));
            for (Node.Compute node : over) {
                if (node != maximum) {
                    rescale(node, scale);
                }
            }
            needed.stream()
                    .filter(n -> generations.get(n) == 1)
                    .forEach(n -> along(n, tile, from, to));
            for (Node.Compute node : over) {
                if (node != maximum) {
                    accumulate(node, from, to);
                }
            }
        });
    }

    private void rescale(Node.Compute node, Expression scale) {
        if (isSingle(node)) {
            Variable sum = sums.get(node);
            writer.assign(sum, multiply(new Expression.Get(sum), scale));
            return;
        }
        Local.InScratch room = (Local.InScratch) emitter.local(node.result()).orElseThrow();
        points.nest(node, points.ownAxes(node), lanes -> {
            int count = lanes.map(ScalarEmitter.Lanes::count).orElse(1);
            Expression place = writer.let(points.scratchIndex(node, room));
            Expression old = new Expression.Load(room.buffer(), place, count, Optional.empty());
            writer.store(
                    room.buffer(), place, multiply(old, ScalarEmitter.widen(scale, count)));
        });
    }

    /** The maximum to which all later sums are relative, if that is how the nodes look. */
    private Optional<Online> findOnline() {
        List<Node.Compute> first = over(0);
        List<Node.Compute> second = over(1);
        int last = generations.entrySet().stream()
                .filter(e -> streaming.along().containsKey(e.getKey()))
                .mapToInt(Map.Entry::getValue)
                .max()
                .orElse(0);
        if (first.size() != 1 || second.isEmpty() || last != 1) {
            return Optional.empty();
        }
        Node.Compute maximum = first.getFirst();
        if (maximum.reduction().orElseThrow().kind() != Reduction.Kind.MAXIMUM
                || !isSingle(maximum)
                || maximum.body().format() != Format.F32) {
            return Optional.empty();
        }
        Set<Value> relative = new HashSet<>();
        for (Node node : cluster.nodes()) {
            boolean later = generations.get(node) >= 1 && streaming.along().containsKey(node);
            if (!later) {
                continue;
            }
            Node.Compute compute = (Node.Compute) node;
            boolean readsMaximum = Walk.reads(compute).contains(maximum.result());
            if (isAlong(compute)) {
                if (!OnlineForm.isExponential(compute.body(), maximum.result())) {
                    return Optional.empty();
                }
                relative.add(compute.result());
            } else if (readsMaximum
                    || compute.reduction().orElseThrow().kind() != Reduction.Kind.SUM
                    || !OnlineForm.isProportional(compute.body(), relative)) {
                return Optional.empty();
            }
        }
        boolean between = cluster.nodes().stream().anyMatch(n ->
                generations.get(n) == 1
                        && !streaming.along().containsKey(n)
                        && readsByWalk(n.results(), second));
        return between ? Optional.empty() : Optional.of(new Online(maximum));
    }

    private static boolean readsByWalk(List<Value> values, List<Node.Compute> walk) {
        return walk.stream().anyMatch(n -> Walk.reads(n).stream().anyMatch(values::contains));
    }
}
