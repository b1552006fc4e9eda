package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Writes the nodes that are not computes over a rectangle: scatter, selection, sorting, states. */
final class IrregularSchedule {
    private final ScalarEmitter emitter;
    private final KernelWriter writer;

    IrregularSchedule(ScalarEmitter emitter) {
        this.emitter = emitter;
        this.writer = emitter.writer();
    }

    private static Expression load(Buffer buffer, Expression index) {
        return new Expression.Load(buffer, index, 1, Optional.empty());
    }

    // ------------------------------------------------------------------ scatter

    /** Writes into {@code result}, which has the base's content already. */
    PointSchedule.Plan scatter(Node.Scatter node) {
        Axis first = node.axes().getFirst();
        if (node.combine().isPresent()) {
            // Terms may meet in one element: they are added one after the other, in order.
            loops(node, node.result(), node.axes());
            return new PointSchedule.Plan(Scalar.whole(1), "scatter, in order");
        }
        emitter.bind(first, writer.tile());
        scatterPoint(node, node.result(), 1);
        return new PointSchedule.Plan(first.upper(), "scatter");
    }

    /**
     * Scatters what is at the present point of the first axes.
     *
     * @param memory what is changed
     */
    void scatterPoint(Node.Scatter node, Value memory, int prefix) {
        if (node.axes().size() == prefix) {
            element(node, memory, Optional.empty());
        } else {
            loops(node, memory, node.axes().subList(prefix, node.axes().size()));
        }
    }

    private void loops(Node.Scatter node, Value memory, List<Axis> axes) {
        Axis axis = axes.getFirst();
        Expression from = emitter.emit(axis.lower());
        Expression to = emitter.emit(axis.upper());
        if (axes.size() > 1) {
            writer.loop(from, to, 1, index -> {
                emitter.bind(axis, index);
                loops(node, memory, axes.subList(1, axes.size()));
            });
            return;
        }
        int lanes = emitter.facts().target().lanes();
        Expression rest = from;
        if (isSideBySide(node, axis)) {
            rest = writer.let(add(from, Build.multiply(
                    Build.divide(subtract(to, from), whole(lanes)), whole(lanes))));
            writer.loop(from, rest, lanes, index -> {
                emitter.bind(axis, index);
                element(node, memory, Optional.of(new ScalarEmitter.Lanes(
                        axis.index(), lanes, Optional.empty())));
            });
        }
        writer.loop(rest, to, 1, index -> {
            emitter.bind(axis, index);
            element(node, memory, Optional.empty());
        });
    }

    boolean isSideBySide(Node.Scatter node, Axis axis) {
        int last = node.target().size() - 1;
        return node.target().get(last).equals(Scalar.variable(axis.index()))
                && node.target().subList(0, last).stream().noneMatch(
                        t -> Walk.mentions(t, List.of(axis.index())))
                && node.body().format() == Format.F32
                && node.combine().map(k -> k == dev.weir.ir.tensor.Reduction.Kind.SUM)
                        .orElse(true)
                && Vectors.possible(node.body(), axis, emitter.facts());
    }

    void element(Node.Scatter node, Value memory, Optional<ScalarEmitter.Lanes> lanes) {
        List<Expression> target = new ArrayList<>();
        for (int axis = 0; axis < node.target().size(); axis++) {
            Expression at = writer.hoist(emitter.emit(node.target().get(axis)));
            if (node.checked() && !Walk.checks(node.target().get(axis))) {
                at = emitter.within(at, emitter.extent(node.result().type().shape().get(axis)),
                        "axis " + axis + " of " + node.result().name());
            }
            target.add(at);
        }
        ScalarEmitter.Place place = emitter.place(memory, target);
        Expression value = emitter.spread(node.body(), lanes);
        if (node.combine().isPresent()) {
            Expression old = new Expression.Load(
                    place.buffer(), place.index(),
                    lanes.map(ScalarEmitter.Lanes::count).orElse(1), Optional.empty());
            value = Reductions.combine(node.combine().get(), writer.let(old), value);
        }
        writer.store(place.buffer(), place.index(), value);
    }

    // ------------------------------------------------------------------ selection and sorting

    /**
     * @param all {@code i64[n]}, room for all indices
     * @param count {@code i64[1]}, how many were written
     */
    PointSchedule.Plan selection(Node.Selection node, Value all, Value count) {
        Buffer condition = writer.buffer(node.condition());
        Buffer indices = writer.buffer(all);
        Variable found = writer.mutable(whole(0));
        Expression extent = emitter.extent(node.condition().type().shape().getFirst());
        // What does not hold is written over by the next, so that nothing branches on data.
        writer.loop(whole(0), extent, 1, i -> {
            writer.store(indices, new Expression.Get(found), i);
            writer.assign(found, add(new Expression.Get(found),
                    Build.convert(Type.Element.I64, load(condition, i))));
        });
        writer.store(writer.buffer(count), whole(0), new Expression.Get(found));
        return new PointSchedule.Plan(Scalar.whole(1), "selection");
    }

    PointSchedule.Plan grouping(Node.Grouping node) {
        Buffer keys = writer.buffer(node.keys());
        Buffer order = writer.buffer(node.order());
        Buffer members = writer.buffer(node.members());
        Buffer offsets = writer.buffer(node.offsets());
        Buffer next = writer.scratch(Format.I64, node.groups() + 1);
        Expression n = emitter.extent(node.keys().type().shape().getFirst());
        Expression groups = whole(node.groups());
        writer.loop(whole(0), add(groups, whole(1)), 1, g -> writer.store(next, g, whole(0)));
        int code = writer.check("key {value} is not among the groups of " + node.keys().name()
                + ", of which there are {limit}");
        writer.loop(whole(0), n, 1, i -> {
            Expression key = writer.let(load(keys, i));
            writer.when(
                    binary(BinaryOperation.OR,
                            compare(Comparison.LESS, key, whole(0)),
                            compare(Comparison.GREATER_EQUAL, key, groups)),
                    () -> writer.fault(code, key, groups));
            writer.store(next, key, add(load(next, key), whole(1)));
        });
        Variable sum = writer.mutable(whole(0));
        writer.loop(whole(0), groups, 1, g -> {
            Expression count = writer.let(load(next, g));
            writer.store(offsets, g, new Expression.Get(sum));
            writer.store(next, g, new Expression.Get(sum));
            writer.assign(sum, add(new Expression.Get(sum), count));
        });
        writer.store(offsets, groups, new Expression.Get(sum));
        writer.loop(whole(0), n, 1, i -> {
            Expression key = writer.let(load(keys, i));
            Expression place = writer.let(load(next, key));
            writer.store(order, place, i);
            writer.store(members, place, key);
            writer.store(next, key, add(place, whole(1)));
        });
        return new PointSchedule.Plan(Scalar.whole(1), "grouping");
    }

    // ------------------------------------------------------------------ states

    PointSchedule.Plan appendRows(Node.AppendRows node) {
        return append(node, "append to a state", (sequence, used, row) -> add(used,
                subtract(row, load(writer.buffer(node.offsets()), sequence))));
    }

    /** Rows to the slots of their elements, which are the state's last ones. */
    PointSchedule.Plan fillRows(Node.AppendRows node) {
        Node.Among among = node.among().orElseThrow();
        return append(node, "fill a state", (sequence, used, row) -> {
            Buffer offsets = writer.buffer(among.offsets());
            Expression elements = subtract(
                    load(offsets, add(sequence, whole(1))), load(offsets, sequence));
            return add(subtract(used, elements), load(writer.buffer(among.places()), row));
        });
    }

    /** The slot to which a row goes, of a sequence whose state has {@code used} slots. */
    private interface Slot {
        Expression of(Expression sequence, Expression used, Expression row);
    }

    private PointSchedule.Plan append(Node.AppendRows node, String form, Slot slot) {
        State state = emitter.facts().state(node.state());
        Expression row = writer.tile();
        Expression sequence = writer.let(load(writer.buffer(node.segment()), row));
        List<Expression> place = new ArrayList<>();
        node.instances().forEach(i -> place.add(emitter.emit(i)));
        place.add(sequence);
        ScalarEmitter.Place length = emitter.place(state.lengths().orElseThrow(), place);
        Expression used = writer.let(load(length.buffer(), length.index()));
        place.add(writer.let(slot.of(sequence, used, row)));
        copyRow(node.rows(), row, state, place);
        return new PointSchedule.Plan(
                Scalar.extent(node.rows().type().shape().getFirst()), form);
    }

    PointSchedule.Plan writeRows(Node.WriteRows node) {
        State state = emitter.facts().state(node.state());
        Expression row = writer.tile();
        List<Expression> place = new ArrayList<>();
        node.instances().forEach(i -> place.add(emitter.emit(i)));
        place.add(writer.let(load(writer.buffer(node.segment()), row)));
        copyRow(node.rows(), row, state, place);
        return new PointSchedule.Plan(
                Scalar.extent(node.rows().type().shape().getFirst()), "write to a state");
    }

    /** Copies a row, whose elements lie side by side on both sides. */
    private void copyRow(Value rows, Expression row, State state, List<Expression> place) {
        List<Size> shape = rows.type().shape();
        long elements = 1;
        for (Size size : shape.subList(1, shape.size())) {
            elements *= size.constant().orElseThrow();
        }
        Expression source = writer.let(Build.multiply(row, whole(elements)));
        List<Expression> coordinates = new ArrayList<>(place);
        while (coordinates.size() < state.value().type().rank()) {
            coordinates.add(whole(0));
        }
        ScalarEmitter.Place target = emitter.place(state.value(), coordinates);
        Expression begin = writer.let(target.index());
        Buffer from = writer.buffer(rows);
        boolean lanesPossible = rows.type().format().compute() == Format.F32;
        int lanes = lanesPossible ? emitter.facts().target().lanes() : 1;
        long wide = elements / lanes * lanes;
        writer.loop(whole(0), whole(wide), lanes, i -> writer.store(
                target.buffer(), add(begin, i),
                new Expression.Load(from, add(source, i), lanes, Optional.empty())));
        if (wide < elements) {
            writer.loop(whole(wide), whole(elements), 1, i -> writer.store(
                    target.buffer(), add(begin, i), load(from, add(source, i))));
        }
    }
}
