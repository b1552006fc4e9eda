package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Removes nodes of a lifted program of which nobody uses a result, a size or an effect. */
public final class DeadCode {
    private final Set<Value> used = new HashSet<>();
    private final Set<String> sizes = new HashSet<>();

    private DeadCode() {}

    public static TensorProgram run(TensorProgram program) {
        DeadCode dead = new DeadCode();
        Region body = dead.region(program.entry().body());
        Function entry = new Function(
                program.entry().name(), program.entry().path(), List.of(), body);
        return new TensorProgram(
                program.name(), program.parameters(), program.states(), List.of(), entry,
                program.stream(), program.resultNames(), program.frames(),
                program.configuration());
    }

    private Region region(Region region) {
        region.results().forEach(this::use);
        List<Node> nodes = new ArrayList<>();
        for (Node node : region.nodes().reversed()) {
            if (isNeeded(node)) {
                nodes.addFirst(keep(node));
            }
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    private void use(Value value) {
        used.add(value);
        value.type().shape().forEach(size -> sizes.addAll(size.symbols()));
    }

    private boolean isNeeded(Node node) {
        return switch (node) {
            case Node.Measure n -> sizes.contains(n.size().name());
            case Node.Selection n ->
                    used.contains(n.indices()) || sizes.contains(n.count().name());
            case Node.AppendRows n -> true;
            case Node.WriteRows n -> true;
            case Node.Trace n -> true;
            case Node.Tally n -> true;
            case Node.Loop n -> true;
            case Node.If n -> true;
            default -> node.results().stream().anyMatch(used::contains);
        };
    }

    private Node keep(Node node) {
        Node kept = switch (node) {
            case Node.If n -> new Node.If(
                    n.results(), n.condition(), region(n.then()), region(n.otherwise()),
                    n.span());
            case Node.Loop n -> new Node.Loop(
                    n.results(), n.index(), n.from(), n.to(), n.initial(), n.active(),
                    region(n.body()), n.path(), n.span());
            default -> node;
        };
        node.results().forEach(this::use);
        Walk.reads(node).forEach(this::use);
        Walk.scalars(node).forEach(this::sizes);
        return kept;
    }

    private void sizes(Scalar scalar) {
        if (scalar instanceof Scalar.Extent extent) {
            sizes.addAll(extent.size().symbols());
        }
        Walk.operands(scalar).forEach(this::sizes);
    }
}
