package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Broadcast;
import dev.weir.ir.kernel.Expression.Convert;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A few bits of whole numbers that are taken out, with a sign, and made f32: what weights in int4
 * and int2 are decoded by. A register of sixteen lanes holds a table of all their values, in which
 * one instruction ({@code vpermps}, which looks at four bits of a lane) finds those of all lanes.
 *
 * @param word what the bits are taken from
 * @param low the lowest of them
 * @param bits how many
 */
record ShortCode(Expression word, int low, int bits) {
    private static final int INDEX_BITS = 4;
    private static final int LANES = 1 << INDEX_BITS;

    static Optional<ShortCode> of(Convert convert, TargetDescription target) {
        Type type = convert.type();
        if (target.lanes() != LANES || !type.equals(new Type(Element.F32, LANES))
                || !(convert.operand() instanceof Binary right)
                || right.operation() != BinaryOperation.SHIFT_RIGHT
                || right.type().element() != Element.I32
                || !(right.left() instanceof Binary left)
                || left.operation() != BinaryOperation.SHIFT_LEFT) {
            return Optional.empty();
        }
        return constant(right.right()).flatMap(down -> constant(left.right())
                .filter(up -> up >= 0 && up <= down && down < Integer.SIZE
                        && Integer.SIZE - down <= INDEX_BITS)
                .map(up -> new ShortCode(left.left(), down - up, Integer.SIZE - down)));
    }

    private static Optional<Integer> constant(Expression expression) {
        return expression instanceof Broadcast broadcast
                && broadcast.operand() instanceof Whole whole
                ? Optional.of((int) whole.value()) : Optional.empty();
    }

    /** The values, by what four bits may be, as LLVM writes a constant. */
    String table() {
        int unused = Integer.SIZE - bits;
        return IntStream.range(0, LANES)
                .mapToObj(i -> "float " + LlvmExpression.real((float) (i << unused >> unused)))
                .collect(Collectors.joining(", ", "<", ">"));
    }
}
