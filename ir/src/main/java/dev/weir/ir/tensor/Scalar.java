package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Optional;

/**
 * The expression for one element inside a {@link Node.Compute}. Coordinates and index arithmetic
 * are i64. Stored formats narrower than their compute format (bf16, f16) are widened by the load,
 * so an expression's format is always a compute format.
 */
public sealed interface Scalar {

    /** A floating-point constant. */
    record Real(Format format, double value) implements Scalar {}

    /** An integer or boolean constant. */
    record Whole(Format format, long value) implements Scalar {}

    /** The current value of an index, i64. */
    record Variable(Index index) implements Scalar {}

    /** The value of a run-time size, i64. */
    record Extent(Size size) implements Scalar {}

    /**
     * One element of a tensor.
     *
     * @param source the tensor; its rank is the number of coordinates
     * @param coordinates one i64 expression an axis
     * @param bounds what is known about the coordinates
     * @param otherwise what is read outside the tensor, with {@link Bounds#GUARDED} only
     */
    record Load(Value source, List<Scalar> coordinates, Bounds bounds, Optional<Scalar> otherwise)
            implements Scalar {
        public Load {
            coordinates = List.copyOf(coordinates);
            if (coordinates.size() != source.type().rank()) {
                throw new IllegalArgumentException(
                        "load of " + source.name() + ": " + source.type() + " with "
                                + coordinates.size() + " coordinates");
            }
            if (otherwise.isPresent() != (bounds == Bounds.GUARDED)) {
                throw new IllegalArgumentException("`otherwise` goes with guarded bounds only");
            }
        }
    }

    /** An operation of the table. */
    record Apply(Operation operation, List<Scalar> operands) implements Scalar {
        public Apply {
            operands = List.copyOf(operands);
            if (operands.size() != operation.arity()) {
                throw new IllegalArgumentException(operation.word() + " with " + operands.size());
            }
        }
    }

    /** A change of compute format: f32, f64, i64, i32 or bool. */
    record Convert(Format format, Scalar operand) implements Scalar {}

    /**
     * The value that storing the operand in a narrower format and loading it again gives. The
     * expression's own format is the compute format of {@code stored}.
     */
    record Round(Format stored, Scalar operand) implements Scalar {}

    /**
     * An index that has to lie in {@code 0..extent}: otherwise a fault, which names the two and the
     * place as the program's author knows them, whatever has become of the tensor.
     *
     * @param index i64, and the expression's value
     * @param extent i64
     * @param place for the message: {@code axis 0 of x}, or the whole message where that is about
     *     something else than an index, with the placeholders of {@link Fault#message}
     */
    record Within(Scalar index, Scalar extent, String place) implements Scalar {
        /** What the check says where it fails. */
        public static String check(String place) {
            return place.contains("{value}") ? place
                    : "index {value} is outside " + place + ", which has {limit} elements";
        }

        public static Fault fault(long index, String place, long extent) {
            return new Fault(Fault.message(check(place), index, extent));
        }
    }

    /** What is known about the coordinates of a load. */
    enum Bounds {
        /** They lie inside the tensor. */
        PROVED,
        /** They depend on data: outside the tensor they are a fault at run time. */
        CHECKED,
        /** Outside the tensor something else is read. */
        GUARDED
    }

    /** The compute format of this expression's value. */
    default Format format() {
        return switch (this) {
            case Real r -> r.format;
            case Whole w -> w.format;
            case Variable v -> Format.I64;
            case Extent e -> Format.I64;
            case Within w -> Format.I64;
            case Load l -> l.source.type().format().compute();
            case Convert c -> c.format;
            case Round r -> r.stored.compute();
            case Apply a -> switch (a.operation.result()) {
                case OPERAND -> a.operands.getFirst().format();
                case BOOLEAN -> Format.BOOL;
                case SECOND -> a.operands.get(1).format();
            };
        };
    }

    static Scalar whole(long value) {
        return new Whole(Format.I64, value);
    }

    static Scalar truth(boolean value) {
        return new Whole(Format.BOOL, value ? 1 : 0);
    }

    static Scalar real(double value) {
        return new Real(Format.F32, value);
    }

    static Scalar variable(Index index) {
        return new Variable(index);
    }

    /** The size as an expression: a constant where it is one. */
    static Scalar extent(Size size) {
        return size.constant().map(Scalar::whole).orElseGet(() -> new Extent(size));
    }

    static Scalar load(Value source, List<Scalar> coordinates) {
        return new Load(source, coordinates, Bounds.PROVED, Optional.empty());
    }

    static Scalar loadChecked(Value source, List<Scalar> coordinates) {
        return new Load(source, coordinates, Bounds.CHECKED, Optional.empty());
    }

    static Scalar loadOr(Value source, List<Scalar> coordinates, Scalar otherwise) {
        return new Load(source, coordinates, Bounds.GUARDED, Optional.of(otherwise));
    }

    /** An index that is checked once, at its innermost: what is checked already stays as it is. */
    static Scalar within(Scalar index, Scalar extent, String place) {
        return index instanceof Within ? index : new Within(index, extent, place);
    }

    static Scalar apply(Operation operation, Scalar... operands) {
        return new Apply(operation, List.of(operands));
    }
}
