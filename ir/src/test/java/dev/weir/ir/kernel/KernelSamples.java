package dev.weir.ir.kernel;

import static dev.weir.ir.kernel.KernelBuilder.add;
import static dev.weir.ir.kernel.KernelBuilder.binary;
import static dev.weir.ir.kernel.KernelBuilder.load;
import static dev.weir.ir.kernel.KernelBuilder.spread;
import static dev.weir.ir.kernel.KernelBuilder.whole;

import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Bitcast;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.Convert;
import dev.weir.ir.kernel.Expression.Fold;
import dev.weir.ir.kernel.Expression.FoldEach;
import dev.weir.ir.kernel.Expression.FusedMultiplyAdd;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.RoundTo;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.kernel.Expression.Unary;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.BiFunction;

/**
 * Kernels that use each operation on each type, each format in each way. Their inputs are the
 * buffers {@code a}, {@code b} and {@code c} and those whose name begins with {@code in}; each
 * operation has a buffer of its own for its results.
 */
final class KernelSamples {

    private static final int ELEMENTS = AwkwardValues.ELEMENTS;

    private KernelSamples() {}

    static List<Kernel> all() {
        List<Kernel> kernels = new ArrayList<>();
        for (Element element : Element.values()) {
            for (int lanes : lanes(element)) {
                if (element != Element.BOOL) {
                    kernels.add(arithmetic(element, lanes));
                }
                kernels.add(comparisons(element, lanes));
                kernels.add(folds(element, lanes));
                for (Element to : Element.values()) {
                    for (int common : lanes(to)) {
                        if (common == lanes) {
                            kernels.add(convert(element, to, lanes));
                        }
                    }
                }
            }
        }
        for (Format format : Format.values()) {
            for (int lanes : lanes(format)) {
                kernels.add(masked(format, lanes));
                kernels.add(copy(format, lanes));
            }
        }
        for (int lanes : lanes(Element.F32)) {
            kernels.add(rounding(lanes));
        }
        for (int lanes : lanes(Element.I32)) {
            kernels.add(shortCodes(lanes));
        }
        for (int lanes : lanes(Element.BOOL)) {
            kernels.add(logic(lanes));
        }
        kernels.addAll(ControlSamples.all());
        return kernels;
    }

    private static final Format[] NARROW =
            {Format.BF16, Format.F16, Format.F8E4M3, Format.F8E5M2};

    /** Lane counts whose vectors have at least 64 and at most 512 bits. */
    private static int[] lanes(Element element) {
        return switch (element) {
            case F64, I64 -> new int[] {1, 2, 4, 8};
            case F32, I32, BOOL -> new int[] {1, 2, 4, 8, 16};
        };
    }

    private static int[] lanes(Format format) {
        return lanes(new Buffer("", format).register());
    }

    private static Format format(Element element) {
        return Format.valueOf(element.name());
    }

    /** A kernel that goes over {@code a} and {@code b}; {@code body} adds what it does. */
    private static Kernel pairs(
            String name, Element element, int lanes, BiFunction<KernelBuilder, Get[], Void> body) {
        var k = new KernelBuilder(name + "_" + element.word() + "x" + lanes);
        Buffer a = k.buffer("a", format(element));
        Buffer b = k.buffer("b", format(element));
        k.loop(whole(0), whole(ELEMENTS), lanes, i -> body.apply(k, new Get[] {
            i, k.let(load(a, i, lanes)), k.let(load(b, i, lanes))
        }));
        return k.build();
    }

    private static final double[] LIMITS = {-1.5, 3, 0.0, -0.0, 1e-60, Double.MIN_VALUE,
        Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN};

    /** Minima and maxima with constants, on either side. */
    private static void limits(KernelBuilder k, Expression index, Expression x, Format format) {
        for (int i = 0; i < LIMITS.length; i++) {
            Type type = x.type();
            Expression limit = spread(
                    new Expression.Real(type.withLanes(1), LIMITS[i]), type.lanes());
            k.store(k.buffer("at_least_" + i, format), index,
                    binary(BinaryOperation.MAXIMUM, x, limit));
            k.store(k.buffer("at_most_" + i, format), index,
                    binary(BinaryOperation.MINIMUM, limit, x));
        }
    }

    private static Kernel arithmetic(Element element, int lanes) {
        boolean real = element.isFloat();
        Format format = format(element);
        return pairs("arithmetic", element, lanes, (k, v) -> {
            for (UnaryOperation operation : UnaryOperation.values()) {
                if (operation != UnaryOperation.NOT
                        && (real || operation == UnaryOperation.NEGATE
                                || operation == UnaryOperation.ABSOLUTE)) {
                    k.store(k.buffer(word(operation), format), v[0], new Unary(operation, v[2]));
                }
            }
            for (BinaryOperation operation : BinaryOperation.values()) {
                boolean integer = switch (operation) {
                    case REMAINDER, AND, OR, EXCLUSIVE_OR, SHIFT_LEFT, SHIFT_RIGHT -> true;
                    case ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM -> false;
                };
                if (!real || !integer) {
                    k.store(k.buffer(word(operation), format), v[0],
                            binary(operation, v[1], v[2]));
                }
            }
            if (real) {
                limits(k, v[0], v[2], format);
                k.store(k.buffer("fma", format), v[0],
                        new FusedMultiplyAdd(v[1], v[2], v[2]));
                k.store(k.buffer("multiply_add", format), v[0],
                        add(binary(BinaryOperation.MULTIPLY, v[1], v[2]), v[2]));
                k.store(k.buffer("bits", element == Element.F64 ? Format.I64 : Format.I32), v[0],
                        new Bitcast(element == Element.F64 ? Element.I64 : Element.I32,
                                new Select(new Compare(Comparison.EQUAL, v[2], v[2]), v[2],
                                        binary(BinaryOperation.SUBTRACT, v[1], v[1]))));
            } else {
                if (element == Element.I32) {
                    k.store(k.buffer("dot_bytes", format), v[0],
                            new Expression.DotBytes(v[1], v[2], binary(
                                    BinaryOperation.MULTIPLY, v[1], v[2])));
                }
                k.store(k.buffer("real", element == Element.I64 ? Format.F64 : Format.F32), v[0],
                        new Bitcast(element == Element.I64 ? Element.F64 : Element.F32, v[2]));
                for (long constant : new long[] {3, -1, -8}) {
                    Expression divisor = spread(
                            new Expression.Whole(new Type(element, 1), constant), lanes);
                    k.store(k.buffer("by" + constant, format), v[0],
                            binary(BinaryOperation.DIVIDE, v[2], divisor));
                    k.store(k.buffer("rest" + constant, format), v[0],
                            binary(BinaryOperation.REMAINDER, v[2], divisor));
                }
            }
            return null;
        });
    }

    private static Kernel comparisons(Element element, int lanes) {
        return pairs("comparisons", element, lanes, (k, v) -> {
            for (Comparison comparison : Comparison.values()) {
                if (element == Element.BOOL && comparison != Comparison.EQUAL
                        && comparison != Comparison.NOT_EQUAL) {
                    continue;
                }
                Expression condition = new Compare(comparison, v[1], v[2]);
                k.store(k.buffer(word(comparison), Format.BOOL), v[0], condition);
                k.store(k.buffer("select_" + word(comparison), format(element)), v[0],
                        new Select(condition, v[1], v[2]));
            }
            return null;
        });
    }

    private static Kernel logic(int lanes) {
        return pairs("logic", Element.BOOL, lanes, (k, v) -> {
            Expression both = binary(BinaryOperation.AND, v[1], v[2]);
            Expression either = binary(BinaryOperation.OR, v[1], v[2]);
            Expression one = binary(BinaryOperation.EXCLUSIVE_OR, v[1], v[2]);
            Expression not = new Unary(UnaryOperation.NOT, one);
            k.store(k.buffer("and", Format.BOOL), v[0], both);
            k.store(k.buffer("or", Format.BOOL), v[0], either);
            k.store(k.buffer("xor", Format.BOOL), v[0], one);
            k.store(k.buffer("not", Format.BOOL), v[0], not);
            k.store(k.buffer("select", Format.BOOL), v[0], new Select(v[1], v[2], not));
            // A mask kept in a variable and used on lanes of different width.
            Get kept = k.var(either);
            k.assign(kept, binary(BinaryOperation.AND, kept, not));
            k.store(k.buffer("ints", Format.I32), v[0], new Select(kept,
                    spread(new Expression.Whole(Type.I32, 5), lanes),
                    spread(new Expression.Whole(Type.I32, -5), lanes)));
            if (lanes <= 8) {
                k.store(k.buffer("doubles", Format.F64), v[0], new Select(kept,
                        spread(new Expression.Real(Type.F64, 5), lanes),
                        spread(new Expression.Real(Type.F64, -5), lanes)));
            }
            k.store(k.buffer("constant", Format.BOOL), v[0],
                    spread(new Expression.Whole(Type.BOOL, 1), lanes));
            return null;
        });
    }

    private static Kernel folds(Element element, int lanes) {
        return pairs("folds", element, lanes, (k, v) -> {
            for (BinaryOperation operation : BinaryOperation.values()) {
                boolean fits = switch (operation) {
                    case ADD, SUBTRACT, MULTIPLY, MINIMUM, MAXIMUM -> element != Element.BOOL;
                    case AND, OR, EXCLUSIVE_OR -> !element.isFloat();
                    case DIVIDE, REMAINDER, SHIFT_LEFT, SHIFT_RIGHT -> false;
                };
                if (fits) {
                    k.store(k.buffer(word(operation), format(element)), v[0],
                            new Fold(operation, v[2]));
                }
                boolean each = fits && element != Element.BOOL
                        && operation != BinaryOperation.SUBTRACT;
                if (each) {
                    Expression[] vectors = new Expression[lanes];
                    for (int i = 0; i < lanes; i++) {
                        vectors[i] = i % 3 == 0 ? v[1] : i % 3 == 1 ? v[2]
                                : binary(operation, v[1], v[2]);
                    }
                    k.store(k.buffer("each_" + word(operation), format(element)), v[0],
                            new FoldEach(operation, List.of(vectors)));
                }
            }
            return null;
        });
    }

    private static Kernel convert(Element from, Element to, int lanes) {
        return pairs("convert_" + to.word(), from, lanes, (k, v) -> {
            k.store(k.buffer("converted", format(to)), v[0], new Convert(to, v[2]));
            return null;
        });
    }

    /** A few bits of words, with their sign, as f32: what weights in int4 are decoded by. */
    private static Kernel shortCodes(int lanes) {
        var k = new KernelBuilder("short_codes_x" + lanes);
        Buffer words = k.buffer("a", Format.I32);
        k.loop(whole(0), whole(ELEMENTS), lanes, i -> {
            Get word = k.let(load(words, i, lanes));
            for (int bits = 1; bits <= 5; bits++) {
                for (int low : new int[] {0, 1, 4, 24, Integer.SIZE - bits}) {
                    Expression up = spread(new Expression.Whole(
                            Type.I32, Integer.SIZE - bits - low), lanes);
                    Expression down = spread(
                            new Expression.Whole(Type.I32, Integer.SIZE - bits), lanes);
                    Expression code = binary(BinaryOperation.SHIFT_RIGHT,
                            binary(BinaryOperation.SHIFT_LEFT, word, up), down);
                    k.store(k.buffer("codes_" + bits + "_" + low, Format.F32), i,
                            new Convert(Element.F32, code));
                }
            }
        });
        return k.build();
    }

    private static Kernel rounding(int lanes) {
        return pairs("rounding", Element.F32, lanes, (k, v) -> {
            for (Format format : NARROW) {
                k.store(k.buffer("round_" + format.word(), Format.F32), v[0],
                        new RoundTo(format, v[2]));
                // Products of special values make many more cases.
                k.store(k.buffer("store_" + format.word(), format), v[0],
                        binary(BinaryOperation.MULTIPLY, v[1], v[2]));
            }
            return null;
        });
    }

    /** Every bit pattern of a 16-bit format, and the awkward values of the others. */
    private static Kernel copy(Format format, int lanes) {
        var k = new KernelBuilder("copy_" + format.word() + "x" + lanes);
        Buffer a = k.buffer(format.bytes() == 2 ? "patterns" : "a", format);
        Buffer same = k.buffer(format.bytes() == 2 ? "patterns_out" : "same", format);
        Element element = a.register();
        Buffer wide = k.buffer(format.bytes() == 2 ? "patterns_wide" : "wide", format(element));
        long elements = format.bytes() == 2 ? 1 << 16 : ELEMENTS;
        k.loop(whole(0), whole(elements), lanes, i -> {
            Get value = k.let(load(a, i, lanes));
            k.store(same, i, value);
            k.store(wide, i, value);
        });
        return k.build();
    }

    /** Loads and stores with each count of active lanes, at element-aligned places. */
    private static Kernel masked(Format format, int lanes) {
        var k = new KernelBuilder("masked_" + format.word() + "x" + lanes);
        Buffer a = k.buffer("a", format);
        Buffer loaded = k.buffer("loaded", format(a.register()));
        Buffer stored = k.buffer("stored", format);
        Buffer both = k.buffer("both", format);
        k.loop(whole(0), whole(lanes + 5), 1, i -> {
            Expression active = binary(BinaryOperation.SUBTRACT, i, whole(2));
            Expression place = k.let(binary(BinaryOperation.MULTIPLY, i, whole(2L * lanes + 1)));
            k.store(loaded, place, load(a, place, lanes, active));
            k.store(stored, place, load(a, place, lanes), active);
            k.store(both, place, load(a, place, lanes, active), active);
        });
        return k.build();
    }

    private static String word(Enum<?> operation) {
        return operation.name().toLowerCase(Locale.ROOT);
    }
}
