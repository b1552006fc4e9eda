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
import dev.weir.passes.analysis.Substitution;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import dev.weir.passes.contract.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Codes of weights in panels of columns, four neighbours along the last reduced axis to a word; of
 * codes of fewer bits a word holds as many fours as fit into its bytes, the first in their lowest
 * bits.
 *
 * <pre>
 *   words[instance, b, s, j]  =  code[column b·width + j, 4·n·s + 4·m + i] + bias
 *                                at bit m·bits of byte i, bias = 2^(bits - 1)
 * </pre>
 *
 * <p>So codes have no sign, as one side of products of bytes has to. A run's sum begins with what
 * that is too much, which depends on the row alone ({@link Words}).
 */
public final class PackedBytes {
    private final Identifiers identifiers;
    private final List<Node.Compute> computes;
    private final Map<Key, Value> packed = new LinkedHashMap<>();

    /**
     * What decides the layout.
     *
     * @param coordinates of a code, with indices numbered in the order of their axes
     * @param columns how many of these axes are columns
     */
    private record Key(Value codes, List<Scalar> coordinates, int columns, int width) {}

    PackedBytes(Identifiers identifiers, List<Node.Compute> computes) {
        this.identifiers = identifiers;
        this.computes = computes;
    }

    /** How many fours of codes are in one word. */
    public static int fours(ByteProducts products) {
        return Byte.SIZE / products.bits();
    }

    /** How many words of a column hold the codes of so many neighbours. */
    public static long words(ByteProducts products, long neighbours) {
        long each = (long) Integer.BYTES * fours(products);
        return (neighbours + each - 1) / each;
    }

    /** The operand of the weights that holds the codes. */
    public static Weights.Operand operand(Contraction contraction, ByteProducts products) {
        return contraction.weights().operands().stream()
                .filter(o -> Walk.contains(products.code(), o.load()))
                .findFirst().orElseThrow();
    }

    /** The codes of a contraction's weights, i32 {@code [instances…, panels, words, width]}. */
    public Value words(Contraction contraction, ByteProducts products, int width) {
        return packed.computeIfAbsent(key(contraction, products, width),
                k -> new Panels(contraction, products, width).words());
    }

    /** The same codes in the same order have the same key, whatever their indices are called. */
    private static Key key(Contraction contraction, ByteProducts products, int width) {
        Weights.Operand operand = operand(contraction, products);
        Map<Index, Scalar> numbers = new HashMap<>();
        for (Axis axis : axes(contraction)) {
            numbers.put(axis.index(), Scalar.variable(new Index(-1 - numbers.size(), "")));
        }
        List<Scalar> own = operand.own().stream()
                .map(c -> Substitution.apply(c, numbers)).toList();
        return new Key(operand.load().source(), own, contraction.columns().size(), width);
    }

    private static List<Axis> axes(Contraction contraction) {
        List<Axis> axes = new ArrayList<>(contraction.columns());
        axes.addAll(contraction.reduced());
        return axes;
    }

    /** One layout of one contraction's weights. */
    private final class Panels {
        private final Contraction contraction;
        private final ByteProducts products;
        private final Weights.Operand operand;
        private final int width;
        private final long columns;
        private final long length;
        private final long outer;
        private final List<Axis> axes = new ArrayList<>();
        private final List<Scalar> instances = new ArrayList<>();

        Panels(Contraction contraction, ByteProducts products, int width) {
            this.contraction = contraction;
            this.products = products;
            this.operand = operand(contraction, products);
            this.width = width;
            this.columns = contraction.columnCount();
            List<Axis> reduced = contraction.reduced();
            this.length = extent(reduced.getLast());
            this.outer = reduced.subList(0, reduced.size() - 1).stream()
                    .mapToLong(Panels::extent).reduce(1, (a, b) -> a * b);
        }

        private static long extent(Axis axis) {
            return ((Scalar.Whole) axis.upper()).value();
        }

        private List<Size> shape(long rows) {
            List<Size> shape = new ArrayList<>(
                    operand.load().source().type().shape().subList(0, operand.leading()));
            shape.add(Size.of((columns + width - 1) / width));
            shape.add(Size.of(rows));
            shape.add(Size.of(width));
            return shape;
        }

        /** The places of an element: panel, row, column in the panel. */
        private List<Scalar> places(List<Size> shape) {
            List<Scalar> places = new ArrayList<>();
            for (Size size : shape) {
                Index index = identifiers.index("i");
                axes.add(Axis.over(index, size));
                places.add(Scalar.variable(index));
            }
            instances.addAll(places.subList(0, operand.leading()));
            return places.subList(operand.leading(), places.size());
        }

        Value words() {
            long steps = PackedBytes.words(products, length);
            List<Size> shape = shape(outer * steps);
            List<Scalar> at = places(shape);
            Scalar step = remainder(at.get(1), steps);
            Scalar others = divide(at.get(1), steps);
            long mask = (1L << products.bits()) - 1;
            long bias = 1L << products.bits() - 1;
            Scalar word = null;
            for (int four = 0; four < fours(products); four++) {
                for (int i = 0; i < Integer.BYTES; i++) {
                    Scalar place = plus(times(step, (long) Integer.BYTES * fours(products)),
                            (long) Integer.BYTES * four + i);
                    Scalar bits = Scalar.apply(Operation.SHIFT_LEFT,
                            Scalar.apply(Operation.BIT_AND, Scalar.apply(Operation.ADD,
                                    code(column(at), others, place), whole(bias)),
                                    whole(mask)),
                            whole((long) i * Byte.SIZE + (long) four * products.bits()));
                    word = word == null ? bits : Scalar.apply(Operation.BIT_OR, word, bits);
                }
            }
            Value result = identifiers.value(
                    operand.load().source().name() + " in panels of words",
                    new TensorType(Format.I32, shape));
            computes.add(new Node.Compute(result, axes, Optional.empty(), word, Span.NONE));
            return result;
        }

        private Scalar column(List<Scalar> at) {
            return Scalar.apply(Operation.ADD, times(at.get(0), width), at.get(2));
        }

        /** The code of a column and a place in a run of neighbours; 0 outside. */
        private Scalar code(Scalar column, Scalar others, Scalar place) {
            Map<Index, Scalar> at = new HashMap<>();
            unflatten(contraction.columns(),
                    Scalar.apply(Operation.MINIMUM, column, Scalar.whole(columns - 1)), at);
            List<Axis> reduced = contraction.reduced();
            unflatten(reduced.subList(0, reduced.size() - 1), others, at);
            at.put(reduced.getLast().index(),
                    Scalar.apply(Operation.MINIMUM, place, Scalar.whole(length - 1)));
            return Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.AND,
                            Scalar.apply(Operation.LESS, column, Scalar.whole(columns)),
                            Scalar.apply(Operation.LESS, place, Scalar.whole(length))),
                    replaced(products.code(), at), whole(0));
        }

        private Scalar replaced(Scalar scalar, Map<Index, Scalar> at) {
            if (!scalar.equals(operand.load())) {
                return scalar instanceof Scalar.Variable variable
                        ? at.getOrDefault(variable.index(), scalar)
                        : Walk.map(scalar, o -> replaced(o, at));
            }
            List<Scalar> coordinates = new ArrayList<>(instances);
            operand.own().forEach(c -> coordinates.add(Substitution.apply(c, at)));
            return Scalar.load(operand.load().source(), coordinates);
        }

        private static void unflatten(List<Axis> axes, Scalar flat, Map<Index, Scalar> at) {
            Scalar rest = flat;
            for (int i = axes.size() - 1; i >= 0; i--) {
                at.put(axes.get(i).index(),
                        i == 0 ? rest : remainder(rest, extent(axes.get(i))));
                rest = divide(rest, extent(axes.get(i)));
            }
        }

        private static Scalar plus(Scalar left, long right) {
            return Scalar.apply(Operation.ADD, left, Scalar.whole(right));
        }

        private static Scalar times(Scalar left, long right) {
            return Scalar.apply(Operation.MULTIPLY, left, Scalar.whole(right));
        }

        private static Scalar divide(Scalar left, long right) {
            return Scalar.apply(Operation.DIVIDE, left, Scalar.whole(right));
        }

        private static Scalar remainder(Scalar left, long right) {
            return Scalar.apply(Operation.REMAINDER, left, Scalar.whole(right));
        }

        private static Scalar whole(long value) {
            return new Scalar.Whole(Format.I32, value);
        }
    }
}
