package dev.weir.passes.lift;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lifts a {@link Node.Loop}: it stays a loop over all rows. One that ends for each row at another
 * time runs to the last end, each time for the rows that are still in it.
 */
final class LiftLoop {
    private final Lift lift;
    private final Context context;
    private final Node.Loop node;
    private final Context round;
    private final List<Value> initial;
    private final List<Value> arguments = new ArrayList<>();
    private final Value index;

    LiftLoop(Lift lift, Context context, Node.Loop node) {
        this.lift = lift;
        this.context = context;
        this.node = node;
        this.initial = node.initial().stream().map(v -> lift.canonical(context, v)).toList();
        this.round = context.nested(context.frame);
        this.index = context.identifiers.value(node.index().name(), node.index().type());
    }

    void run() {
        for (int i = 0; i < initial.size(); i++) {
            Value before = node.body().arguments().get(i);
            Value argument = context.identifiers.value(before.name(), initial.get(i).type());
            arguments.add(argument);
            round.values.put(before, context.canonical(before.type(), argument));
        }
        round.values.put(node.index(), new Lifted.Uniform(index));
        lift.tally(round, node.path(), context.instances, Node.TallyKind.ITERATION, List.of(),
                Optional.empty());
        Index row = context.identifiers.index("b");
        Scalar end = new ScalarLifter(context, context.frame, Scalar.variable(row),
                Optional.empty()).lift(node.to());
        if (Walk.mentions(end, List.of(row))) {
            ragged(row, end);
        } else {
            lift.liftBody(round, node.body().nodes());
            List<Value> next = node.body().results().stream()
                    .map(v -> lift.canonical(round, v)).toList();
            emit(host(node.to()), next);
        }
    }

    private Scalar host(Scalar scalar) {
        return lift.hosts(context, List.of(scalar),
                "a loop that begins at a number of each row's own", node.span()).getFirst();
    }

    /**
     * Streams stay those of all rows, also of rows that are through: what the body does to one
     * happens at the places of its own rows.
     */
    private void ragged(Index row, Scalar end) {
        Size rows = context.frame.rows();
        Value ends = context.identifiers.value(
                "end of " + node.index().name(), new TensorType(Format.I64, List.of(rows)));
        context.nodes.add(new Node.Compute(
                ends, List.of(Axis.over(row, rows)), Optional.empty(), end, node.span()));
        Size.Symbol last = context.identifiers.symbol("last " + node.index().name());
        context.nodes.add(new Node.Measure(last, ends));
        Entrants entrants = Entrants.ofRows(
                round, context.frame, still(ends, rows), round.nodes, node.span());
        Context inner = round.nested(entrants.frame());
        lift.liftBody(inner, node.body().nodes());
        round.nodes.addAll(inner.nodes);
        List<Value> next = new ArrayList<>();
        for (int i = 0; i < initial.size(); i++) {
            Value result = node.body().results().get(i);
            Value own = lift.canonical(inner, result);
            if (inner.streamAxis(result.type().shape()).isEmpty()) {
                Node.Scatter scatter =
                        entrants.scatter(round, arguments.get(i), own, node.span());
                round.nodes.add(scatter);
                own = scatter.result();
            }
            next.add(own);
        }
        emit(Scalar.extent(last), next);
    }

    /** {@code bool[rows]}: who has not come to its end. */
    private Value still(Value ends, Size rows) {
        Index place = context.identifiers.index("b");
        Value still = context.identifiers.value(
                "still", new TensorType(Format.BOOL, List.of(rows)));
        round.nodes.add(new Node.Compute(
                still, List.of(Axis.over(place, rows)), Optional.empty(),
                Scalar.apply(Operation.LESS, Scalar.load(index, List.of()),
                        Scalar.load(ends, List.of(Scalar.variable(place)))),
                node.span()));
        return still;
    }

    private void emit(Scalar to, List<Value> next) {
        List<Value> results = new ArrayList<>();
        for (int i = 0; i < initial.size(); i++) {
            Value result = node.results().get(i);
            Value lifted = context.identifiers.value(result.name(), initial.get(i).type());
            results.add(lifted);
            context.values.put(result, context.canonical(result.type(), lifted));
        }
        context.nodes.add(new Node.Loop(
                results, index, host(node.from()), to, initial, node.active(),
                new Region(arguments, round.nodes, next), node.path(), node.span()));
    }
}
