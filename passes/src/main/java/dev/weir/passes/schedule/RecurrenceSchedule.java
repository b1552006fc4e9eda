package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.divide;
import static dev.weir.passes.schedule.Build.less;
import static dev.weir.passes.schedule.Build.minimum;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import dev.weir.passes.fuse.Cluster;
import dev.weir.passes.fuse.Recurrence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Writes a recurrence as a kernel over its points: each tile runs all rounds, one after the other,
 * for its point, or for some neighbours along the last shared axis.
 *
 * <p>What rounds hand on lies in memory (a state's, or that of what the loop results in) and is
 * changed there; within a round, nodes hand on what they compute in variables and scratch memory.
 */
final class RecurrenceSchedule {
    /** Elements of a point, or of neighbouring points together, that make a tile worth while. */
    private static final long SMALLEST_TILE = 128;

    private final Recurrence recurrence;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final PointSchedule points;
    private final IrregularSchedule irregular;
    private final List<Node.Compute> computes;
    private final int prefix;
    /** Computes that change memory as they go; nothing is left to do where they would be copied. */
    private final Map<Node.Compute, Local.InPlace> inPlace = new HashMap<>();

    RecurrenceSchedule(Recurrence recurrence, ScalarEmitter emitter) {
        this.recurrence = recurrence;
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.irregular = new IrregularSchedule(emitter);
        this.computes = recurrence.computes();
        this.prefix = recurrence.prefix();
        this.points = new PointSchedule(
                new Cluster(List.copyOf(computes), prefix, Set.of(), List.of(), List.of()),
                emitter);
    }

    PointSchedule.Plan write() {
        List<Size> shape = recurrence.shape();
        boolean elements = prefix > 1 && isElementwise();
        long chunk = prefix == 1 ? 1 : Math.max(1, SMALLEST_TILE / largestRoom());
        Size last = shape.getLast();
        List<Size> tiled = new ArrayList<>(shape);
        tiled.set(prefix - 1, Size.quotient(
                Size.sum(last, Size.of(chunk - 1)), Size.of(chunk)));
        List<Expression> place = new ArrayList<>(points.unflatten(writer.tile(), tiled));
        bindMemory(place.getFirst());
        Expression begin = writer.let(emitter.emit(recurrence.loop().from()));
        Expression end = writer.let(end(place.getFirst()));
        writer.when(less(begin, end), () -> writer.loop(begin, end, 1, round -> {
            emitter.keep(recurrence.loop().index(), new Local.InVariable(round));
            recurrence.nodes().forEach(this::once);
            List<Expression> outer = place.subList(0, prefix - 1);
            if (chunk == 1) {
                bind(outer, place.getLast());
                nodes(1);
                return;
            }
            Expression from = writer.hoist(multiply(place.getLast(), whole(chunk)));
            Expression to = writer.hoist(
                    minimum(add(from, whole(chunk)), emitter.extent(last)));
            if (elements) {
                inLanes(outer, from, to);
            } else {
                pointByPoint(outer, from, to);
            }
        }));
        return new PointSchedule.Plan(Scalar.extent(PointSchedule.product(tiled)),
                elements
                        ? "recurrence, " + emitter.facts().target().lanes() + " lanes"
                        : "recurrence");
    }

    /** The first round in which the present row does not take part. */
    private Expression end(Expression row) {
        Expression all = emitter.emit(recurrence.loop().to());
        return recurrence.rows().map(rows -> {
            emitter.bind(Axis.over(rows.row(), rows.all()), row);
            return minimum(all, emitter.emit(rows.end()));
        }).orElse(all);
    }

    private long largestRoom() {
        return computes.stream().mapToLong(c -> PointSchedule.product(c.result().type().shape()
                .subList(prefix, c.result().type().rank())).constant().orElseThrow())
                .max().orElse(1);
    }

    // ------------------------------------------------------------------ memory

    private void bindMemory(Expression row) {
        recurrence.rows().ifPresent(
                rows -> emitter.keep(rows.entrants(), new Local.InVariable(row)));
        for (int i = 0; i < recurrence.carried().size(); i++) {
            Value argument = recurrence.loop().body().arguments().get(i);
            Value result = recurrence.loop().results().get(i);
            switch (recurrence.carried().get(i)) {
                case Recurrence.Carried.Kept k -> { }
                case Recurrence.Carried.Scattered s ->
                        emitter.keep(argument, new Local.InPlace(result, List.of(row)));
                case Recurrence.Carried.Replaced r -> {
                    emitter.keep(argument, new Local.InPlace(result, List.of(row)));
                    List<Scalar> own = variables(r.compute());
                    if (hasOwnAxes(r.compute()) && recurrence.inPlace(
                            r.compute(), Optional.empty(), l -> l.source().equals(argument), own)) {
                        inPlace.put(r.compute(), new Local.InPlace(result, List.of(row)));
                    }
                }
            }
        }
        for (Node node : recurrence.nodes()) {
            if (node instanceof Node.WriteRows write) {
                bindState(write, row);
            }
        }
    }

    private void bindState(Node.WriteRows write, Expression row) {
        State state = emitter.facts().state(write.state());
        emitter.setChanging(state.value());
        Node.Compute rows = compute(write.rows());
        List<Scalar> own = new ArrayList<>(write.instances());
        own.add(Scalar.load(write.segment(),
                List.of(Scalar.variable(rows.axes().getFirst().index()))));
        own.addAll(variables(rows).subList(1, rows.axes().size()));
        if (hasOwnAxes(rows) && recurrence.inPlace(
                rows, Optional.of(write), l -> l.source().equals(state.value()), own)) {
            inPlace.putIfAbsent(rows, new Local.InPlace(state.value(), stateRow(write, row)));
        }
    }

    /** One element of a point is in a variable until it is written. */
    private boolean hasOwnAxes(Node.Compute compute) {
        return compute.axes().size() > prefix;
    }

    private List<Expression> stateRow(Node.WriteRows write, Expression row) {
        List<Expression> leading = new ArrayList<>();
        write.instances().forEach(i -> leading.add(emitter.emit(i)));
        leading.add(row);
        return leading;
    }

    private Node.Compute compute(Value value) {
        return computes.stream().filter(c -> c.result().equals(value)).findFirst().orElseThrow();
    }

    private static List<Scalar> variables(Node.Compute compute) {
        return compute.axes().stream().map(a -> Scalar.variable(a.index())).toList();
    }

    // ------------------------------------------------------------------ a round

    /** What is the same for all points. */
    private void once(Node node) {
        if (node instanceof Node.Compute c && c.result().type().rank() == 0) {
            emitter.keep(c.result(), new Local.InVariable(
                    writer.let(Reductions.stored(c, emitter.emit(c.body())))));
        }
    }

    private void bind(List<Expression> outer, Expression last) {
        List<Expression> place = new ArrayList<>(outer);
        place.add(last);
        points.bind(place);
        for (Node node : recurrence.nodes()) {
            if (node instanceof Node.Scatter scatter) {
                for (int i = 0; i < prefix; i++) {
                    emitter.bind(scatter.axes().get(i), place.get(i));
                }
            }
        }
    }

    /** A round of the present point, or of neighbouring points in lanes. */
    private void nodes(int lanes) {
        for (Node node : recurrence.nodes()) {
            switch (node) {
                case Node.Compute c when c.result().type().rank() == 0 -> { }
                case Node.Compute c when lanes == 1 -> compute(c);
                case Node.Compute c -> points.point(c, along(c.axes().getLast(), lanes));
                case Node.Scatter s when lanes == 1 ->
                        irregular.scatterPoint(s, memory(s), prefix);
                case Node.Scatter s -> irregular.element(
                        s, memory(s), along(s.axes().getLast(), lanes));
                case Node.WriteRows w -> {
                    Node.Compute rows = compute(w.rows());
                    copy(rows, emitter.facts().state(w.state()).value(),
                            stateRow(w, row(rows)), lanes);
                }
                default -> throw new IllegalStateException("not part of a recurrence: " + node);
            }
        }
        for (int i = 0; i < recurrence.carried().size(); i++) {
            if (recurrence.carried().get(i) instanceof Recurrence.Carried.Replaced r) {
                copy(r.compute(), recurrence.loop().results().get(i),
                        List.of(row(r.compute())), lanes);
            }
        }
    }

    private void compute(Node.Compute compute) {
        Local.InPlace memory = inPlace.get(compute);
        List<Axis> own = points.ownAxes(compute);
        if (own.isEmpty()) {
            points.point(compute, Optional.empty());
        } else if (memory != null) {
            emitter.keep(compute.result(), memory);
            points.nest(compute, own, lanes -> store(compute, memory, Reductions.stored(
                    compute, emitter.reductions().element(compute, lanes))));
        } else {
            points.scratch(compute, -1, 0, whole(0));
            points.nest(compute, own);
        }
    }

    private Expression row(Node.Compute compute) {
        return emitter.emit(variables(compute).getFirst());
    }

    /** The memory into which a scatter goes: that of the loop's result. */
    private Value memory(Node.Scatter scatter) {
        int i = recurrence.carried().indexOf(new Recurrence.Carried.Scattered(scatter));
        return recurrence.loop().results().get(i);
    }

    /** Copies what the present points have computed into memory, unless it is there. */
    private void copy(Node.Compute compute, Value memory, List<Expression> leading, int lanes) {
        if (inPlace.containsKey(compute) && inPlace.get(compute).memory().equals(memory)) {
            return;
        }
        Local.InPlace to = new Local.InPlace(memory, leading);
        Scalar value = Scalar.load(compute.result(), variables(compute));
        List<Axis> own = points.ownAxes(compute);
        if (own.isEmpty()) {
            store(compute, to, emitter.spread(value, along(compute.axes().getLast(), lanes)));
        } else {
            points.nest(compute, own,
                    inner -> store(compute, to, emitter.spread(value, inner)));
        }
    }

    private void store(Node.Compute compute, Local.InPlace memory, Expression value) {
        Expression kept = writer.let(value);
        List<Expression> at = new ArrayList<>(memory.leading());
        variables(compute).stream().skip(1).forEach(v -> at.add(emitter.emit(v)));
        ScalarEmitter.Place place = emitter.place(memory.memory(), at);
        writer.store(place.buffer(), place.index(), kept);
    }

    // ------------------------------------------------------------------ points side by side

    /** Whether neighbouring points of the last shared axis can go into the lanes of a vector. */
    private boolean isElementwise() {
        return recurrence.nodes().stream().allMatch(node -> switch (node) {
            case Node.Compute c when c.result().type().rank() == 0 -> true;
            case Node.Compute c -> c.axes().size() == prefix
                    && points.vectorisable(c, c.axes().getLast());
            case Node.Scatter s -> s.axes().size() == prefix
                    && irregular.isSideBySide(s, s.axes().getLast());
            default -> true;
        });
    }

    private void inLanes(List<Expression> outer, Expression from, Expression to) {
        int lanes = emitter.facts().target().lanes();
        Expression rest = writer.let(add(from, multiply(
                divide(subtract(to, from), whole(lanes)), whole(lanes))));
        writer.loop(from, rest, lanes, at -> {
            bind(outer, at);
            nodes(lanes);
        });
        pointByPoint(outer, rest, to);
    }

    private void pointByPoint(List<Expression> outer, Expression from, Expression to) {
        writer.loop(from, to, 1, at -> {
            bind(outer, at);
            nodes(1);
        });
    }

    private static Optional<ScalarEmitter.Lanes> along(Axis axis, int lanes) {
        return lanes == 1 ? Optional.empty()
                : Optional.of(new ScalarEmitter.Lanes(axis.index(), lanes, Optional.empty()));
    }
}
