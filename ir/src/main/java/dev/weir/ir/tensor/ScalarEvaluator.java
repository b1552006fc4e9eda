package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToLongFunction;

/**
 * Turns scalar expressions into Java functions of the present index values, so that the interpreter
 * does not look anything up for each element. The meaning is read off the expression, one node at a
 * time.
 */
final class ScalarEvaluator {

    /** A float expression: its value at some index values. */
    interface RealCode {
        double at(long[] indices);
    }

    /** An integer or boolean expression: its value at some index values. */
    interface WholeCode {
        long at(long[] indices);
    }

    /** Where the elements of a load come from: the flat place of a row of coordinates. */
    interface Storage {
        double real(long[] coordinates);

        long whole(long[] coordinates);

        /** The first axis that the coordinates leave, or -1. */
        int outside(long[] coordinates);

        long size(long[] coordinates, int axis);
    }

    private final Function<Value, Storage> storages;
    private final ToLongFunction<dev.weir.ir.type.Size> sizes;
    private final Map<Index, Integer> slots = new HashMap<>();

    ScalarEvaluator(
            Function<Value, Storage> storages, ToLongFunction<dev.weir.ir.type.Size> sizes) {
        this.storages = storages;
        this.sizes = sizes;
    }

    /** The place of an index in the array of index values. */
    int slot(Index index) {
        return slots.computeIfAbsent(index, i -> slots.size());
    }

    RealCode real(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Real r -> {
                double value = r.format().round(r.value());
                yield x -> value;
            }
            case Scalar.Load l -> realLoad(l);
            case Scalar.Round r -> {
                RealCode operand = real(r.operand());
                yield x -> r.stored().round(operand.at(x));
            }
            case Scalar.Convert c -> realConvert(c);
            case Scalar.Apply a -> realApply(a);
            case Scalar.Whole w -> throw new IllegalArgumentException("integer as float");
            case Scalar.Variable v -> throw new IllegalArgumentException("index as float");
            case Scalar.Extent e -> throw new IllegalArgumentException("size as float");
            case Scalar.Within w -> throw new IllegalArgumentException("index as float");
        };
    }

    private RealCode realConvert(Scalar.Convert convert) {
        if (convert.operand().format().isFloat()) {
            RealCode operand = real(convert.operand());
            return x -> convert.format().round(operand.at(x));
        }
        WholeCode operand = whole(convert.operand());
        return convert.format() == Format.F32
                ? x -> (float) operand.at(x)
                : x -> (double) operand.at(x);
    }

    private RealCode realApply(Scalar.Apply apply) {
        Operation operation = apply.operation();
        List<Scalar> operands = apply.operands();
        Format format = apply.format();
        if (operation == Operation.SELECT) {
            WholeCode condition = whole(operands.get(0));
            RealCode then = real(operands.get(1));
            RealCode otherwise = real(operands.get(2));
            return x -> condition.at(x) != 0 ? then.at(x) : otherwise.at(x);
        }
        RealCode first = real(operands.get(0));
        if (operation.arity() == 1) {
            return x -> Arithmetic.real(operation, format, first.at(x), 0);
        }
        RealCode second = real(operands.get(1));
        return x -> Arithmetic.real(operation, format, first.at(x), second.at(x));
    }

    WholeCode whole(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Whole w -> x -> w.value();
            case Scalar.Variable v -> {
                int slot = slot(v.index());
                yield x -> x[slot];
            }
            case Scalar.Extent e -> {
                long size = sizes.applyAsLong(e.size());
                yield x -> size;
            }
            case Scalar.Load l -> wholeLoad(l);
            case Scalar.Convert c -> wholeConvert(c);
            case Scalar.Apply a -> wholeApply(a);
            case Scalar.Within w -> within(w);
            case Scalar.Round r -> throw new IllegalArgumentException("float as integer");
            case Scalar.Real r -> throw new IllegalArgumentException("float as integer");
        };
    }

    private WholeCode within(Scalar.Within within) {
        WholeCode index = whole(within.index());
        WholeCode extent = whole(within.extent());
        return x -> {
            long at = index.at(x);
            long size = extent.at(x);
            if (at < 0 || at >= size) {
                throw Scalar.Within.fault(at, within.place(), size);
            }
            return at;
        };
    }

    private WholeCode wholeConvert(Scalar.Convert convert) {
        if (convert.operand().format().isFloat()) {
            RealCode operand = real(convert.operand());
            return switch (convert.format()) {
                case I32 -> x -> (int) operand.at(x);
                case BOOL -> x -> operand.at(x) != 0 ? 1 : 0;
                default -> x -> (long) operand.at(x);
            };
        }
        WholeCode operand = whole(convert.operand());
        return switch (convert.format()) {
            case I32 -> x -> (int) operand.at(x);
            case BOOL -> x -> operand.at(x) != 0 ? 1 : 0;
            default -> operand;
        };
    }

    private WholeCode wholeApply(Scalar.Apply apply) {
        Operation operation = apply.operation();
        List<Scalar> operands = apply.operands();
        if (operation == Operation.SELECT) {
            WholeCode condition = whole(operands.get(0));
            WholeCode then = whole(operands.get(1));
            WholeCode otherwise = whole(operands.get(2));
            return x -> condition.at(x) != 0 ? then.at(x) : otherwise.at(x);
        }
        boolean comparison = operation.result() == Operation.Result.BOOLEAN
                && operation != Operation.AND
                && operation != Operation.OR
                && operation != Operation.NOT;
        if (comparison && operands.get(0).format().isFloat()) {
            RealCode first = real(operands.get(0));
            RealCode second = real(operands.get(1));
            return x -> Arithmetic.compare(operation, first.at(x), second.at(x)) ? 1 : 0;
        }
        WholeCode first = whole(operands.get(0));
        if (operation.arity() == 1) {
            return x -> Arithmetic.whole(operation, apply.format(), first.at(x), 0);
        }
        WholeCode second = whole(operands.get(1));
        return switch (operation) {
            // The right side is not evaluated where the left one decides: it may be guarded by it.
            case AND -> x -> first.at(x) != 0 && second.at(x) != 0 ? 1 : 0;
            case OR -> x -> first.at(x) != 0 || second.at(x) != 0 ? 1 : 0;
            default -> comparison
                    ? x -> Arithmetic.compare(operation, first.at(x), second.at(x)) ? 1 : 0
                    : x -> Arithmetic.whole(operation, apply.format(), first.at(x), second.at(x));
        };
    }

    private WholeCode[] coordinates(Scalar.Load load) {
        return load.coordinates().stream().map(this::whole).toArray(WholeCode[]::new);
    }

    private static long[] place(WholeCode[] coordinates, long[] x) {
        long[] place = new long[coordinates.length];
        for (int i = 0; i < place.length; i++) {
            place[i] = coordinates[i].at(x);
        }
        return place;
    }

    private static void require(Scalar.Load load, Storage storage, long[] place) {
        int axis = storage.outside(place);
        if (axis >= 0) {
            throw Scalar.Within.fault(place[axis], "axis " + axis + " of " + load.source().name(),
                    storage.size(place, axis));
        }
    }

    private RealCode realLoad(Scalar.Load load) {
        WholeCode[] coordinates = coordinates(load);
        Storage storage = storages.apply(load.source());
        if (load.otherwise().isPresent()) {
            RealCode otherwise = real(load.otherwise().get());
            return x -> {
                long[] place = place(coordinates, x);
                return storage.outside(place) >= 0 ? otherwise.at(x) : storage.real(place);
            };
        }
        return x -> {
            long[] place = place(coordinates, x);
            require(load, storage, place);
            return storage.real(place);
        };
    }

    private WholeCode wholeLoad(Scalar.Load load) {
        WholeCode[] coordinates = coordinates(load);
        Storage storage = storages.apply(load.source());
        if (load.otherwise().isPresent()) {
            WholeCode otherwise = whole(load.otherwise().get());
            return x -> {
                long[] place = place(coordinates, x);
                return storage.outside(place) >= 0 ? otherwise.at(x) : storage.whole(place);
            };
        }
        return x -> {
            long[] place = place(coordinates, x);
            require(load, storage, place);
            return storage.whole(place);
        };
    }
}
