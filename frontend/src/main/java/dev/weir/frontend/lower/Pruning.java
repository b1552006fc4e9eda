package dev.weir.frontend.lower;

import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Leaves out what nobody reads, so that it is computed on no target and can fault on none. Calls
 * and what has regions stay: they may remember something.
 */
final class Pruning {
    private final Set<Value> read = new HashSet<>();

    private Pruning() {}

    static Function run(Function function) {
        return new Function(function.name(), function.path(), function.instances(),
                new Pruning().region(function.body()));
    }

    private Region region(Region region) {
        read.addAll(region.results());
        List<Node> kept = new ArrayList<>();
        for (Node node : region.nodes().reversed()) {
            boolean pure = node instanceof Node.Compute || node instanceof Node.Scatter
                    || node instanceof Node.TopK;
            if (!pure || node.results().stream().anyMatch(read::contains)) {
                kept.add(inside(node));
                read.addAll(Walk.reads(node));
            }
        }
        return new Region(region.arguments(), kept.reversed(), region.results());
    }

    private Node inside(Node node) {
        return switch (node) {
            case Node.If n -> new Node.If(n.results(), n.condition(), region(n.then()),
                    region(n.otherwise()), n.span());
            case Node.Gate n -> new Node.Gate(n.results(), n.condition(), n.entrants(),
                    n.captured(), n.before(), region(n.body()), n.completes(), n.path(),
                    n.span());
            case Node.Loop n -> new Node.Loop(n.results(), n.index(), n.from(), n.to(),
                    n.initial(), n.active(), region(n.body()), n.path(), n.span());
            default -> node;
        };
    }
}
