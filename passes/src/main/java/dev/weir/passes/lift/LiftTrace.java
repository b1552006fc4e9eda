package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Lifts {@link Node.Trace}: what is shown is the value for all rows, {@code [rows, own axes…]},
 * with zeros where an axis is shorter for one row than for another. Inside blocks that are chosen
 * at run time nothing is shown: their rows are sorted by block, and have no one path.
 */
final class LiftTrace {
    private final Lift lift;
    private final Context context;

    LiftTrace(Lift lift, Context context) {
        this.lift = lift;
        this.context = context;
    }

    void run(Node.Trace node) {
        List<Optional<Scalar>> instances = lift.uniform(context, node.instances());
        if (!context.chosen && instances.stream().allMatch(Optional::isPresent)) {
            context.nodes.add(new Node.Trace(node.path(),
                    instances.stream().map(Optional::orElseThrow).toList(),
                    padded(node.value())));
        }
    }

    private Value padded(Value value) {
        Value all = lift.canonical(context, value);
        List<Size> own = new ArrayList<>(value.type().shape());
        context.streamAxis(own).ifPresent(axis -> own.remove((int) axis));
        return own.stream().anyMatch(context::isRagged) ? padded(value, all, own) : all;
    }

    private Value padded(Value value, Value all, List<Size> own) {
        Frame frame = context.frameOf(value.type());
        Index row = context.identifiers.index("p");
        List<Axis> axes = new ArrayList<>(List.of(Axis.over(row, frame.rows())));
        List<Scalar> place = new ArrayList<>(List.of(Scalar.variable(row)));
        Scalar inside = Scalar.truth(true);
        for (int i = 0; i < own.size(); i++) {
            Index index = context.identifiers.index("i");
            axes.add(Axis.over(index, all.type().shape().get(i + 1)));
            place.add(Scalar.variable(index));
            if (context.isRagged(own.get(i))) {
                inside = Scalar.apply(Operation.AND, inside, Scalar.apply(
                        Operation.LESS, Scalar.variable(index),
                        context.extent(own.get(i), f -> frame.rowIn(f, Scalar.variable(row)))));
            }
        }
        Value padded = context.identifiers.value(value.name(), all.type());
        context.nodes.add(new Node.Compute(
                padded, axes, Optional.empty(),
                Scalar.apply(Operation.SELECT, inside, Scalar.load(all, place),
                        Reduction.Kind.SUM.identity(all.type().format().compute())),
                Span.NONE));
        return padded;
    }
}
