package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.List;
import java.util.Optional;

/**
 * Lifts {@link Node.Selection}: the places at which a condition holds, those of all rows one
 * behind the other, make a frame of their own. Its rows count from 0 in each sequence, as those of
 * a stream do; that they were selected among others only the values of the selection know.
 */
final class LiftSelection {
    private final Lift lift;
    private final Context context;

    LiftSelection(Lift lift, Context context) {
        this.lift = lift;
        this.context = context;
    }

    void run(Node.Selection node) {
        Size axis = node.condition().type().shape().getFirst();
        Value condition = lift.canonical(context, node.condition());
        Frame outer;
        if (context.stream(axis).isPresent()) {
            outer = context.stream(axis).get();
        } else if (context.isRagged(axis)) {
            throw new WeirException(Diagnostic.error("E0990", node.span(),
                            "a selection among the slots of a state cannot be compiled yet")
                    .helped("say the condition where the slots are read: `sum[s] … where …`"));
        } else {
            outer = context.eachOf(context.frame, context.bound(axis));
            condition = lift.flattened(context, condition, outer);
        }
        Entrants selected = Entrants.ofRows(
                context, outer, condition, context.nodes, node.span());
        if (!node.span().equals(Span.NONE)) {
            lift.tally(context, "where " + node.span().place(), context.instances,
                    Node.TallyKind.GATE,
                    List.of(Scalar.extent(selected.count()), Scalar.extent(outer.rows())),
                    Optional.empty());
        }
        Frame.Segments segments = selected.frame().segments().orElseThrow();
        Frame frame = Frame.segmented(selected.count(), segments);
        context.meanings.put(node.count().name(), new Meaning.Stream(frame));
        Index row = context.identifiers.index("p");
        Scalar sequence = Scalar.load(segments.segment(), List.of(Scalar.variable(row)));
        Value places = context.identifiers.value(node.indices().name(),
                new TensorType(Format.I64, List.of(selected.count())));
        context.nodes.add(new Node.Compute(
                places, List.of(Axis.over(row, selected.count())), Optional.empty(),
                Scalar.apply(Operation.SUBTRACT,
                        Scalar.load(selected.indices(), List.of(Scalar.variable(row))),
                        Context.firstRow(outer, sequence)),
                node.span()));
        context.values.put(node.indices(), new Lifted.Stream(places, frame, 0));
    }
}
