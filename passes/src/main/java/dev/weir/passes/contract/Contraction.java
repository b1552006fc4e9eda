package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
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
 * @param reduced the summed axes, in the order in which w has them
 * @param activations x; any expression without a column
 * @param weights w; a parameter or what was made of parameters at load, each own axis read at a
 *     plain index
 * @param instances how many leading axes of w say which instance is read
 * @param group how the instance of w depends on the row, if it does
 */
public record Contraction(
        Node.Compute compute,
        List<Axis> rows,
        List<Axis> columns,
        List<Axis> reduced,
        Scalar activations,
        Scalar.Load weights,
        int instances,
        Optional<Group> group) {

    /**
     * Rows that are sorted by the instance of the weights that they use.
     *
     * @param grouping what sorted them
     * @param member the load that gives the present row's group
     * @param shift how much further a row stands among all sorted rows; zero for most
     */
    public record Group(Node.Grouping grouping, Scalar.Load member, Scalar shift) {}

    public long columnCount() {
        return count(columns);
    }

    public long reducedCount() {
        return count(reduced);
    }

    private static long count(List<Axis> axes) {
        return axes.stream().mapToLong(a -> ((Scalar.Whole) a.upper()).value()).reduce(
                1, (a, b) -> a * b);
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
        if (!(w instanceof Scalar.Load weights)
                || weights.bounds() != Scalar.Bounds.PROVED
                || weights.source().type().format().compute() != Format.F32
                || !facts.isWeight(weights.source())) {
            return Optional.empty();
        }
        int leading = facts.parameter(weights.source()).map(Parameter::instanceAxes)
                .orElseGet(() -> leading(weights, compute));
        List<Scalar> own =
                weights.coordinates().subList(leading, weights.coordinates().size());
        List<Axis> reducedAxes = compute.reduction().orElseThrow().axes();
        List<Axis> columns = new ArrayList<>();
        List<Axis> reduced = new ArrayList<>();
        for (Scalar coordinate : own) {
            if (!(coordinate instanceof Scalar.Variable variable)) {
                return Optional.empty();
            }
            Optional<Axis> column = find(compute.axes(), variable.index());
            Optional<Axis> sum = find(reducedAxes, variable.index());
            column.ifPresent(columns::add);
            sum.ifPresent(reduced::add);
            if (column.isEmpty() && sum.isEmpty()) {
                return Optional.empty();
            }
        }
        boolean plain = reduced.stream().distinct().count() == reducedAxes.size()
                && reduced.size() == reducedAxes.size()
                && columns.stream().distinct().count() == columns.size()
                && !columns.isEmpty()
                && columns.stream().allMatch(Contraction::isConstant)
                && reduced.stream().allMatch(Contraction::isConstant);
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
        reduced.forEach(a -> inner.add(a.index()));
        List<Scalar> instances = weights.coordinates().subList(0, leading);
        if (instances.stream().anyMatch(i -> Walk.mentions(i, inner))) {
            return Optional.empty();
        }
        Optional<Group> group = Optional.empty();
        List<Index> rowIndices = rows.stream().map(Axis::index).toList();
        if (instances.stream().anyMatch(i -> Walk.mentions(i, rowIndices))) {
            group = group(instances, rows, facts);
            if (group.isEmpty()) {
                return Optional.empty();
            }
        }
        return Optional.of(new Contraction(
                compute, rows, trailing, reduced, x, weights, leading, group));
    }

    /** How many coordinates stand before the first that is a constant axis of the node. */
    private static int leading(Scalar.Load weights, Node.Compute compute) {
        List<Axis> axes = new ArrayList<>(compute.axes());
        compute.reduction().ifPresent(r -> axes.addAll(r.axes()));
        int leading = 0;
        for (Scalar coordinate : weights.coordinates()) {
            boolean isOwn = coordinate instanceof Scalar.Variable v
                    && find(axes, v.index()).filter(Contraction::isConstant).isPresent();
            if (isOwn) {
                return leading;
            }
            leading++;
        }
        return leading;
    }

    private static Optional<Axis> find(List<Axis> axes, Index index) {
        return axes.stream().filter(a -> a.index().equals(index)).findFirst();
    }

    private static boolean isConstant(Axis axis) {
        return axis.lower().equals(Scalar.whole(0)) && axis.upper() instanceof Scalar.Whole;
    }

    /** The one load of sorted keys through which the instances depend on the one row axis. */
    private static Optional<Group> group(List<Scalar> instances, List<Axis> rows, Facts facts) {
        if (rows.size() != 1) {
            return Optional.empty();
        }
        Index row = rows.getFirst().index();
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
