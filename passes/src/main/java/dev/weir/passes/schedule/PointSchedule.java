package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.maximum;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.remainder;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Streaming;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Writes a cluster as a kernel over the points of its shared axes: at each point, its nodes one
 * after the other, with what they hand to each other in variables and scratch memory.
 *
 * <p>If every node has just the shared axes, neighbouring points of the last one go into the lanes
 * of a vector; otherwise a tile is one point, and the nodes' own axes are vectorised.
 */
final class PointSchedule {
    /** Neighbouring points in one tile of a kernel without axes of its own: at most, at least. */
    private static final long CHUNK = 1024;
    private static final long LEAST_CHUNK = 64;
    /** Terms of sums after which a tile is long enough. */
    private static final long TERMS = 16384;
    /** Rows of elements that go together where nothing asks for borders. */
    private static final int NEIGHBOURS = 4;

    private final Cluster cluster;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Set<Value> inside = new HashSet<>();
    private final Map<Value, Buffer> scratches = new HashMap<>();
    /** How many points have room in scratch memory, and which of them is the present one. */
    private long together = 1;
    private Expression point = whole(0);

    PointSchedule(Cluster cluster, ScalarEmitter emitter) {
        this.cluster = cluster;
        this.emitter = emitter;
        this.writer = emitter.writer();
        cluster.nodes().forEach(n -> inside.addAll(n.results()));
    }

    /** What a finished kernel is launched over, and how it came about. */
    record Plan(Scalar tiles, String form) {}

    Plan write() {
        boolean elements = cluster.nodes().stream().allMatch(
                n -> n instanceof Node.Compute c && c.axes().size() == cluster.prefix());
        return elements ? writeElements() : writePoints();
    }

    // ------------------------------------------------------------------ elements side by side

    private Plan writeElements() {
        Node.Compute first = (Node.Compute) cluster.nodes().getFirst();
        List<Axis> shared = first.axes();
        if (shared.isEmpty()) {
            cluster.nodes().forEach(n -> point((Node.Compute) n, Optional.empty()));
            return new Plan(Scalar.whole(1), "one element");
        }
        List<Size> shape = first.result().type().shape();
        List<Size> rows = shape.subList(0, shape.size() - 1);
        Size last = shape.getLast();
        int lanes = emitter.facts().target().lanes();
        long most = Math.clamp(TERMS / terms() / lanes * lanes, LEAST_CHUNK, CHUNK);
        long chunk = last.constant().filter(n -> n > 0 && n <= 2 * most).orElse(most);
        boolean vector = cluster.nodes().stream().allMatch(n -> vectorisable(
                (Node.Compute) n, ((Node.Compute) n).axes().getLast()));
        String form = vector ? "elements, " + lanes + " lanes" : "elements";
        Optional<Interior> interior = vector && last.isConstant()
                ? interior(rows) : Optional.empty();
        if (interior.isPresent()) {
            long together = Math.max(1, most / chunk / NEIGHBOURS) * NEIGHBOURS;
            return new Plan(shortRows(rows, together, (begin, end) ->
                    neighbours(first, interior.get(), begin, end)), form);
        }
        if (chunk <= most / 2 && last.isConstant() && !rows.isEmpty()) {
            Expression length = emitter.extent(last);
            return new Plan(shortRows(rows, most / chunk, (begin, end) ->
                    writer.loop(begin, end, 1,
                            row -> row(first, row, whole(0), length, vector))), form);
        }
        Size chunks = Size.quotient(
                Size.sum(last, Size.of(chunk - 1)), Size.of(chunk));
        Expression count = emitter.extent(chunks);
        Expression row = writer.let(divide(writer.tile(), count));
        Expression from = writer.let(multiply(remainder(writer.tile(), count), whole(chunk)));
        Expression to = writer.let(
                minimum(add(from, whole(chunk)), emitter.extent(last)));
        row(first, row, from, to, vector);
        return new Plan(Scalar.extent(Size.product(product(rows), chunks)), form);
    }

    /** How many terms the longest sum of a point has, as far as that is known. */
    private long terms() {
        return cluster.nodes().stream()
                .mapToLong(n -> ((Node.Compute) n).reduction().stream()
                        .flatMap(r -> r.axes().stream())
                        .mapToLong(a -> a.upper() instanceof Scalar.Whole w
                                ? Math.clamp(w.value(), 1, TERMS) : 1)
                        .reduce(1, (a, b) -> Math.min(TERMS, a * b)))
                .max().orElse(1);
    }

    /** A tile takes some rows. */
    private Scalar shortRows(
            List<Size> rows, long together, BiConsumer<Expression, Expression> body) {
        Size all = product(rows);
        Expression begin = writer.let(multiply(writer.tile(), whole(together)));
        // Handed over also if it is known: how many rows there are makes no other kernel.
        Expression end = writer.let(minimum(
                add(begin, whole(together)), writer.scalar(Scalar.extent(all))));
        body.accept(begin, end);
        return Scalar.extent(Size.quotient(
                Size.sum(all, Size.of(together - 1)), Size.of(together)));
    }

    /** The question whether rows read inside of everything, if that is worth asking. */
    private Optional<Interior> interior(List<Size> rows) {
        boolean isWide = !rows.isEmpty()
                && rows.getLast().constant().map(n -> n >= NEIGHBOURS).orElse(true);
        if (!isWide || !IntStream.rangeClosed(0, rows.size()).allMatch(this::isWhole)) {
            return Optional.empty();
        }
        List<Scalar> read = new ArrayList<>();
        List<Axis> axes = new ArrayList<>();
        List<Axis> reduced = new ArrayList<>();
        for (Node node : cluster.nodes()) {
            read.addAll(Walk.scalars(node));
            axes.addAll(((Node.Compute) node).axes());
            ((Node.Compute) node).reduction().ifPresent(r -> reduced.addAll(r.axes()));
        }
        return reduced.isEmpty()
                ? Optional.empty() : Interior.of(emitter, read, axes, reduced);
    }

    /**
     * Rows of elements. Neighbours that read inside of everything go together, and share what they
     * read of weights.
     */
    private void neighbours(
            Node.Compute first, Interior interior, Expression begin, Expression end) {
        List<Size> shape = first.result().type().shape();
        List<Size> rows = shape.subList(0, shape.size() - 1);
        List<Axis> along = cluster.nodes().stream()
                .map(n -> ((Node.Compute) n).axes().get(rows.size() - 1))
                .toList();
        writer.loop(begin, end, NEIGHBOURS, at -> {
            List<Expression> places = new ArrayList<>(unflatten(at, rows));
            bind(places);
            Expression place = places.getLast();
            Expression behind = writer.let(add(at, whole(NEIGHBOURS)));
            Expression fits = Build.and(
                    Build.compare(Expression.Comparison.LESS_EQUAL, behind, end),
                    Build.compare(Expression.Comparison.LESS_EQUAL,
                            add(place, whole(NEIGHBOURS)), emitter.extent(rows.getLast())));
            Expression together = writer.let(
                    Build.and(fits, interior.holds(along, NEIGHBOURS)));
            writer.when(together,
                    () -> emitter.interior(() -> points(
                            whole(0), whole(NEIGHBOURS), 1, 1, false, neighbour -> {
                                places.set(places.size() - 1,
                                        writer.let(add(place, neighbour)));
                                wholeRow(shape.getLast(), places, NEIGHBOURS);
                            })),
                    () -> writer.loop(at, writer.let(minimum(behind, end)), 1, row -> {
                        List<Expression> outer = unflatten(row, rows);
                        bind(outer);
                        writer.when(interior.holds(),
                                () -> emitter.interior(
                                        () -> wholeRow(shape.getLast(), outer, 1)),
                                () -> wholeRow(shape.getLast(), outer, 1));
                    }));
        });
    }

    /** All elements of a row in lanes, the rest one by one. */
    private void wholeRow(Size length, List<Expression> outer, int neighbours) {
        int lanes = emitter.facts().target().lanes();
        long all = length.constant().orElseThrow();
        long rest = all / lanes * lanes;
        points(whole(0), whole(rest), lanes, neighbours, false,
                index -> elements(outer, index, lanes));
        if (rest < all) {
            writer.loop(whole(rest), whole(all), 1, index -> elements(outer, index, 1));
        }
    }

    /** A part of a row of elements, those in the nodes' ranges. */
    private void row(
            Node.Compute first, Expression row, Expression from, Expression to, boolean vector) {
        List<Size> shape = first.result().type().shape();
        List<Expression> outer = unflatten(row, shape.subList(0, shape.size() - 1));
        int lanes = emitter.facts().target().lanes();
        bind(first, outer);
        writer.when(inRanges(first, shape.size() - 1), () -> {
            Axis along = first.axes().getLast();
            boolean full = along.covers(shape.getLast());
            Expression begin = full ? from
                    : writer.let(maximum(from, emitter.emit(along.lower())));
            Expression end = full ? to
                    : writer.let(maximum(begin, minimum(to, emitter.emit(along.upper()))));
            if (vector) {
                Expression rest = writer.let(add(begin, multiply(
                        divide(subtract(end, begin), whole(lanes)), whole(lanes))));
                points(begin, rest, lanes, index -> elements(outer, index, lanes));
                writer.loop(rest, end, 1, index -> elements(outer, index, 1));
            } else {
                points(begin, end, 1, index -> elements(outer, index, 1));
            }
        });
    }

    private void bind(Node.Compute compute, List<Expression> places) {
        for (int i = 0; i < places.size(); i++) {
            emitter.bind(compute.axes().get(i), places.get(i));
        }
    }

    /**
     * Whether the present point lies in the ranges of a node's first axes; empty if they are all of
     * these axes. Nodes that share points with others have such ranges only: what lies outside a
     * range is never computed, since its operands may be anything there.
     */
    private Optional<Expression> inRanges(Node.Compute compute, int axes) {
        Optional<Expression> all = Optional.empty();
        for (int i = 0; i < axes; i++) {
            Axis axis = compute.axes().get(i);
            if (axis.covers(compute.result().type().shape().get(i))) {
                continue;
            }
            Expression at = emitter.emit(Scalar.variable(axis.index()));
            Expression in = Build.and(
                    Build.compare(Expression.Comparison.GREATER_EQUAL, at,
                            emitter.emit(axis.lower())),
                    Build.less(at, emitter.emit(axis.upper())));
            all = Optional.of(all.map(a -> Build.and(a, in)).orElse(in));
        }
        return all;
    }

    static Size product(List<Size> sizes) {
        Size product = Size.of(1);
        for (Size size : sizes) {
            product = Size.product(product, size);
        }
        return product;
    }

    /** The places along some axes of a flat number. */
    List<Expression> unflatten(Expression flat, List<Size> shape) {
        List<Expression> places = new ArrayList<>();
        Expression rest = flat;
        for (int axis = shape.size() - 1; axis > 0; axis--) {
            Expression extent = emitter.extent(shape.get(axis));
            places.addFirst(writer.let(remainder(rest, extent)));
            rest = writer.let(divide(rest, extent));
        }
        if (!shape.isEmpty()) {
            places.addFirst(rest);
        }
        return places;
    }

    private void elements(List<Expression> outer, Expression last, int lanes) {
        for (Node node : cluster.nodes()) {
            Node.Compute compute = (Node.Compute) node;
            bind(compute, outer);
            Axis axis = compute.axes().getLast();
            emitter.bind(axis, last);
            point(compute, lanes == 1
                    ? Optional.empty()
                    : Optional.of(new ScalarEmitter.Lanes(
                            axis.index(), lanes, Optional.empty())));
        }
    }

    /** Computes a node without axes of its own at the present point. */
    void point(Node.Compute compute, Optional<ScalarEmitter.Lanes> lanes) {
        Expression value = writer.let(Reductions.stored(
                compute, emitter.reductions().element(compute, lanes)));
        emitter.keep(compute.result(), new Local.InVariable(value));
        export(compute, value);
    }

    private void export(Node.Compute compute, Expression value) {
        if (cluster.exported().contains(compute.result())) {
            List<Expression> coordinates = compute.axes().stream()
                    .map(a -> emitter.emit(Scalar.variable(a.index())))
                    .toList();
            ScalarEmitter.Place place = emitter.place(compute.result(), coordinates);
            writer.store(place.buffer(), place.index(), value);
        }
    }

    boolean vectorisable(Node.Compute compute, Axis axis) {
        if (compute.result().type().format().compute() != Format.F32
                || !Vectors.possible(compute.body(), axis, emitter.facts())
                || readsInline(compute)) {
            return false;
        }
        return compute.reduction().isEmpty()
                || compute.reduction().get().axes().stream().noneMatch(a ->
                                Walk.mentions(a.lower(), List.of(axis.index()))
                                        || Walk.mentions(a.upper(), List.of(axis.index())))
                        && compute.reduction().get().filter().map(f ->
                                !Walk.mentions(f, List.of(axis.index()))).orElse(true)
                        && compute.body().format() == Format.F32
                        && compute.reduction().get().kind()
                                != dev.weir.ir.tensor.Reduction.Kind.ARGUMENT_MAXIMUM;
    }

    private boolean readsInline(Node.Compute compute) {
        boolean[] found = {false};
        Walk.scalars(compute).forEach(s -> Walk.loads(s, load -> found[0] |=
                emitter.local(load.source()).orElse(null) instanceof Local.Inline));
        return found[0];
    }

    // ------------------------------------------------------------------ points one by one

    private Plan writePoints() {
        List<Size> shape = cluster.nodes().getFirst() instanceof Node.TopK topK
                ? topK.operand().type().shape()
                : cluster.nodes().getFirst().results().getFirst().type().shape();
        List<Size> shared = shape.subList(0, cluster.prefix());
        Optional<StreamSchedule> stream =
                stream(Streaming.of(cluster.nodes(), cluster.prefix(), inside)).or(() ->
                        stream(Streaming.alongLong(cluster.nodes(), cluster.prefix(), inside))
                                .filter(StreamSchedule::isInLanes));
        Optional<Integer> together = stream.flatMap(StreamSchedule::axisOfBlocks);
        if (together.isPresent()) {
            return writeBlocks(stream.get(), shared, together.get());
        }
        List<Expression> place = unflatten(writer.tile(), shared);
        bind(place);
        writer.when(inRanges(place), () -> stream.ifPresentOrElse(
                s -> s.write(place), () -> cluster.nodes().forEach(n -> node(n, place))));
        return new Plan(Scalar.extent(product(shared)),
                "points" + stream.map(s -> ", " + s.form()).orElse(""));
    }

    private Optional<StreamSchedule> stream(Optional<Streaming> streaming) {
        return streaming.filter(this::isStreamed)
                .map(s -> new StreamSchedule(this, s, cluster));
    }

    /** As points, but some neighbours along one axis go through what is streamed together. */
    private Plan writeBlocks(StreamSchedule stream, List<Size> shared, int axis) {
        Size extent = shared.get(axis);
        Size length = Size.of(StreamSchedule.BLOCK);
        // Blocks that read the same are launched one behind the other.
        List<Size> blocks = new ArrayList<>(shared);
        blocks.remove(axis);
        blocks.add(Size.quotient(Size.sum(extent, Size.of(StreamSchedule.BLOCK - 1)), length));
        List<Expression> place = new ArrayList<>(unflatten(writer.tile(), blocks));
        Expression first = writer.let(
                multiply(place.removeLast(), whole(StreamSchedule.BLOCK)));
        Expression end = writer.let(minimum(
                add(first, whole(StreamSchedule.BLOCK)), emitter.extent(extent)));
        place.add(axis, first);
        bind(place);
        writer.when(inRanges(place), () -> stream.writeBlock(place, axis, first, end));
        return new Plan(Scalar.extent(product(blocks)), "points in blocks, " + stream.form());
    }

    void bind(List<Expression> place) {
        for (Node node : cluster.nodes()) {
            if (node instanceof Node.Compute compute) {
                bind(compute, place);
            }
        }
    }

    private Optional<Expression> inRanges(List<Expression> place) {
        return cluster.nodes().getFirst() instanceof Node.Compute compute
                ? inRanges(compute, place.size()) : Optional.empty();
    }

    /** Whether no node leaves out some of the points along a shared axis. */
    boolean isWhole(int axis) {
        return cluster.nodes().stream().allMatch(n -> n instanceof Node.Compute c
                && c.axes().get(axis).covers(c.result().type().shape().get(axis)));
    }

    /** Whether something of run-time extent has to stay inside. */
    private boolean isStreamed(Streaming streaming) {
        return streaming.along().entrySet().stream().anyMatch(e ->
                e.getKey() instanceof Node.Compute c
                        && c.axes().contains(e.getValue())
                        && !cluster.exported().contains(c.result()));
    }

    ScalarEmitter emitter() {
        return emitter;
    }

    KernelWriter writer() {
        return writer;
    }

    /** Computes a node at the present point, with all its own axes. */
    void node(Node node, List<Expression> place) {
        switch (node) {
            case Node.TopK topK ->
                    new TopKSchedule(emitter, cluster.exported()).write(topK, place);
            case Node.Compute compute when compute.axes().size() == cluster.prefix() ->
                    point(compute, Optional.empty());
            case Node.Compute compute -> {
                if (isReadInside(compute.result())) {
                    scratch(compute, -1, 0, whole(0));
                }
                nest(compute, ownAxes(compute));
            }
            default -> throw new IllegalStateException("not part of a point: " + node);
        }
    }

    List<Axis> ownAxes(Node.Compute compute) {
        return compute.axes().subList(cluster.prefix(), compute.axes().size());
    }

    private boolean isReadInside(Value value) {
        return cluster.nodes().stream().anyMatch(n -> Walk.reads(n).contains(value));
    }

    /** From here on, scratch memory has room for so many points, of which this is the present. */
    void together(long number, Expression present) {
        together = number;
        point = present;
    }

    long together() {
        return together;
    }

    Expression point() {
        return point;
    }

    /** Gives a value room in scratch memory. */
    Local.InScratch scratch(
            Node.Compute compute, int streamed, long tile, Expression tileStart) {
        List<Long> extents = new ArrayList<>();
        long elements = 1;
        List<Size> shape = compute.result().type().shape();
        for (int axis = cluster.prefix(); axis < shape.size(); axis++) {
            long extent = axis - cluster.prefix() == streamed
                    ? tile
                    : shape.get(axis).constant().orElseThrow();
            extents.add(extent);
            elements *= extent;
        }
        long room = together * elements;
        Buffer buffer = scratches.computeIfAbsent(
                compute.result(),
                v -> writer.scratch(v.type().format(), room + emitter.facts().target().lanes()));
        Local.InScratch local = new Local.InScratch(
                buffer, cluster.prefix(), extents, streamed, tileStart, point);
        emitter.keep(compute.result(), local);
        return local;
    }

    /** Loops over the own axes of a node, the last one in lanes where that is possible. */
    void nest(Node.Compute compute, List<Axis> axes) {
        nest(compute, axes, lanes -> deliver(compute, lanes, Reductions.stored(
                compute, emitter.reductions().element(compute, lanes))));
    }

    /** What is done at each element, or vector of elements, of a node's own axes. */
    interface Element {
        void write(Optional<ScalarEmitter.Lanes> lanes);
    }

    void nest(Node.Compute compute, List<Axis> axes, Element element) {
        Axis axis = axes.getFirst();
        Expression from = emitter.emit(axis.lower());
        Expression to = emitter.emit(axis.upper());
        if (axes.size() > 1) {
            writer.loop(from, to, 1, index -> {
                emitter.bind(axis, index);
                nest(compute, axes.subList(1, axes.size()), element);
            });
            return;
        }
        lastAxis(compute, axis, from, to, element);
    }

    /** The innermost loop: in lanes as far as they go, the rest one by one. */
    void lastAxis(
            Node.Compute compute, Axis axis, Expression from, Expression to, Element element) {
        int lanes = emitter.facts().target().lanes();
        Expression rest = from;
        boolean wide = !(to instanceof Expression.Whole t
                && from instanceof Expression.Whole f
                && t.value() - f.value() < lanes);
        if (wide && vectorisable(compute, axis)) {
            rest = writer.let(add(from, multiply(
                    divide(subtract(to, from), whole(lanes)), whole(lanes))));
            if (to instanceof Expression.Whole t && from instanceof Expression.Whole f) {
                rest = whole(f.value() + (t.value() - f.value()) / lanes * lanes);
            }
            points(from, rest, lanes, index -> {
                emitter.bind(axis, index);
                element.write(Optional.of(new ScalarEmitter.Lanes(
                        axis.index(), lanes, Optional.empty())));
            });
        }
        if (rest.equals(from)) {
            points(from, to, 1, index -> single(axis, index, element));
        } else if (!rest.equals(to)) {
            writer.loop(rest, to, 1, index -> single(axis, index, element));
        }
    }

    private void single(Axis axis, Expression index, Element element) {
        emitter.bind(axis, index);
        element.write(Optional.empty());
    }

    /** A loop over points that do not depend on one another; some go side by side. */
    private void points(
            Expression from, Expression to, long step, Consumer<Expression> body) {
        points(from, to, step, 1, false, body);
    }

    /**
     * A loop whose rounds go through loops inside together, where that pays.
     *
     * @param neighbours how many rounds of a loop outside go side by side too
     * @param isApart whether no round reads what another one writes, though they share buffers
     */
    void points(
            Expression from, Expression to, long step, long neighbours, boolean isApart,
            Consumer<Expression> body) {
        if (emitter.facts().isOn(ScheduleStep.UNROLL_AND_JAM)) {
            int registers =
                    (int) (emitter.facts().target().vectorRegisters() / 2 / neighbours);
            writer.points(from, to, step, registers, isApart, body);
        } else {
            writer.loop(from, to, step, body);
        }
    }

    /** Puts a computed element, or vector, where the node's readers look for it. */
    void deliver(Node.Compute compute, Optional<ScalarEmitter.Lanes> lanes, Expression value) {
        Expression kept = writer.let(value);
        if (emitter.local(compute.result()).orElse(null) instanceof Local.InScratch scratch) {
            store(compute, scratch, kept);
        }
        export(compute, kept);
    }

    void store(Node.Compute compute, Local.InScratch scratch, Expression value) {
        writer.store(scratch.buffer(), scratchIndex(compute, scratch), value);
    }

    /** The place of the present element of a node in its scratch memory. */
    Expression scratchIndex(Node.Compute compute, Local.InScratch scratch) {
        Expression index = scratch.point();
        List<Axis> own = ownAxes(compute);
        for (int axis = 0; axis < own.size(); axis++) {
            Expression at = emitter.emit(Scalar.variable(own.get(axis).index()));
            if (axis == scratch.streamed()) {
                at = subtract(at, scratch.tileStart());
            }
            index = add(multiply(index, whole(scratch.extents().get(axis))), at);
        }
        return index;
    }
}
