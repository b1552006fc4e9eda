package dev.weir.passes.schedule;

import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.ScheduleStep;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds the computes that depend on parameters and constants alone, in loops and branches too: they
 * run once, when the model is loaded.
 */
final class WeightsOnly {
    private final Set<Value> known = new HashSet<>();
    private final List<Node> initialise = new ArrayList<>();

    /** A program in two parts. */
    record Split(List<Node> initialise, List<Value> values, Region step) {}

    private WeightsOnly() {}

    static Split split(TensorProgram program, Facts facts) {
        WeightsOnly weights = new WeightsOnly();
        program.parameters().forEach(p -> weights.known.add(p.value()));
        Region step = facts.isOn(ScheduleStep.WEIGHTS_AT_LOAD)
                ? weights.region(program.entry().body()) : program.entry().body();
        List<Value> values = new ArrayList<>();
        weights.initialise.forEach(n -> values.addAll(n.results()));
        return new Split(weights.initialise, values, step);
    }

    private Region region(Region region) {
        List<Node> nodes = new ArrayList<>();
        for (Node node : region.nodes()) {
            if (node instanceof Node.Compute compute && isKnown(compute)) {
                initialise.add(compute);
                known.add(compute.result());
            } else {
                nodes.add(switch (node) {
                    case Node.If n -> new Node.If(
                            n.results(), n.condition(), region(n.then()),
                            region(n.otherwise()), n.span());
                    case Node.Loop n -> new Node.Loop(
                            n.results(), n.index(), n.from(), n.to(), n.initial(), n.active(),
                            region(n.body()), n.path(), n.span());
                    default -> node;
                });
            }
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    private boolean isKnown(Node.Compute compute) {
        return !Facts.isHostScalar(compute)
                && known.containsAll(Walk.reads(compute))
                && compute.result().type().shape().stream().allMatch(s -> s.isConstant())
                && Walk.scalars(compute).stream().allMatch(WeightsOnly::isConstant);
    }

    private static boolean isConstant(Scalar scalar) {
        return !(scalar instanceof Scalar.Extent)
                && Walk.operands(scalar).stream().allMatch(WeightsOnly::isConstant);
    }
}
