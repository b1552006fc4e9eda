package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A row of codes, four to an i32, the first in the lowest bits, and before those of each run the
 * negative sum of its codes.
 *
 * <pre>
 *   -sum[run 0], codes 0 … 3, codes 4 … 7, …, -sum[run 1], …
 * </pre>
 *
 * @param words what holds them; the last axis counts words
 * @param row the coordinates before the last
 * @param place of a code in its row, i64
 * @param run how many codes are in a run
 */
public record Words(Value words, List<Scalar> row, Scalar place, long run) {
    /** How many bytes are in a word. */
    public static final int BYTES = Integer.BYTES;

    /** How many words a run takes with its sum; full words of weights reach no further. */
    public static long ofRun(long run) {
        return 1 + (run + Short.SIZE - 1) / Short.SIZE * (Short.SIZE / BYTES);
    }

    /** How many words a row of so many codes takes. */
    public static long ofRow(long codes, long run) {
        return (codes + run - 1) / run * ofRun(run);
    }

    /** The word of four bytes, i32, each the lowest bits of a number. */
    public static Scalar word(List<Scalar> bytes) {
        Scalar word = null;
        for (int i = 0; i < BYTES; i++) {
            Scalar bits = apply(Operation.SHIFT_LEFT,
                    apply(Operation.BIT_AND, bytes.get(i), whole(0xFF)),
                    whole((long) i * Byte.SIZE));
            word = word == null ? bits : apply(Operation.BIT_OR, word, bits);
        }
        return word;
    }

    /** The code again, i32. */
    public Scalar code() {
        List<Scalar> coordinates = new ArrayList<>(row);
        Scalar first = apply(Operation.ADD, apply(Operation.MULTIPLY,
                apply(Operation.DIVIDE, place, Scalar.whole(run)),
                Scalar.whole(ofRun(run))), Scalar.whole(1));
        coordinates.add(apply(Operation.ADD, first, apply(Operation.DIVIDE,
                apply(Operation.REMAINDER, place, Scalar.whole(run)), Scalar.whole(BYTES))));
        Scalar above = apply(Operation.SUBTRACT, Scalar.whole(Integer.SIZE - Byte.SIZE),
                apply(Operation.MULTIPLY, apply(Operation.REMAINDER, place, Scalar.whole(BYTES)),
                        Scalar.whole(Byte.SIZE)));
        return apply(Operation.SHIFT_RIGHT,
                apply(Operation.SHIFT_LEFT, Scalar.load(words, coordinates),
                        new Scalar.Convert(Format.I32, above)),
                whole(Integer.SIZE - Byte.SIZE));
    }

    /** What {@link #code} made. */
    public static Optional<Words> of(Scalar code) {
        if (code instanceof Scalar.Apply down
                && down.operation() == Operation.SHIFT_RIGHT
                && down.operands().get(0) instanceof Scalar.Apply up
                && up.operation() == Operation.SHIFT_LEFT
                && up.operands().get(0) instanceof Scalar.Load load
                && !load.coordinates().isEmpty()
                && load.coordinates().getLast() instanceof Scalar.Apply sum
                && sum.operation() == Operation.ADD
                && sum.operands().get(1) instanceof Scalar.Apply four
                && four.operation() == Operation.DIVIDE
                && four.operands().get(0) instanceof Scalar.Apply within
                && within.operation() == Operation.REMAINDER
                && within.operands().get(1) instanceof Scalar.Whole run) {
            List<Scalar> at = load.coordinates();
            Words words = new Words(load.source(), at.subList(0, at.size() - 1),
                    within.operands().get(0), run.value());
            return words.code().equals(code) ? Optional.of(words) : Optional.empty();
        }
        return Optional.empty();
    }

    private static Scalar apply(Operation operation, Scalar left, Scalar right) {
        return Scalar.apply(operation, left, right);
    }

    private static Scalar whole(long value) {
        return new Scalar.Whole(Format.I32, value);
    }
}
