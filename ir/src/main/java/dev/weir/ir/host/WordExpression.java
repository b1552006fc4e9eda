package dev.weir.ir.host;

import java.util.List;

/** A value of word code: always a whole number of 64 bits, which may be an address. */
public sealed interface WordExpression {

    record Constant(long value) implements WordExpression {}

    /** A local or a parameter of the function. */
    record Local(String name) implements WordExpression {}

    /** What stands at an address; bytes are zero-extended, integers of four bytes sign-extended. */
    record Load(Width width, WordExpression address) implements WordExpression {}

    record Binary(Operator operator, WordExpression left, WordExpression right)
            implements WordExpression {}

    /** Calls a function of the program, or one of {@link WordProgram#EXTERNALS}. */
    record Call(String function, List<WordExpression> arguments) implements WordExpression {
        public Call {
            arguments = List.copyOf(arguments);
        }
    }

    /** The address of a text in UTF-8 with a zero byte behind it. */
    record Text(String text) implements WordExpression {}

    /** How much of memory is moved. */
    enum Width {
        BYTE(1),
        INTEGER(4),
        WORD(8);

        private final int bytes;

        Width(int bytes) {
            this.bytes = bytes;
        }

        public int bytes() {
            return bytes;
        }
    }

    /**
     * Arithmetic wraps. Division and remainder round towards minus infinity; by 0 they give 0, so
     * that whoever minds asks before. Shift counts are taken modulo 64. Comparisons give 0 or 1.
     */
    enum Operator {
        ADD,
        SUBTRACT,
        MULTIPLY,
        DIVIDE,
        REMAINDER,
        AND,
        OR,
        EXCLUSIVE_OR,
        SHIFT_LEFT,
        SHIFT_RIGHT,
        MINIMUM,
        MAXIMUM,
        EQUAL,
        NOT_EQUAL,
        LESS,
        LESS_EQUAL,
        GREATER,
        GREATER_EQUAL
    }

    static WordExpression of(long value) {
        return new Constant(value);
    }

    static WordExpression local(String name) {
        return new Local(name);
    }

    static WordExpression word(WordExpression address) {
        return new Load(Width.WORD, address);
    }

    static WordExpression binary(Operator operator, WordExpression left, WordExpression right) {
        return new Binary(operator, left, right);
    }

    static WordExpression plus(WordExpression left, long right) {
        return right == 0 ? left : new Binary(Operator.ADD, left, new Constant(right));
    }

    static WordExpression call(String function, WordExpression... arguments) {
        return new Call(function, List.of(arguments));
    }
}
