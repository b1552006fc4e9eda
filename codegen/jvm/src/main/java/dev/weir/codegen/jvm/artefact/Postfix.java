package dev.weir.codegen.jvm.artefact;

import java.math.BigDecimal;
import java.util.List;

/**
 * Arithmetic with operators behind their operands: numbers, {@code i0}, {@code i1}, … for indices,
 * and {@code + - * / % n}, of which the last one negates.
 */
final class Postfix {
    private static final int DEEPEST = 64;

    private Postfix() {}

    /**
     * @param place the indices' values
     */
    static long evaluate(List<?> parts, long[] place) {
        long[] stack = new long[DEEPEST];
        int top = 0;
        for (Object part : parts) {
            if (part instanceof BigDecimal number) {
                stack[top++] = number.longValue();
                continue;
            }
            String word = part.toString();
            if (word.startsWith("i")) {
                stack[top++] = place[Integer.parseInt(word.substring(1))];
            } else if (word.equals("n")) {
                stack[top - 1] = -stack[top - 1];
            } else {
                long right = stack[--top];
                long left = stack[top - 1];
                stack[top - 1] = switch (word) {
                    case "+" -> left + right;
                    case "-" -> left - right;
                    case "*" -> left * right;
                    case "/" -> Math.floorDiv(left, right);
                    case "%" -> Math.floorMod(left, right);
                    default -> throw new ArtefactException("no operator " + word);
                };
            }
        }
        return stack[0];
    }
}
