package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Visits the parts of programs: nodes in nested regions, the scalars of a node, their loads. */
public final class Walk {
    private Walk() {}

    /** The functions that a node calls. */
    public static List<String> functions(Node node) {
        return switch (node) {
            case Node.Call call -> List.of(call.function());
            case Node.Route route -> route.alternatives().stream().filter(a -> !a.isNone())
                    .map(Node.Alternative::function).toList();
            default -> List.of();
        };
    }

    /** The regions directly inside a node. */
    public static List<Region> regions(Node node) {
        return switch (node) {
            case Node.If n -> List.of(n.then(), n.otherwise());
            case Node.Gate n -> List.of(n.body());
            case Node.Loop n -> List.of(n.body());
            case Node.Compute n -> List.of();
            case Node.Scatter n -> List.of();
            case Node.TopK n -> List.of();
            case Node.Selection n -> List.of();
            case Node.Grouping n -> List.of();
            case Node.Measure n -> List.of();
            case Node.Call n -> List.of();
            case Node.Route n -> List.of();
            case Node.Append n -> List.of();
            case Node.Read n -> List.of();
            case Node.Write n -> List.of();
            case Node.AppendRows n -> List.of();
            case Node.WriteRows n -> List.of();
            case Node.Trace n -> List.of();
            case Node.Tally n -> List.of();
        };
    }

    /** Every node of a region and of the regions inside it, in order. */
    public static void nodes(Region region, Consumer<Node> action) {
        for (Node node : region.nodes()) {
            action.accept(node);
            regions(node).forEach(inner -> nodes(inner, action));
        }
    }

    /** Every node of a program. */
    public static void nodes(TensorProgram program, Consumer<Node> action) {
        Stream.concat(program.functions().stream(), Stream.of(program.entry()))
                .forEach(function -> nodes(function.body(), action));
    }

    /** The axes of a node, with those that it reduces. */
    public static List<Axis> axes(Node node) {
        List<Axis> axes = new ArrayList<>();
        if (node instanceof Node.Compute compute) {
            axes.addAll(compute.axes());
            compute.reduction().ifPresent(r -> axes.addAll(r.axes()));
        } else if (node instanceof Node.Scatter scatter) {
            axes.addAll(scatter.axes());
        }
        return axes;
    }

    /** The scalar expressions of a node itself, not those of nested regions. */
    public static List<Scalar> scalars(Node node) {
        List<Scalar> scalars = new ArrayList<>();
        for (Axis axis : axes(node)) {
            scalars.add(axis.lower());
            scalars.add(axis.upper());
        }
        switch (node) {
            case Node.Compute n -> {
                n.reduction().flatMap(Reduction::filter).ifPresent(scalars::add);
                scalars.add(n.body());
            }
            case Node.Scatter n -> {
                scalars.addAll(n.target());
                scalars.add(n.body());
            }
            case Node.Call n -> scalars.addAll(n.instances());
            case Node.Route n -> scalars.addAll(n.instances());
            case Node.Loop n -> {
                scalars.add(n.from());
                scalars.add(n.to());
            }
            case Node.Append n -> scalars.addAll(n.instances());
            case Node.Read n -> scalars.addAll(n.instances());
            case Node.Write n -> scalars.addAll(n.instances());
            case Node.AppendRows n -> scalars.addAll(n.instances());
            case Node.WriteRows n -> scalars.addAll(n.instances());
            case Node.Trace n -> scalars.addAll(n.instances());
            case Node.Tally n -> {
                scalars.addAll(n.instances());
                scalars.addAll(n.amounts());
            }
            case Node.TopK n -> { }
            case Node.Selection n -> { }
            case Node.Grouping n -> { }
            case Node.Measure n -> { }
            case Node.If n -> { }
            case Node.Gate n -> { }
        }
        return scalars;
    }

    /** The values that a node itself names as operands, apart from those that scalars load. */
    public static List<Value> operands(Node node) {
        return switch (node) {
            case Node.Compute n -> List.of();
            case Node.Scatter n -> List.of(n.base());
            case Node.TopK n -> List.of(n.operand());
            case Node.Selection n -> List.of(n.condition());
            case Node.Grouping n -> List.of(n.keys());
            case Node.Measure n -> List.of(n.table());
            case Node.Call n -> n.arguments();
            case Node.Route n -> concat(List.of(n.selection(), n.weights()), n.arguments());
            case Node.If n -> List.of(n.condition());
            case Node.Gate n -> concat(List.of(n.condition()), concat(n.captured(), n.before()));
            case Node.Loop n -> n.initial();
            case Node.Append n -> List.of(n.rows());
            case Node.Read n -> List.of();
            case Node.Write n -> List.of(n.value());
            case Node.AppendRows n -> Stream.concat(
                    Stream.of(n.rows(), n.segment(), n.offsets()),
                    n.among().stream().flatMap(a -> Stream.of(a.places(), a.offsets())))
                    .toList();
            case Node.WriteRows n -> List.of(n.rows(), n.segment());
            case Node.Trace n -> List.of(n.value());
            case Node.Tally n -> n.offsets().map(List::of).orElse(List.of());
        };
    }

    private static List<Value> concat(List<Value> first, List<Value> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }

    /** Every value that a node reads itself: operands and loads. */
    public static List<Value> reads(Node node) {
        List<Value> values = new ArrayList<>(operands(node));
        for (Scalar scalar : scalars(node)) {
            loads(scalar, load -> values.add(load.source()));
        }
        return values;
    }

    /** The direct operands of an expression. */
    public static List<Scalar> operands(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Real r -> List.of();
            case Scalar.Whole w -> List.of();
            case Scalar.Variable v -> List.of();
            case Scalar.Extent e -> List.of();
            case Scalar.Load l -> l.otherwise().isEmpty()
                    ? l.coordinates()
                    : Stream.concat(l.coordinates().stream(), l.otherwise().stream()).toList();
            case Scalar.Apply a -> a.operands();
            case Scalar.Convert c -> List.of(c.operand());
            case Scalar.Round r -> List.of(r.operand());
            case Scalar.Within w -> List.of(w.index(), w.extent());
        };
    }

    /** The factors of a product of floats; anything else is its own only factor. */
    public static List<Scalar> factors(Scalar scalar) {
        return scalar instanceof Scalar.Apply apply && apply.operation() == Operation.MULTIPLY
                && apply.format().isFloat()
                ? apply.operands().stream().flatMap(o -> factors(o).stream()).toList()
                : List.of(scalar);
    }

    /** Whether an index in an expression is checked when it is evaluated. */
    public static boolean checks(Scalar scalar) {
        return scalar instanceof Scalar.Within
                || operands(scalar).stream().anyMatch(Walk::checks);
    }

    /** Every load in an expression, those in the coordinates of others included. */
    public static void loads(Scalar scalar, Consumer<Scalar.Load> action) {
        if (scalar instanceof Scalar.Load load) {
            action.accept(load);
        }
        operands(scalar).forEach(operand -> loads(operand, action));
    }

    /** The expression with its operands replaced by what {@code change} makes of them. */
    public static Scalar map(Scalar scalar, UnaryOperator<Scalar> change) {
        return switch (scalar) {
            case Scalar.Real r -> r;
            case Scalar.Whole w -> w;
            case Scalar.Variable v -> v;
            case Scalar.Extent e -> e;
            case Scalar.Load l -> new Scalar.Load(
                    l.source(),
                    l.coordinates().stream().map(change).toList(),
                    l.bounds(),
                    l.otherwise().map(change));
            case Scalar.Apply a ->
                    new Scalar.Apply(a.operation(), a.operands().stream().map(change).toList());
            case Scalar.Convert c -> new Scalar.Convert(c.format(), change.apply(c.operand()));
            case Scalar.Round r -> new Scalar.Round(r.stored(), change.apply(r.operand()));
            case Scalar.Within w -> new Scalar.Within(
                    change.apply(w.index()), change.apply(w.extent()), w.place());
        };
    }

    /** Whether {@code part} is an expression, or a part of it. */
    public static boolean contains(Scalar scalar, Scalar part) {
        return scalar.equals(part) || operands(scalar).stream().anyMatch(o -> contains(o, part));
    }

    /** Whether any index of the list occurs in the expression. */
    public static boolean mentions(Scalar scalar, java.util.Collection<Index> indices) {
        if (scalar instanceof Scalar.Variable variable) {
            return indices.contains(variable.index());
        }
        return operands(scalar).stream().anyMatch(operand -> mentions(operand, indices));
    }

    static int largestIdentifier(TensorProgram program) {
        int[] largest = {0};
        Consumer<Value> see = value -> largest[0] = Math.max(largest[0], value.id());
        program.parameters().forEach(p -> see.accept(p.value()));
        program.states().forEach(s -> {
            see.accept(s.value());
            s.lengths().ifPresent(see);
        });
        program.frames().ifPresent(f -> {
            see.accept(f.segment());
            see.accept(f.offsets());
        });
        Stream.concat(program.functions().stream(), Stream.of(program.entry())).forEach(f -> {
            f.instances().forEach(see);
            f.body().arguments().forEach(see);
        });
        nodes(program, node -> {
            node.results().forEach(see);
            regions(node).forEach(region -> region.arguments().forEach(see));
            if (node instanceof Node.Loop loop) {
                see.accept(loop.index());
            }
            axes(node).forEach(axis -> largest[0] = Math.max(largest[0], axis.index().id()));
        });
        return largest[0];
    }
}
