package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A row of codes, four to an i32, as bytes without a sign: {@code code + 128}, the first in the
 * lowest bits.
 *
 * @param words what holds them; the last axis counts words
 * @param row the coordinates before the last
 * @param place of a code in its row, i64
 */
public record Words(Value words, List<Scalar> row, Scalar place) {
    /** What is added to a code. */
    public static final int BIAS = 128;
    private static final int CODES = 4;

    /** How many words a row of so many codes takes; full words of weights reach no further. */
    public static long count(long codes) {
        return (codes + Short.SIZE - 1) / Short.SIZE * (Short.SIZE / CODES);
    }

    /** The word at a place, given what each code is. */
    public interface Code {
        Scalar at(Scalar place);
    }

    /** A word of codes, i32. */
    public static Scalar word(Scalar number, Code code) {
        Scalar word = null;
        for (int i = 0; i < CODES; i++) {
            Scalar place = Scalar.apply(Operation.ADD, Scalar.apply(
                    Operation.MULTIPLY, number, Scalar.whole(CODES)), Scalar.whole(i));
            Scalar bits = Scalar.apply(Operation.SHIFT_LEFT,
                    Scalar.apply(Operation.ADD, code.at(place), whole(BIAS)),
                    whole((long) i * Byte.SIZE));
            word = word == null ? bits : Scalar.apply(Operation.BIT_OR, word, bits);
        }
        return word;
    }

    /** The code again, i32. */
    public Scalar code() {
        List<Scalar> coordinates = new ArrayList<>(row);
        coordinates.add(Scalar.apply(Operation.DIVIDE, place, Scalar.whole(CODES)));
        Scalar shift = Scalar.apply(Operation.MULTIPLY,
                Scalar.apply(Operation.REMAINDER, place, Scalar.whole(CODES)),
                Scalar.whole(Byte.SIZE));
        return Scalar.apply(Operation.SUBTRACT,
                Scalar.apply(Operation.BIT_AND,
                        Scalar.apply(Operation.SHIFT_RIGHT, Scalar.load(words, coordinates),
                                new Scalar.Convert(Format.I32, shift)),
                        whole(0xFF)),
                whole(BIAS));
    }

    /** What {@link #code} made. */
    public static Optional<Words> of(Scalar code) {
        if (code instanceof Scalar.Apply unbiased
                && unbiased.operation() == Operation.SUBTRACT
                && unbiased.operands().get(0) instanceof Scalar.Apply masked
                && masked.operation() == Operation.BIT_AND
                && masked.operands().get(0) instanceof Scalar.Apply shifted
                && shifted.operation() == Operation.SHIFT_RIGHT
                && shifted.operands().get(0) instanceof Scalar.Load load
                && !load.coordinates().isEmpty()
                && load.coordinates().getLast() instanceof Scalar.Apply division
                && division.operation() == Operation.DIVIDE) {
            List<Scalar> at = load.coordinates();
            Words words = new Words(load.source(), at.subList(0, at.size() - 1),
                    division.operands().get(0));
            return words.code().equals(code) ? Optional.of(words) : Optional.empty();
        }
        return Optional.empty();
    }

    private static Scalar whole(long value) {
        return new Scalar.Whole(Format.I32, value);
    }
}
