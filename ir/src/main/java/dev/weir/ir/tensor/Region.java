package dev.weir.ir.tensor;

import java.util.List;

/**
 * A list of nodes in an order in which they can run. Inside it the values of the enclosing regions
 * are visible; outside it only what the owning node makes of the results is.
 *
 * @param arguments values that the owner supplies on entry
 * @param nodes in execution order
 * @param results values handed to the owner at the end
 */
public record Region(List<Value> arguments, List<Node> nodes, List<Value> results) {
    public Region {
        arguments = List.copyOf(arguments);
        nodes = List.copyOf(nodes);
        results = List.copyOf(results);
    }
}
