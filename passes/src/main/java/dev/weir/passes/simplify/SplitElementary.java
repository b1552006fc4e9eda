package dev.weir.passes.simplify;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives an elementary function its own compute if it does not vary along all axes of the compute in
 * which it stands, so that it is evaluated once for the others.
 *
 * <pre>
 *   y[p, h, c] = x[p, h, c] · cos(a[p, c])   ⇒   k[p, c] = cos(a[p, c]);
 *                                                 y[p, h, c] = x[p, h, c] · k[p, c]
 * </pre>
 */
public final class SplitElementary {
    private final Identifiers identifiers;

    private SplitElementary(Identifiers identifiers) {
        this.identifiers = identifiers;
    }

    public static TensorProgram run(TensorProgram program) {
        SplitElementary split = new SplitElementary(Identifiers.behind(program));
        return Rewrite.computes(program, (compute, out) ->
                out.add(Rewrite.body(compute, split.scalar(compute.body(), compute, out))));
    }

    private Scalar scalar(Scalar scalar, Node.Compute node, List<Node> out) {
        if (scalar instanceof Scalar.Apply apply
                && apply.operation().isElementary()
                && apply.format() == Format.F32) {
            List<Axis> axes = node.axes().stream()
                    .filter(a -> Walk.mentions(apply, List.of(a.index())))
                    .toList();
            if (axes.size() < node.axes().size() && canStandAlone(apply, axes, node)) {
                return ownCompute(apply, axes, node, out);
            }
        }
        return Walk.map(scalar, operand -> scalar(operand, node, out));
    }

    /** Whether the expression is safe at all points of its axes, and does not vary in a sum. */
    private static boolean canStandAlone(Scalar scalar, List<Axis> axes, Node.Compute node) {
        List<Index> reduced = node.reduction()
                .map(r -> r.axes().stream().map(Axis::index).toList())
                .orElse(List.of());
        return axes.stream().allMatch(Axis::isRectangular)
                && !axes.isEmpty()
                && !Walk.mentions(scalar, reduced)
                && safe(scalar);
    }

    private static boolean safe(Scalar scalar) {
        boolean here = !(scalar instanceof Scalar.Load load)
                || load.bounds() == Scalar.Bounds.PROVED;
        boolean division = scalar instanceof Scalar.Apply apply
                && !apply.format().isFloat()
                && (apply.operation() == Operation.DIVIDE
                        || apply.operation() == Operation.REMAINDER)
                && !(apply.operands().get(1) instanceof Scalar.Whole);
        return here && !division && Walk.operands(scalar).stream().allMatch(SplitElementary::safe);
    }

    private Scalar ownCompute(
            Scalar.Apply apply, List<Axis> axes, Node.Compute node, List<Node> out) {
        List<Size> shape = axes.stream()
                .map(a -> node.result().type().shape().get(node.axes().indexOf(a)))
                .toList();
        Value value = identifiers.value(
                apply.operation().word(), new TensorType(Format.F32, shape));
        List<Axis> fresh = new ArrayList<>();
        Map<Index, Scalar> renaming = new HashMap<>();
        for (Axis axis : axes) {
            Index index = identifiers.index(axis.index().name());
            renaming.put(axis.index(), Scalar.variable(index));
            fresh.add(new Axis(index, axis.lower(), axis.upper()));
        }
        Scalar body = Substitution.apply(apply, renaming);
        out.add(new Node.Compute(value, fresh, Optional.empty(), body, Span.NONE));
        return Scalar.load(
                value, axes.stream().map(a -> Scalar.variable(a.index())).toList());
    }
}
