package dev.weir.passes.analysis;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Builds changed copies of programs and of the nodes of lifted ones. */
public final class Rewrite {
    private Rewrite() {}

    /** The program with another entry body. */
    public static TensorProgram entry(TensorProgram program, Region body) {
        Function entry = new Function(
                program.entry().name(), program.entry().path(), program.entry().instances(), body);
        return new TensorProgram(
                program.name(), program.parameters(), program.states(), program.functions(), entry,
                program.stream(), program.resultNames(), program.frames(),
                program.configuration());
    }

    /** Puts other nodes in the place of a compute. */
    public interface Replacement {
        /**
         * @param out takes the nodes that stand for the compute
         */
        void replace(Node.Compute compute, List<Node> out);
    }

    /** A lifted program in which every compute, in nested regions too, is replaced in order. */
    public static TensorProgram computes(TensorProgram program, Replacement replacement) {
        return entry(program, computes(program.entry().body(), replacement));
    }

    private static Region computes(Region region, Replacement replacement) {
        List<Node> nodes = new ArrayList<>();
        for (Node node : region.nodes()) {
            switch (node) {
                case Node.Compute n -> replacement.replace(n, nodes);
                case Node.If n -> nodes.add(new Node.If(
                        n.results(), n.condition(), computes(n.then(), replacement),
                        computes(n.otherwise(), replacement), n.span()));
                case Node.Loop n -> nodes.add(new Node.Loop(
                        n.results(), n.index(), n.from(), n.to(), n.initial(), n.active(),
                        computes(n.body(), replacement), n.path(), n.span()));
                default -> nodes.add(node);
            }
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    /** A compute with another body. */
    public static Node.Compute body(Node.Compute compute, Scalar body) {
        return new Node.Compute(
                compute.result(), compute.axes(), compute.reduction(), body, compute.span());
    }

    /** A node of a lifted program that reads other values; nested regions are left as they are. */
    public static Node values(Node node, Map<Value, Value> replacements) {
        if (replacements.isEmpty()) {
            return node;
        }
        return switch (node) {
            case Node.Compute n -> new Node.Compute(
                    n.result(), axes(n.axes(), replacements),
                    n.reduction().map(r -> new Reduction(
                            r.kind(), axes(r.axes(), replacements),
                            r.filter().map(f -> values(f, replacements)))),
                    values(n.body(), replacements), n.span());
            case Node.Scatter n -> new Node.Scatter(
                    n.result(), value(n.base(), replacements), axes(n.axes(), replacements),
                    scalars(n.target(), replacements), n.combine(), n.checked(),
                    values(n.body(), replacements), n.span());
            case Node.TopK n -> new Node.TopK(
                    n.values(), n.indices(), value(n.operand(), replacements), n.count(),
                    n.span());
            case Node.Selection n -> new Node.Selection(
                    n.indices(), value(n.condition(), replacements), n.count(), n.span());
            case Node.Grouping n -> new Node.Grouping(
                    n.order(), n.members(), n.offsets(), value(n.keys(), replacements),
                    n.groups(), n.span());
            case Node.Measure n -> new Node.Measure(n.size(), value(n.table(), replacements));
            case Node.If n -> new Node.If(
                    n.results(), value(n.condition(), replacements), n.then(), n.otherwise(),
                    n.span());
            case Node.Loop n -> new Node.Loop(
                    n.results(), n.index(), values(n.from(), replacements),
                    values(n.to(), replacements), all(n.initial(), replacements), n.active(),
                    n.body(), n.path(), n.span());
            case Node.AppendRows n -> new Node.AppendRows(
                    n.state(), scalars(n.instances(), replacements),
                    value(n.rows(), replacements), value(n.segment(), replacements),
                    value(n.offsets(), replacements),
                    n.among().map(a -> new Node.Among(value(a.places(), replacements),
                            value(a.offsets(), replacements))), n.span());
            case Node.WriteRows n -> new Node.WriteRows(
                    n.state(), scalars(n.instances(), replacements),
                    value(n.rows(), replacements), value(n.segment(), replacements), n.span());
            case Node.Trace n -> new Node.Trace(
                    n.path(), scalars(n.instances(), replacements),
                    value(n.value(), replacements));
            case Node.Tally n -> new Node.Tally(
                    n.path(), scalars(n.instances(), replacements), n.kind(),
                    scalars(n.amounts(), replacements),
                    n.offsets().map(o -> value(o, replacements)));
            case Node.Call n -> throw unlifted();
            case Node.Route n -> throw unlifted();
            case Node.Gate n -> throw unlifted();
            case Node.Append n -> throw unlifted();
            case Node.Read n -> throw unlifted();
            case Node.Write n -> throw unlifted();
        };
    }

    /** A compute or scatter with changed expressions; any other node as it is. */
    public static Node elements(Node node, UnaryOperator<Scalar> change) {
        return switch (node) {
            case Node.Compute n -> new Node.Compute(n.result(), axes(n.axes(), change),
                    n.reduction().map(r -> new Reduction(
                            r.kind(), axes(r.axes(), change), r.filter().map(change))),
                    change.apply(n.body()), n.span());
            case Node.Scatter n -> new Node.Scatter(n.result(), n.base(), axes(n.axes(), change),
                    n.target().stream().map(change).toList(), n.combine(), n.checked(),
                    change.apply(n.body()), n.span());
            default -> node;
        };
    }

    private static List<Axis> axes(List<Axis> axes, UnaryOperator<Scalar> change) {
        return axes.stream()
                .map(a -> new Axis(
                        a.index(), change.apply(a.lower()), change.apply(a.upper())))
                .toList();
    }

    private static IllegalArgumentException unlifted() {
        return new IllegalArgumentException("the program is not lifted");
    }

    private static Value value(Value value, Map<Value, Value> replacements) {
        return replacements.getOrDefault(value, value);
    }

    private static List<Value> all(List<Value> values, Map<Value, Value> replacements) {
        return values.stream().map(v -> value(v, replacements)).toList();
    }

    private static List<Axis> axes(List<Axis> axes, Map<Value, Value> replacements) {
        return axes.stream()
                .map(a -> new Axis(
                        a.index(), values(a.lower(), replacements),
                        values(a.upper(), replacements)))
                .toList();
    }

    private static List<Scalar> scalars(List<Scalar> scalars, Map<Value, Value> replacements) {
        return scalars.stream().map(s -> values(s, replacements)).toList();
    }

    private static Scalar values(Scalar scalar, Map<Value, Value> replacements) {
        Scalar inner = Walk.map(scalar, operand -> values(operand, replacements));
        return inner instanceof Scalar.Load load && replacements.containsKey(load.source())
                ? new Scalar.Load(
                        replacements.get(load.source()), load.coordinates(), load.bounds(),
                        load.otherwise())
                : inner;
    }
}
