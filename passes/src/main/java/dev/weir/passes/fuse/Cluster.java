package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Nodes that become one kernel. They share their first {@code prefix} axes; at each point of these
 * the kernel computes its nodes one after the other and keeps what only it reads to itself.
 *
 * @param nodes in execution order
 * @param prefix how many leading axes the nodes share
 * @param exported the values that somebody outside reads
 * @param decisions what was fused or not, and why
 */
public record Cluster(
        List<Node> nodes, int prefix, Set<Value> exported, List<String> decisions) {
    public Cluster {
        nodes = List.copyOf(nodes);
        exported = Set.copyOf(exported);
        decisions = List.copyOf(decisions);
    }

    /** The shared axes, as the first node names them. */
    public List<Axis> sharedAxes() {
        for (Node node : nodes) {
            if (node instanceof Node.Compute compute) {
                return new ArrayList<>(compute.axes().subList(0, prefix));
            }
        }
        return List.of();
    }
}
