package dev.weir.passes.layout;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.fuse.Cluster;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * Lets nodes that are no contractions read weights side by side: where a node's last axis is not
 * the last of the weights, it reads a copy, made at load, in which it is.
 *
 * <pre>
 *   y[i, j, c] = sum[u, v] w[c, u, v] · x[i + u, j + v, c]
 *     ⇒  turned[u, v, c] = w[c, u, v]      at load
 *        y[i, j, c] = sum[u, v] turned[u, v, c] · x[i + u, j + v, c]
 * </pre>
 */
public final class Turning {
    /** So many vectors outweigh what is left behind them. */
    private static final int MANY = 8;

    private final Packing packing;
    private final Facts facts;
    private final BiPredicate<Scalar, Axis> inLanes;

    /**
     * @param inLanes whether an expression can be computed for neighbours along an axis at once
     */
    public Turning(Packing packing, Facts facts, BiPredicate<Scalar, Axis> inLanes) {
        this.packing = packing;
        this.facts = facts;
        this.inLanes = inLanes;
    }

    /** The same nodes, some of which read turned weights. */
    public Cluster of(Cluster cluster) {
        return new Cluster(cluster.nodes().stream().map(this::of).toList(), cluster.prefix(),
                cluster.exported(), cluster.fused(), cluster.apart());
    }

    private Node of(Node node) {
        if (!(node instanceof Node.Compute compute) || compute.axes().isEmpty()
                || inLanes.test(compute.body(), compute.axes().getLast())
                || isSummedInLanes(compute)
                || !isWide(compute.axes().getLast())) {
            return node;
        }
        Axis axis = compute.axes().getLast();
        // Whatever is read side by side would do here.
        Scalar some = new Scalar.Real(Format.F32, 0);
        if (!inLanes.test(map(compute.body(), axis, load -> some), axis)) {
            return node;
        }
        return new Node.Compute(compute.result(), compute.axes(), compute.reduction(),
                map(compute.body(), axis, load -> turned(load, axis)), compute.span());
    }

    /** With what takes the place of weights along whose last axis the node does not go. */
    private Scalar map(Scalar scalar, Axis axis, Function<Scalar.Load, Scalar> change) {
        return scalar instanceof Scalar.Load load && place(load, axis).isPresent()
                ? change.apply(load)
                : Walk.map(scalar, operand -> map(operand, axis, change));
    }

    /** Which of a load's own axes is the node's, if it is one before the last. */
    private Optional<Integer> place(Scalar.Load load, Axis axis) {
        if (!facts.isWeight(load.source()) || load.bounds() != Scalar.Bounds.PROVED
                || load.source().type().format().compute() != Format.F32) {
            return Optional.empty();
        }
        List<Integer> places = new ArrayList<>();
        for (int i = 0; i < load.coordinates().size(); i++) {
            if (Walk.mentions(load.coordinates().get(i), List.of(axis.index()))) {
                places.add(i);
            }
        }
        int leading = facts.tableAxes(load.source());
        return places.size() == 1
                        && places.getFirst() >= leading
                        && places.getFirst() < load.coordinates().size() - 1
                        && load.coordinates().get(places.getFirst())
                                .equals(Scalar.variable(axis.index()))
                ? Optional.of(places.getFirst() - leading) : Optional.empty();
    }

    private Scalar turned(Scalar.Load load, Axis axis) {
        int leading = facts.tableAxes(load.source());
        int place = place(load, axis).orElseThrow();
        List<Scalar> coordinates = new ArrayList<>(load.coordinates());
        coordinates.add(coordinates.remove(leading + place));
        return Scalar.load(packing.turned(load.source(), leading, place), coordinates);
    }

    /** Whether the terms of each sum lie side by side as they are. */
    private boolean isSummedInLanes(Node.Compute compute) {
        return compute.reduction().filter(r -> !r.axes().isEmpty()
                && inLanes.test(compute.body(), r.axes().getLast())).isPresent();
    }

    /** What is left behind the last whole vector goes one by one, and would be far apart. */
    private boolean isWide(Axis axis) {
        int lanes = facts.target().lanes();
        return axis.upper() instanceof Scalar.Whole upper
                && (upper.value() % lanes == 0 || upper.value() >= MANY * lanes);
    }
}
