package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Lifts {@link Node.Route}: the (row, choice) pairs are sorted by the block that they chose, each
 * stretch of blocks runs over its pairs, and every row gathers what its choices gave.
 *
 * <pre>
 *   rank[p, j]    how many of row p's choices have a lower block index, or the same and stand
 *                 before: sums run by ascending index
 *   place[p, r]   the choice with rank r
 *   keys[p·k + r] the block of pair (p, r);   (order, members, offsets) = grouping of the keys
 *   out[g]        the block members[g] applied to row order[g] / k
 *   y[p]          sum[r] weight[p, place[p, r]] · out[inverse[p·k + r]]
 * </pre>
 */
final class LiftRoute {
    private final Lift lift;
    private final Context context;
    private final Node.Route node;
    private final long choices;

    LiftRoute(Lift lift, Context context, Node.Route node) {
        this.lift = lift;
        this.context = context;
        this.node = node;
        this.choices = node.selection().type().shape().getFirst().constant().orElseThrow(
                () -> Lift.unsupported(node.span(), "a route with a run-time number of choices"));
    }

    void run() {
        Value selection = lift.canonical(context, node.selection());
        Value weights = lift.canonical(context, node.weights());
        Size rows = context.frame.rows();
        Size pairs = Size.product(rows, Size.of(choices));
        Value place = places(selection, rows);

        Index q = context.identifiers.index("q");
        Value keys = vector("keys", pairs);
        compute(keys, q, pairs, Scalar.load(selection, List.of(
                row(q), Scalar.load(place, List.of(row(q), choice(q))))));
        long blocks = node.alternatives().stream().mapToLong(Node.Alternative::count).sum();
        Value order = vector("order", pairs);
        Value members = vector("members", pairs);
        Value offsets = vector("offsets", Size.of(blocks + 1));
        context.nodes.add(
                new Node.Grouping(order, members, offsets, keys, blocks, node.span()));
        lift.tally(context, node.path(), lift.uniform(context, node.instances()),
                Node.TallyKind.ROUTE, List.of(), Optional.of(offsets));
        Value inverse = inverse(order, pairs);
        Optional<Frame> stream = context.streamAxis(node.result().type().shape())
                .flatMap(a -> context.stream(node.result().type().shape().get(a)));
        Optional<Expansion> copies = stream.map(
                s -> Expansion.of(context, s, pairFrame(pairs, row -> row, order)));
        Value out = runBlocks(order, members, offsets, pairs, copies);
        combine(weights, place, keys, inverse, out, stream, copies);
    }

    /** The frame of some pairs in sorted order: each lies in the row that chose. */
    private Frame pairFrame(Size pairs, UnaryOperator<Scalar> sorted, Value order) {
        return Frame.inside(context.frame, pairs, row -> Scalar.apply(
                Operation.DIVIDE,
                Scalar.load(order, List.of(sorted.apply(row))),
                Scalar.whole(choices)));
    }

    private Scalar row(Index pair) {
        return Scalar.apply(Operation.DIVIDE, Scalar.variable(pair), Scalar.whole(choices));
    }

    private Scalar choice(Index pair) {
        return Scalar.apply(Operation.REMAINDER, Scalar.variable(pair), Scalar.whole(choices));
    }

    private Value vector(String name, Size size) {
        return context.identifiers.value(name, new TensorType(Format.I64, List.of(size)));
    }

    private void compute(Value result, Index index, Size size, Scalar body) {
        context.nodes.add(new Node.Compute(
                result, List.of(Axis.over(index, size)), Optional.empty(), body, Span.NONE));
    }

    /** {@code place[p, r]}: which choice of row p has rank r among its choices. */
    private Value places(Value selection, Size rows) {
        TensorType type = new TensorType(Format.I64, List.of(rows, Size.of(choices)));
        Index p = context.identifiers.index("p");
        Index j = context.identifiers.index("j");
        Index i = context.identifiers.index("i");
        Value rank = context.identifiers.value("rank", type);
        Scalar other = Scalar.load(selection, List.of(Scalar.variable(p), Scalar.variable(i)));
        Scalar own = Scalar.load(selection, List.of(Scalar.variable(p), Scalar.variable(j)));
        Scalar lower = Scalar.apply(Operation.OR,
                Scalar.apply(Operation.LESS, other, own),
                Scalar.apply(Operation.AND,
                        Scalar.apply(Operation.EQUAL, other, own),
                        Scalar.apply(Operation.LESS, Scalar.variable(i), Scalar.variable(j))));
        context.nodes.add(new Node.Compute(
                rank,
                List.of(Axis.over(p, rows), Axis.over(j, Size.of(choices))),
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(Axis.over(i, Size.of(choices))),
                        Optional.empty())),
                new Scalar.Convert(Format.I64, lower),
                Span.NONE));
        Index p2 = context.identifiers.index("p");
        Index r = context.identifiers.index("r");
        Index j2 = context.identifiers.index("j");
        Value place = context.identifiers.value("place", type);
        Scalar hasRank = Scalar.apply(
                Operation.EQUAL,
                Scalar.load(rank, List.of(Scalar.variable(p2), Scalar.variable(j2))),
                Scalar.variable(r));
        context.nodes.add(new Node.Compute(
                place,
                List.of(Axis.over(p2, rows), Axis.over(r, Size.of(choices))),
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(Axis.over(j2, Size.of(choices))),
                        Optional.empty())),
                Scalar.apply(
                        Operation.SELECT, hasRank, Scalar.variable(j2), Scalar.whole(0)),
                Span.NONE));
        return place;
    }

    private Value inverse(Value order, Size pairs) {
        Index i = context.identifiers.index("i");
        Value blank = vector("blank", pairs);
        compute(blank, i, pairs, Scalar.whole(0));
        Index g = context.identifiers.index("g");
        Value inverse = vector("inverse", pairs);
        context.nodes.add(new Node.Scatter(
                inverse,
                blank,
                List.of(Axis.over(g, pairs)),
                List.of(Scalar.load(order, List.of(Scalar.variable(g)))),
                Optional.empty(),
                false,
                Scalar.variable(g),
                Span.NONE));
        return inverse;
    }

    private Value runBlocks(
            Value order, Value members, Value offsets, Size pairs, Optional<Expansion> copies) {
        if (node.alternatives().size() == 1) {
            return runBlocks(
                    node.alternatives().getFirst(), pairs, row -> row, order, members);
        }
        Size rows = copies.map(c -> c.frame().rows()).orElse(pairs);
        List<Node.Alternative> blocks =
                node.alternatives().stream().filter(a -> !a.isNone()).toList();
        if (blocks.size() == 1 && blocks.getFirst().first() == 0) {
            Scalar last = Scalar.load(
                    offsets, List.of(Scalar.whole(blocks.getFirst().count())));
            return runBlocks(blocks.getFirst(), count(last), row -> row, order, members);
        }
        Value out = null;
        for (Node.Alternative alternative : blocks) {
            out = stretch(alternative, order, members, offsets, rows, copies, out);
        }
        return out;
    }

    /** Runs one stretch of the list over its pairs, and puts what they give at their places. */
    private Value stretch(
            Node.Alternative alternative,
            Value order,
            Value members,
            Value offsets,
            Size allRows,
            Optional<Expansion> copies,
            Value before) {
        Scalar first = Scalar.load(offsets, List.of(Scalar.whole(alternative.first())));
        Scalar last = Scalar.load(
                offsets, List.of(Scalar.whole(alternative.first() + alternative.count())));
        Size count = count(Scalar.apply(Operation.SUBTRACT, last, first));
        Value rows = runBlocks(alternative, count,
                row -> Scalar.apply(Operation.ADD, first, row), order, members);
        Scalar firstRow = copies.<Scalar>map(c -> Scalar.load(c.offsets(), List.of(first)))
                .orElse(first);
        List<Size> shape = new ArrayList<>(rows.type().shape());
        shape.set(0, allRows);
        TensorType type = new TensorType(rows.type().format(), shape);
        Value base = before == null ? blank(type) : before;
        List<Axis> axes = new ArrayList<>();
        List<Scalar> source = new ArrayList<>();
        List<Scalar> target = new ArrayList<>();
        for (Size size : rows.type().shape()) {
            Index index = context.identifiers.index("i");
            axes.add(Axis.over(index, size));
            source.add(Scalar.variable(index));
            target.add(target.isEmpty()
                    ? Scalar.apply(Operation.ADD, firstRow, Scalar.variable(index))
                    : Scalar.variable(index));
        }
        Value result = context.identifiers.value("routed", type);
        context.nodes.add(new Node.Scatter(
                result, base, axes, target, Optional.empty(), false,
                Scalar.load(rows, source), node.span()));
        return result;
    }

    /** So many pairs, as a size. */
    private Size count(Scalar pairs) {
        Value length = context.identifiers.value("pairs", TensorType.scalar(Format.I64));
        context.nodes.add(new Node.Compute(
                length, List.of(), Optional.empty(), pairs, Span.NONE));
        Size.Symbol count = context.identifiers.symbol("K");
        context.nodes.add(new Node.Measure(count, length));
        return count;
    }

    private Value blank(TensorType type) {
        List<Axis> axes = new ArrayList<>();
        for (Size size : type.shape()) {
            axes.add(Axis.over(context.identifiers.index("i"), size));
        }
        Value value = context.identifiers.value("blank", type);
        context.nodes.add(new Node.Compute(
                value, axes, Optional.empty(), new Scalar.Real(type.format().compute(), 0),
                Span.NONE));
        return value;
    }

    /** The blocks of one stretch over a frame of sorted pairs; gives {@code [pairs, own…]}. */
    private Value runBlocks(
            Node.Alternative alternative,
            Size rows,
            UnaryOperator<Scalar> sorted,
            Value order,
            Value members) {
        Frame frame = pairFrame(rows, sorted, order);
        Function function = lift.function(alternative.function());
        Context callee = context.chosen(frame);
        lift.bindSizes(context, callee, function.body().arguments(),
                node.arguments().stream().map(Value::type).toList());
        Map<Frame, Frame> copied = new HashMap<>();
        callee.meanings.replaceAll((symbol, meaning) -> meaning instanceof Meaning.Stream stream
                ? new Meaning.Stream(copied.computeIfAbsent(stream.frame(),
                        f -> Expansion.of(context, f, frame).frame()))
                : meaning);
        for (int a = 0; a < node.arguments().size(); a++) {
            callee.values.put(function.body().arguments().get(a),
                    context.lifted(node.arguments().get(a)));
        }
        lift.bindInstances(context, callee, function, node.instances());
        if (alternative.indexed()) {
            long shift = alternative.first() - alternative.start();
            callee.instances.add(Optional.empty());
            callee.values.put(
                    function.instances().getLast(),
                    new Lifted.Formula(frame, row -> {
                        Scalar member = Scalar.load(members, List.of(sorted.apply(row)));
                        return shift == 0
                                ? member
                                : Scalar.apply(Operation.SUBTRACT, member, Scalar.whole(shift));
                    }));
        }
        lift.liftBody(callee, function.body().nodes());
        return lift.canonical(callee, function.body().results().getFirst());
    }

    /**
     * Sums what the choices gave.
     *
     * @param stream the stream of the result, if it has one: the choices are a sequence's then, and
     *     their results all its rows
     */
    private void combine(
            Value weights,
            Value place,
            Value keys,
            Value inverse,
            Value out,
            Optional<Frame> stream,
            Optional<Expansion> copies) {
        TensorType type = node.result().type();
        Frame frame = stream.orElse(context.frame);
        Index p = context.identifiers.index("p");
        Index r = context.identifiers.index("r");
        Scalar row = frame.rowIn(context.frame, Scalar.variable(p));
        Scalar choice = Scalar.variable(r);
        Scalar unsorted = Scalar.apply(
                Operation.ADD,
                Scalar.apply(Operation.MULTIPLY, row, Scalar.whole(choices)),
                choice);
        Scalar pair = Scalar.load(inverse, List.of(unsorted));
        List<Axis> axes = new ArrayList<>();
        axes.add(Axis.over(p, frame.rows()));
        List<Scalar> source = new ArrayList<>();
        source.add(copies.<Scalar>map(c -> Scalar.apply(
                        Operation.ADD,
                        Scalar.load(c.offsets(), List.of(pair)),
                        Scalar.apply(Operation.SUBTRACT,
                                Scalar.variable(p), Context.firstRow(frame, row))))
                .orElse(pair));
        TensorType lifted = context.canonicalType(type);
        for (Size size : lifted.shape().subList(1, lifted.rank())) {
            Index index = context.identifiers.index("d");
            axes.add(Axis.over(index, size));
            source.add(Scalar.variable(index));
        }
        Value result = context.identifiers.value(node.result().name(), lifted);
        Scalar weight = Scalar.load(
                weights, List.of(row, Scalar.load(place, List.of(row, choice))));
        context.nodes.add(new Node.Compute(
                result,
                axes,
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(Axis.over(r, Size.of(choices))),
                        Optional.empty())),
                term(weight, out, source, Scalar.load(keys, List.of(unsorted))),
                node.span()));
        context.values.put(node.result(), context.canonical(type, result));
    }

    /** What a pair adds: nothing, if it chose no block. */
    private Scalar term(Scalar weight, Value out, List<Scalar> source, Scalar chosen) {
        Optional<Scalar> none = node.alternatives().stream()
                .filter(Node.Alternative::isNone)
                .map(a -> Scalar.apply(Operation.AND,
                        Scalar.apply(Operation.GREATER_EQUAL, chosen, Scalar.whole(a.first())),
                        Scalar.apply(Operation.LESS, chosen,
                                Scalar.whole(a.first() + a.count()))))
                .reduce((a, b) -> Scalar.apply(Operation.OR, a, b));
        if (none.isEmpty()) {
            return Scalar.apply(Operation.MULTIPLY, weight, Scalar.load(out, source));
        }
        Scalar zero = new Scalar.Real(out.type().format().compute(), 0);
        return Scalar.apply(Operation.SELECT, none.get(), zero, Scalar.apply(
                Operation.MULTIPLY, weight, Scalar.loadOr(out, source, zero)));
    }
}
