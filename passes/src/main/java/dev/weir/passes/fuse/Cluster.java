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
 * @param fused why nodes are together, where that is more than reading one another
 * @param apart what it reads of other clusters that it could not be joined with
 */
public record Cluster(
        List<Node> nodes,
        int prefix,
        Set<Value> exported,
        List<String> fused,
        List<Apart> apart) {
    /** A value of at most so many elements a point may live inside a kernel. */
    static final long LARGEST_LOCAL = 16384;

    public Cluster {
        nodes = List.copyOf(nodes);
        exported = Set.copyOf(exported);
        fused = List.copyOf(fused);
        apart = List.copyOf(apart);
    }

    /** A value that another cluster computes, and why that one stays another. */
    public record Apart(Value value, String reason) {}

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
