package dev.weir.passes.schedule;

import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.fuse.Cluster;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Leaves out what is of no use once clusters are known: the size of a value that never leaves its
 * kernel is not measured, and the table of which it would be the largest element not computed.
 */
final class Pruning {
    private Pruning() {}

    static List<Cluster> run(List<Cluster> clusters, Region region) {
        List<Cluster> kept = new ArrayList<>();
        Set<String> sizes = new HashSet<>();
        Set<Value> values = new HashSet<>(region.results());
        region.results().forEach(v -> sizes(v, sizes));
        for (Cluster cluster : clusters.reversed()) {
            if (isNeeded(cluster, sizes, values)) {
                kept.addFirst(cluster);
                cluster.nodes().forEach(n -> use(n, cluster, sizes, values));
            }
        }
        return kept;
    }

    private static boolean isNeeded(Cluster cluster, Set<String> sizes, Set<Value> values) {
        return switch (cluster.nodes().getFirst()) {
            case Node.Measure measure -> sizes.contains(measure.size().name());
            case Node.Compute compute -> cluster.nodes().stream()
                    .flatMap(n -> n.results().stream())
                    .anyMatch(values::contains);
            default -> true;
        };
    }

    private static void use(Node node, Cluster cluster, Set<String> sizes, Set<Value> values) {
        values.addAll(Walk.reads(node));
        Walk.scalars(node).forEach(s -> sizes(s, sizes));
        boolean alone = cluster.nodes().size() == 1;
        node.results().stream()
                .filter(v -> alone || cluster.exported().contains(v))
                .forEach(v -> sizes(v, sizes));
        for (Region region : Walk.regions(node)) {
            values.addAll(region.results());
            region.results().forEach(v -> sizes(v, sizes));
            Walk.nodes(region, inner -> {
                values.addAll(Walk.reads(inner));
                Walk.scalars(inner).forEach(s -> sizes(s, sizes));
                inner.results().forEach(v -> sizes(v, sizes));
                Walk.regions(inner).forEach(r -> values.addAll(r.results()));
            });
        }
    }

    private static void sizes(Value value, Set<String> sizes) {
        for (Size size : value.type().shape()) {
            sizes.addAll(size.symbols());
        }
    }

    private static void sizes(Scalar scalar, Set<String> sizes) {
        if (scalar instanceof Scalar.Extent extent) {
            sizes.addAll(extent.size().symbols());
        }
        Walk.operands(scalar).forEach(s -> sizes(s, sizes));
    }
}
