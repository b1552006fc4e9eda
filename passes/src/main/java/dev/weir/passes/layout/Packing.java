package dev.weir.passes.layout;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import dev.weir.passes.contract.Words;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Lays weights out in the order in which contraction kernels read them: panels of neighbouring
 * columns, in a panel one reduced index behind the other, each with its columns side by side. Done
 * once, at load, by a compute like any other.
 *
 * <pre>
 *   packed[instance, b, k, j] = w[instance, column b·width + j, reduced k]   or 0 past the last
 * column
 * </pre>
 *
 * <p>What runs of neighbours along the last reduced axis have in common, such as scales, is there
 * once for each run. Bytes may stand four to a word, neighbours along the last reduced axis, the
 * first in the lowest bits.
 */
public final class Packing {
    private final Identifiers identifiers;
    private final Map<Key, Value> packed = new LinkedHashMap<>();
    private final Map<Turned, Value> turned = new HashMap<>();
    private final PackedBytes bytes;
    private final List<Node.Compute> computes = new ArrayList<>();

    /**
     * @param columns the places of the columns among a tensor's own axes, the last the innermost
     * @param reduced the same of the reduced axes
     * @param neighbours how many along the last reduced axis are one element
     */
    private record Key(
            Value weights,
            int instances,
            List<Integer> columns,
            List<Integer> reduced,
            int width,
            int neighbours) {}

    private record Turned(Value weights, int leading, int axis) {}

    public Packing(Identifiers identifiers) {
        this.identifiers = identifiers;
        this.bytes = new PackedBytes(identifiers, computes);
    }

    /** Codes of weights in words, as contractions of bytes read them. */
    public PackedBytes bytes() {
        return bytes;
    }

    /** The computes that fill all packed weights. */
    public List<Node.Compute> computes() {
        return computes;
    }

    /** The packed form of what a contraction reads, in panels of {@code width} columns. */
    public Value of(Contraction contraction, Weights.Operand operand, int width) {
        return packed.computeIfAbsent(key(contraction, operand, width, 1), this::pack);
    }

    /** The same of bytes, as i32: four neighbours along the last reduced axis in each. */
    public Value words(Contraction contraction, Weights.Operand operand, int width) {
        return packed.computeIfAbsent(key(contraction, operand, width, Words.BYTES), this::pack);
    }

    private static Key key(
            Contraction contraction, Weights.Operand operand, int width, int neighbours) {
        List<Scalar> own = operand.own();
        return new Key(operand.load().source(), operand.leading(),
                places(contraction.columns(), own), places(contraction.reduced(), own), width,
                neighbours);
    }

    /**
     * Weights with one of their own axes behind all others.
     *
     * @param leading how many axes choose the instance
     * @param axis which of the others goes last
     */
    Value turned(Value weights, int leading, int axis) {
        return turned.computeIfAbsent(new Turned(weights, leading, axis), this::turn);
    }

    private Value turn(Turned key) {
        List<Size> shape = new ArrayList<>(key.weights.type().shape());
        shape.add(shape.remove(key.leading + key.axis));
        Value result = identifiers.value(key.weights.name() + " turned",
                new TensorType(key.weights.type().format(), shape));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> source = new ArrayList<>();
        for (Size size : shape) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            source.add(Scalar.variable(index));
        }
        source.add(key.leading + key.axis, source.removeLast());
        computes.add(new Node.Compute(result, axes, Optional.empty(),
                Scalar.load(key.weights, source), Span.NONE));
        return result;
    }

    /** Where the axes' indices are mentioned; those that are nowhere are left out. */
    private static List<Integer> places(List<Axis> axes, List<Scalar> coordinates) {
        List<Integer> places = new ArrayList<>();
        for (Axis axis : axes) {
            for (int i = 0; i < coordinates.size(); i++) {
                if (Walk.mentions(coordinates.get(i), List.of(axis.index()))) {
                    places.add(i);
                }
            }
        }
        return places;
    }

    private Value pack(Key key) {
        List<Size> shape = key.weights.type().shape();
        int instances = key.instances;
        long columns = count(shape, instances, key.columns);
        int outer = Math.max(0, key.reduced.size() - 1);
        long last = count(shape, instances, key.reduced.subList(outer, key.reduced.size()));
        long elements = (last + key.neighbours - 1) / key.neighbours;
        long reduced = count(shape, instances, key.reduced.subList(0, outer)) * elements;
        long panels = (columns + key.width - 1) / key.width;
        List<Size> packedShape = new ArrayList<>(shape.subList(0, instances));
        packedShape.add(Size.of(panels));
        packedShape.add(Size.of(reduced));
        packedShape.add(Size.of(key.width));
        boolean isWord = key.neighbours > 1;
        Value result = identifiers.value(
                key.weights.name() + (isWord ? " in panels of words" : " in panels"),
                new TensorType(isWord ? Format.I32 : key.weights.type().format(), packedShape));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> coordinates = new ArrayList<>();
        for (Size size : packedShape) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            coordinates.add(Scalar.variable(index));
        }
        Scalar column = plus(times(coordinates.get(instances), key.width),
                coordinates.get(instances + 2));
        Scalar row = coordinates.get(instances + 1);
        Scalar body = isWord
                ? word(key, coordinates, column, row, last, elements)
                : element(key, coordinates, column, row);
        if (columns % key.width != 0) {
            Format format = result.type().format().compute();
            body = Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.LESS, column, Scalar.whole(columns)), body,
                    format.isFloat() ? new Scalar.Real(format, 0) : new Scalar.Whole(format, 0));
        }
        computes.add(new Node.Compute(result, axes, Optional.empty(), body, Span.NONE));
        return result;
    }

    /** Neighbours along the last reduced axis as bytes of an i32; 0 past the last. */
    private static Scalar word(
            Key key, List<Scalar> coordinates, Scalar column, Scalar row, long last,
            long elements) {
        Scalar first = times(
                Scalar.apply(Operation.REMAINDER, row, Scalar.whole(elements)), key.neighbours);
        Scalar outer = times(
                Scalar.apply(Operation.DIVIDE, row, Scalar.whole(elements)), last);
        List<Scalar> bytes = new ArrayList<>();
        for (int i = 0; i < key.neighbours; i++) {
            Scalar place = plus(first, Scalar.whole(i));
            Scalar load = element(key, coordinates, column, plus(outer, place));
            bytes.add(last % key.neighbours == 0 ? load : Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.LESS, place, Scalar.whole(last)), load,
                    new Scalar.Whole(Format.I32, 0)));
        }
        return Words.word(bytes);
    }

    /** The element of a column and a flat reduced index. */
    private static Scalar element(
            Key key, List<Scalar> coordinates, Scalar column, Scalar reduced) {
        List<Size> shape = key.weights.type().shape();
        Scalar[] own = new Scalar[shape.size() - key.instances];
        Arrays.fill(own, Scalar.whole(0));
        unflatten(column, key.columns, shape, key.instances, own);
        unflatten(reduced, key.reduced, shape, key.instances, own);
        List<Scalar> source = new ArrayList<>(coordinates.subList(0, key.instances));
        source.addAll(List.of(own));
        return Scalar.load(key.weights, source);
    }

    private static Scalar plus(Scalar left, Scalar right) {
        return Scalar.apply(Operation.ADD, left, right);
    }

    private static Scalar times(Scalar left, long right) {
        return Scalar.apply(Operation.MULTIPLY, left, Scalar.whole(right));
    }

    private static long count(List<Size> shape, int instances, List<Integer> axes) {
        return axes.stream()
                .mapToLong(a -> shape.get(instances + a).constant().orElseThrow())
                .reduce(1, (a, b) -> a * b);
    }

    private static void unflatten(
            Scalar flat, List<Integer> axes, List<Size> shape, int instances, Scalar[] own) {
        Scalar rest = flat;
        for (int i = axes.size() - 1; i >= 0; i--) {
            Scalar extent = Scalar.extent(shape.get(instances + axes.get(i)));
            own[axes.get(i)] = i == 0
                    ? rest
                    : Scalar.apply(Operation.REMAINDER, rest, extent);
            rest = Scalar.apply(Operation.DIVIDE, rest, extent);
        }
    }
}
