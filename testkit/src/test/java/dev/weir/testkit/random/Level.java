package dev.weir.testkit.random;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * A region that is being made: its nodes, and the values that can be used in it.
 *
 * <p>A value is <em>prefixed</em> if its first axis is the region's stream; the others are its own
 * axes, of constant size.
 */
final class Level {
    final Identifiers identifiers;
    final Optional<Size> prefix;
    final List<Node> nodes = new ArrayList<>();
    final List<Item> items = new ArrayList<>();
    /** Which instance of a stacked parameter or state the region is about, below {@link #COUNT}. */
    Optional<Scalar> instance = Optional.empty();
    /** The position of each row in its sequence. */
    Optional<Item> position = Optional.empty();
    boolean inFunction;
    /** In a block that a route chose, so that its instance differs from row to row. */
    boolean routed;
    boolean inLoop;
    /** In a region of a node. */
    boolean nested;
    boolean mayRemember = true;

    /** How many instances everything stacked has. */
    static final long COUNT = 3;

    /**
     * A value.
     *
     * @param bound for integers, what all elements are below
     */
    record Item(Value value, boolean prefixed, long bound) {
        List<Long> own() {
            return value.type().shape().stream()
                    .skip(prefixed ? 1 : 0)
                    .map(s -> s.constant().orElseThrow())
                    .toList();
        }

        Format format() {
            return value.type().format();
        }

        boolean isReal() {
            return format().isFloat();
        }
    }

    /** One element: the index along the stream, then those of the own axes. */
    interface Element {
        Scalar at(Scalar row, List<Scalar> own);
    }

    /** One term of a sum. */
    interface Term {
        Scalar at(Scalar row, List<Scalar> own, List<Scalar> reduced);
    }

    Level(Identifiers identifiers, Optional<Size> prefix) {
        this.identifiers = identifiers;
        this.prefix = prefix;
    }

    /** A region that sees all that this one sees. */
    Level inner() {
        Level level = new Level(identifiers, prefix);
        level.items.addAll(items);
        level.nested = true;
        level.instance = instance;
        level.position = position;
        level.inFunction = inFunction;
        level.routed = routed;
        level.inLoop = inLoop;
        level.mayRemember = mayRemember;
        return level;
    }

    TensorType type(Format format, boolean prefixed, List<Long> own) {
        List<Size> shape = new ArrayList<>();
        if (prefixed) {
            shape.add(prefix.orElseThrow());
        }
        own.forEach(n -> shape.add(Size.of(n)));
        return new TensorType(format, shape);
    }

    /** A value of the present region that something else defines. */
    Item define(String name, Format format, boolean prefixed, List<Long> own, long bound) {
        Item item = new Item(
                identifiers.value(name, type(format, prefixed, own)), prefixed, bound);
        items.add(item);
        return item;
    }

    /** The item that a number chooses; small numbers choose the latest. */
    Optional<Item> pick(int number, Predicate<Item> wanted) {
        List<Item> fitting = items.stream().filter(wanted).toList();
        return fitting.isEmpty()
                ? Optional.empty()
                : Optional.of(fitting.get(fitting.size() - 1 - number % fitting.size()));
    }

    Item real(int number) {
        return pick(number, Item::isReal).orElseThrow();
    }

    // ------------------------------------------------------------------ nodes

    Item compute(String name, Format format, boolean prefixed, List<Long> own, Element body) {
        Item item = new Item(
                identifiers.value(name, type(format, prefixed, own)), prefixed, Long.MAX_VALUE);
        List<Axis> axes = axes(item);
        nodes.add(new Node.Compute(
                item.value, axes, Optional.empty(), body.at(row(item, axes), own(item, axes)),
                Span.NONE));
        return item;
    }

    Item reduce(
            String name,
            Format format,
            boolean prefixed,
            List<Long> own,
            Reduction.Kind kind,
            List<Size> reduced,
            Optional<Term> filter,
            Term body) {
        Item item = new Item(
                identifiers.value(name, type(format, prefixed, own)), prefixed, Long.MAX_VALUE);
        List<Axis> axes = axes(item);
        List<Axis> sums = new ArrayList<>();
        reduced.forEach(size -> sums.add(Axis.over(identifiers.index("r"), size)));
        List<Scalar> indices = variables(sums);
        Scalar row = row(item, axes);
        List<Scalar> places = own(item, axes);
        nodes.add(new Node.Compute(
                item.value,
                axes,
                Optional.of(new Reduction(
                        kind, sums, filter.map(f -> f.at(row, places, indices)))),
                body.at(row, places, indices),
                Span.NONE));
        return item;
    }

    List<Axis> axes(Item item) {
        List<Axis> axes = new ArrayList<>();
        for (Size size : item.value.type().shape()) {
            Index index = identifiers.index(item.prefixed && axes.isEmpty() ? "t" : "d");
            axes.add(Axis.over(index, size));
        }
        return axes;
    }

    static Scalar row(Item item, List<Axis> axes) {
        return item.prefixed ? Scalar.variable(axes.getFirst().index()) : Scalar.whole(0);
    }

    static List<Scalar> own(Item item, List<Axis> axes) {
        return variables(axes).subList(item.prefixed ? 1 : 0, axes.size());
    }

    private static List<Scalar> variables(List<Axis> axes) {
        return axes.stream().map(a -> Scalar.variable(a.index())).toList();
    }

    // ------------------------------------------------------------------ reads

    /** An element of an item at own indices that may be of another shape: the last axes meet. */
    static Scalar read(Item item, Scalar row, List<Scalar> own, List<Long> shape) {
        return Scalar.load(item.value, place(item, row, own, shape));
    }

    static List<Scalar> place(Item item, Scalar row, List<Scalar> own, List<Long> shape) {
        List<Long> sizes = item.own();
        List<Scalar> place = new ArrayList<>();
        if (item.prefixed) {
            place.add(row);
        }
        for (int axis = 0; axis < sizes.size(); axis++) {
            int from = axis - sizes.size() + own.size();
            if (from < 0) {
                place.add(Scalar.whole(0));
            } else if (shape.get(from) <= sizes.get(axis)) {
                place.add(own.get(from));
            } else {
                place.add(Scalar.apply(
                        Operation.REMAINDER, own.get(from), Scalar.whole(sizes.get(axis))));
            }
        }
        return place;
    }
}
