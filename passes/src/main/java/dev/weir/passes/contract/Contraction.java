package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.ScheduleStep;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A sum of products of activations and weights that a register-blocked kernel can compute:
 * {@code y[rows…, columns…] = sum[reduced…] x(rows, reduced) · w[instances…, columns and reduced]}.
 *
 * @param compute the node
 * @param rows the axes along which only x varies
 * @param columns the axes along which only w varies; the last ones of the node
 * @param activations x; any expression without a column
 * @param weights w, read of parameters or of what was made of them at load
 * @param group how the instance of w depends on the row, if it does
 */
public record Contraction(
        Node.Compute compute,
        List<Axis> rows,
        List<Axis> columns,
        Scalar activations,
        Weights weights,
        Optional<Group> group) {

    /**
     * Rows that are sorted by the instance of the weights that they use.
     *
     * @param grouping what sorted them
     * @param member the load that gives the present row's group
     * @param shift how much further a row stands among all sorted rows; zero for most
     */
    public record Group(Node.Grouping grouping, Scalar.Load member, Scalar shift) {

        /** The one load of sorted keys through which instances depend on an index, if it is one. */
        public static Optional<Group> of(List<Scalar> instances, Index row, Facts facts) {
            List<Scalar.Load> members = new ArrayList<>();
            for (Scalar instance : instances) {
                Walk.loads(instance, load -> {
                    if (Walk.mentions(load, List.of(row)) && !members.contains(load)) {
                        members.add(load);
                    }
                });
            }
            if (members.size() != 1) {
                return Optional.empty();
            }
            Scalar.Load member = members.getFirst();
            Optional<Node.Grouping> grouping = facts.grouping(member.source());
            Scalar at = member.coordinates().getFirst();
            if (grouping.isEmpty()) {
                return Optional.empty();
            }
            if (at.equals(Scalar.variable(row))) {
                return Optional.of(new Group(grouping.get(), member, Scalar.whole(0)));
            }
            if (at instanceof Scalar.Apply sum
                    && sum.operation() == Operation.ADD
                    && sum.operands().get(1).equals(Scalar.variable(row))
                    && !Walk.mentions(sum.operands().get(0), List.of(row))) {
                return Optional.of(new Group(grouping.get(), member, sum.operands().get(0)));
            }
            return Optional.empty();
        }
    }

    public long columnCount() {
        return count(columns);
    }

    /** The summed axes, in the order in which the weights have them. */
    public List<Axis> reduced() {
        return weights.reduced();
    }

    private static long count(List<Axis> axes) {
        return axes.stream().mapToLong(Weights::extent).reduce(1, (a, b) -> a * b);
    }

    /** The contraction that a node is, if it is one. */
    public static Optional<Contraction> of(Node node, Facts facts) {
        if (!facts.isOn(ScheduleStep.CONTRACTIONS)
                || !(node instanceof Node.Compute compute)
                || compute.reduction().isEmpty()
                || compute.reduction().get().kind() != Reduction.Kind.SUM
                || compute.reduction().get().filter().isPresent()
                || !(compute.body() instanceof Scalar.Apply product)
                || product.operation() != Operation.MULTIPLY
                || product.format() != Format.F32) {
            return Optional.empty();
        }
        Scalar left = product.operands().get(0);
        Scalar right = product.operands().get(1);
        return of(compute, left, right, facts).or(() -> of(compute, right, left, facts));
    }

    private static Optional<Contraction> of(
            Node.Compute compute, Scalar x, Scalar w, Facts facts) {
        Optional<Weights> weights = Weights.of(compute, w, facts).map(v -> v.beside(x));
        if (weights.isEmpty()) {
            return Optional.empty();
        }
        List<Axis> columns = weights.get().columns();
        boolean plain = columns.stream().distinct().count() == columns.size()
                && !columns.isEmpty()
                && columns.stream().allMatch(Weights::isConstant);
        List<Axis> rows = new ArrayList<>(compute.axes());
        rows.removeAll(columns);
        List<Axis> trailing = compute.axes().subList(rows.size(), compute.axes().size());
        if (!plain
                || !columns.containsAll(trailing)
                || Walk.mentions(x, columns.stream().map(Axis::index).toList())
                || !rows.stream().allMatch(Axis::isRectangular)) {
            return Optional.empty();
        }
        List<Index> inner = new ArrayList<>();
        columns.forEach(a -> inner.add(a.index()));
        weights.get().reduced().forEach(a -> inner.add(a.index()));
        List<Scalar> instances = weights.get().instances();
        if (instances.stream().anyMatch(i -> Walk.mentions(i, inner))) {
            return Optional.empty();
        }
        Optional<Group> group = Optional.empty();
        List<Index> rowIndices = rows.stream().map(Axis::index).toList();
        if (instances.stream().anyMatch(i -> Walk.mentions(i, rowIndices))) {
            group = rows.size() == 1
                    ? Group.of(instances, rows.getFirst().index(), facts) : Optional.empty();
            if (group.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(new Contraction(compute, rows, trailing, x, weights.get(), group));
    }
}
