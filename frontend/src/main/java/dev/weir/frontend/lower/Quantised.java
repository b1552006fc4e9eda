package dev.weir.frontend.lower;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Parameter.Part;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * A parameter that is kept as codes and scales: reading an element is arithmetic on them, and no
 * pass needs to know more.
 *
 * <pre>
 *   w[j, k]  =  (code[j, k] - zero[j, k / group]) · scale[j, k / group]
 *   code[j, k]  =  the k % perByte-th bits of codes[j, k / perByte], with their sign
 * </pre>
 */
final class Quantised {
    private final Quantisation quantisation;
    private final long length;
    private final Value codes;
    private final Value scales;
    private final Optional<Value> zeros;

    /**
     * @param length of the last axis
     * @param declare makes the parameter that holds a part
     */
    Quantised(
            Quantisation quantisation,
            long length,
            Function<Optional<Part>, Value> declare) {
        this.quantisation = quantisation;
        this.length = length;
        this.codes = declare.apply(Optional.of(part(Part.Kind.CODES)));
        this.scales = declare.apply(Optional.of(part(Part.Kind.SCALES)));
        this.zeros = quantisation.zeroPoint()
                ? Optional.of(declare.apply(Optional.of(part(Part.Kind.ZEROS))))
                : Optional.empty();
    }

    /** Whether a tensor of this shape can be quantised; without axes it is one number. */
    static boolean applies(List<Dimension> shape, Session session) {
        return !session.isChecking() && !shape.isEmpty()
                && shape.getLast().size().constant().isPresent();
    }

    private Part part(Part.Kind kind) {
        return new Part(quantisation, kind, length);
    }

    /** The type of a part of a tensor of the shape {@code whole}. */
    static TensorType type(Part part, List<Size> whole) {
        List<Size> shape = new ArrayList<>(whole);
        shape.set(shape.size() - 1, Size.of(part.extent()));
        return new TensorType(part.format(), shape);
    }

    /** The value of an element. */
    Scalar at(List<Scalar> instances, List<Scalar> coordinates) {
        List<Scalar> row = new ArrayList<>(instances);
        row.addAll(coordinates.subList(0, coordinates.size() - 1));
        Scalar last = coordinates.getLast();
        Scalar group = divided(last, quantisation.group(length));
        Scalar code = code(row, last);
        Scalar steps = zeros
                .map(z -> Scalar.apply(Operation.SUBTRACT, code, load(z, row, group)))
                .orElse(code);
        return Scalar.apply(Operation.MULTIPLY,
                new Scalar.Convert(Format.F32, steps), load(scales, row, group));
    }

    private Scalar code(List<Scalar> row, Scalar last) {
        int perByte = quantisation.codesPerByte();
        Scalar word = load(codes, row, divided(last, perByte));
        if (perByte == 1) {
            return word;
        }
        int unused = 32 - quantisation.bits();
        Scalar place = Scalar.apply(Operation.REMAINDER, last, Scalar.whole(perByte));
        Scalar shift = Scalar.apply(Operation.SUBTRACT, Scalar.whole(unused),
                Scalar.apply(Operation.MULTIPLY, place, Scalar.whole(quantisation.bits())));
        Scalar top = Scalar.apply(Operation.SHIFT_LEFT, word,
                new Scalar.Convert(Format.I32, shift));
        return Scalar.apply(Operation.SHIFT_RIGHT, top, new Scalar.Whole(Format.I32, unused));
    }

    private Scalar divided(Scalar index, long by) {
        return by == 1 ? index
                : by >= length ? Scalar.whole(0)
                : Scalar.apply(Operation.DIVIDE, index, Scalar.whole(by));
    }

    private static Scalar load(Value source, List<Scalar> row, Scalar last) {
        List<Scalar> coordinates = new ArrayList<>(row);
        coordinates.add(last);
        return Scalar.load(source, coordinates);
    }
}
