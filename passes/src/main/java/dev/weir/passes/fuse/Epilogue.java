package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.contract.Contraction;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** What may run on the block of a contraction's results while they are still in registers. */
public final class Epilogue {
    private Epilogue() {}

    /** Whether a node can share the kernel of a contraction over the same points. */
    static boolean fits(Node node, Contraction contraction, List<Node> all, Facts facts) {
        if (!(node instanceof Node.Compute compute)
                || compute.axes().size() != contraction.compute().axes().size()) {
            return false;
        }
        if (compute.reduction().isPresent()) {
            return Contraction.of(compute, facts)
                    .map(c -> Siblings.match(c, contraction))
                    .orElse(false);
        }
        Set<Value> inside = new HashSet<>();
        all.forEach(n -> inside.addAll(n.results()));
        int rows = contraction.rows().size();
        List<Axis> columns = compute.axes().subList(rows, compute.axes().size());
        return compute.body().format() == Format.F32
                && fits(compute.body(), columns, inside);
    }

    private static boolean fits(Scalar scalar, List<Axis> columns, Set<Value> inside) {
        List<Index> indices = columns.stream().map(Axis::index).toList();
        if (!Walk.mentions(scalar, indices)) {
            return true;
        }
        return switch (scalar) {
            case Scalar.Load load -> inside.contains(load.source()) || sideBySide(load, columns);
            case Scalar.Apply apply -> switch (apply.operation()) {
                case ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, NEGATE, ABSOLUTE,
                        SQUARE_ROOT, RECIPROCAL_SQUARE_ROOT, EXPONENTIAL, SIGMOID ->
                        apply.format() == Format.F32
                                && apply.operands().stream()
                                        .allMatch(o -> fits(o, columns, inside));
                default -> false;
            };
            case Scalar.Round round -> fits(round.operand(), columns, inside);
            default -> false;
        };
    }

    /** Whether neighbouring columns read neighbouring elements: the columns are the last axes. */
    public static boolean sideBySide(Scalar.Load load, List<Axis> columns) {
        int first = load.coordinates().size() - columns.size();
        if (first < 0 || load.bounds() != Scalar.Bounds.PROVED
                || load.source().type().format().compute() != Format.F32) {
            return false;
        }
        List<Index> indices = columns.stream().map(Axis::index).toList();
        for (int i = 0; i < load.coordinates().size(); i++) {
            Scalar coordinate = load.coordinates().get(i);
            boolean expected = i >= first
                    ? coordinate.equals(Scalar.variable(columns.get(i - first).index()))
                            && Scalar.extent(load.source().type().shape().get(i))
                                    .equals(columns.get(i - first).upper())
                    : !Walk.mentions(coordinate, indices);
            if (!expected) {
                return false;
            }
        }
        return true;
    }
}
