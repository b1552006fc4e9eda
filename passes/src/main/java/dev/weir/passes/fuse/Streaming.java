package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An axis of run-time extent that a kernel walks through in tiles: what is computed along it lives
 * only as long as its tile, and reductions over it are carried from tile to tile.
 *
 * @param axis the axis as the first node that has it names it
 * @param owner that node
 * @param along for each node, its own name of the axis: one of its axes, or one that it reduces
 */
public record Streaming(Axis axis, Node.Compute owner, Map<Node, Axis> along) {
    /** What is computed along so many places is worth being computed in tiles. */
    private static final long LONG = 512;

    /**
     * The one axis that nodes over {@code prefix} shared axes stream along, if all that they do
     * with
     * run-time extents is of that kind.
     *
     * @param inside the values that the nodes define
     */
    public static Optional<Streaming> of(List<Node> nodes, int prefix, Set<Value> inside) {
        return of(nodes, prefix, inside, Long.MAX_VALUE);
    }

    /** As {@link #of}, where a long axis of constant extent is streamed along as well. */
    public static Optional<Streaming> alongLong(
            List<Node> nodes, int prefix, Set<Value> inside) {
        return of(nodes, prefix, inside, LONG);
    }

    private static Optional<Streaming> of(
            List<Node> nodes, int prefix, Set<Value> inside, long least) {
        Map<Node, Axis> along = new HashMap<>();
        Node.Compute owner = null;
        for (Node node : nodes) {
            if (!(node instanceof Node.Compute compute)) {
                continue;
            }
            List<Axis> dynamic = new ArrayList<>();
            List<Axis> own = compute.axes();
            own.subList(Math.min(prefix, own.size()), own.size()).stream()
                    .filter(a -> !isShort(a, least))
                    .forEach(dynamic::add);
            compute.reduction().ifPresent(r -> r.axes().stream()
                    .filter(a -> !isShort(a, least))
                    .filter(a -> readsAlong(compute, a.index(), inside, prefix))
                    .forEach(dynamic::add));
            if (dynamic.size() > 1) {
                return Optional.empty();
            }
            if (dynamic.isEmpty()) {
                continue;
            }
            Axis axis = dynamic.getFirst();
            // Which element was the largest is not carried from tile to tile, only how large.
            if (compute.reduction().filter(r -> r.axes().contains(axis)
                    && r.kind() == Reduction.Kind.ARGUMENT_MAXIMUM).isPresent()) {
                return Optional.empty();
            }
            if (owner == null) {
                owner = compute;
            } else {
                List<Axis> shared = compute.axes().subList(0, prefix);
                List<Axis> ownersShared = owner.axes().subList(0, prefix);
                if (!Clustering.sameRange(axis, shared, along.get(owner), ownersShared)) {
                    return Optional.empty();
                }
            }
            along.put(compute, axis);
        }
        if (owner == null) {
            return Optional.empty();
        }
        for (Node node : nodes) {
            if (node instanceof Node.Compute compute
                    && !readsInStep(compute, along, inside, nodes)) {
                return Optional.empty();
            }
        }
        return Optional.of(new Streaming(along.get(owner), owner, along));
    }

    private static boolean isShort(Axis axis, long least) {
        return axis.lower() instanceof Scalar.Whole lower
                && axis.upper() instanceof Scalar.Whole upper
                && upper.value() - lower.value() < least;
    }

    private static boolean readsAlong(
            Node.Compute compute, Index index, Set<Value> inside, int prefix) {
        boolean[] found = {false};
        Walk.scalars(compute).forEach(s -> Walk.loads(s, load -> {
            if (inside.contains(load.source())) {
                found[0] |= load.coordinates().stream()
                        .anyMatch(c -> Walk.mentions(c, List.of(index)));
            }
        }));
        return found[0];
    }

    /** Whether every load of a streamed value is at the reader's own place on the streamed axis. */
    private static boolean readsInStep(
            Node.Compute compute, Map<Node, Axis> along, Set<Value> inside, List<Node> nodes) {
        boolean[] inStep = {true};
        Walk.scalars(compute).forEach(s -> Walk.loads(s, load -> {
            for (Node producer : nodes) {
                if (producer instanceof Node.Compute p
                        && p.result().equals(load.source())
                        && along.containsKey(p)) {
                    int axis = p.axes().indexOf(along.get(p));
                    if (axis >= 0) {
                        Axis mine = along.get(compute);
                        inStep[0] &= mine != null && load.coordinates().get(axis)
                                .equals(Scalar.variable(mine.index()));
                    }
                }
            }
        }));
        return inStep[0];
    }
}
