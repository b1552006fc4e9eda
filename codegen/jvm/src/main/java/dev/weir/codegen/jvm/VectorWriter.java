package dev.weir.codegen.jvm;

import static dev.weir.codegen.jvm.JvmTypes.MASK;
import static dev.weir.codegen.jvm.JvmTypes.OPERATORS;
import static dev.weir.codegen.jvm.JvmTypes.SHUFFLE;
import static dev.weir.codegen.jvm.JvmTypes.SPECIES;
import static dev.weir.codegen.jvm.JvmTypes.VECTOR;
import static dev.weir.codegen.jvm.JvmTypes.reference;

import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Convert;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.kernel.Expression.Unary;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import java.util.ArrayList;
import java.util.List;
import org.objectweb.asm.Opcodes;

/** Writes operations on vectors and masks as calls of the Vector API. */
final class VectorWriter {

    private final Code code;
    private final ExpressionWriter expressions;

    VectorWriter(Code code, ExpressionWriter expressions) {
        this.code = code;
        this.expressions = expressions;
    }

    void unary(Unary u, Element wanted) {
        Type type = u.type();
        if (type.element() == Element.BOOL) {
            expressions.emit(u.operand(), wanted);
            code.invoke(MASK, "not", "()" + reference(MASK));
            return;
        }
        expressions.emit(u.operand());
        switch (u.operation()) {
            case NEGATE -> lanewise(type, "NEG");
            case ABSOLUTE -> lanewise(type, "ABS");
            case SQUARE_ROOT -> lanewise(type, "SQRT");
            case FLOOR -> expressions.expand(
                    Expansions.floor(expressions.hold(type)), Element.I32);
            case NOT -> throw new IllegalArgumentException("not of " + type);
        }
    }

    private void lanewise(Type type, String operator) {
        String vector = JvmTypes.vector(type.element());
        code.operator("Unary", operator);
        code.invoke(vector, "lanewise",
                "(" + reference(OPERATORS + "$Unary") + ")" + reference(vector));
    }

    void binary(Binary b, Element wanted) {
        Type type = b.type();
        if (type.element() == Element.BOOL) {
            expressions.emit(b.left(), wanted);
            expressions.emit(b.right(), wanted);
            mask(b.operation());
            return;
        }
        expressions.emit(b.left());
        expressions.emit(b.right());
        binary(b.operation(), type);
    }

    /** With both operands on the stack. */
    private void binary(BinaryOperation operation, Type type) {
        boolean real = type.element().isFloat();
        switch (operation) {
            case ADD -> binary(type, "Associative", "ADD");
            case SUBTRACT -> binary(type, "Binary", "SUB");
            case MULTIPLY -> binary(type, "Associative", "MUL");
            case DIVIDE -> {
                if (!real) {
                    Get divisor = expressions.hold(type);
                    expressions.expand(Expansions.divisor(divisor), Element.I32);
                }
                binary(type, "Binary", "DIV");
            }
            case REMAINDER -> remainder(type);
            case MINIMUM -> binary(type, "Associative", "MIN");
            case MAXIMUM -> binary(type, "Associative", "MAX");
            case AND -> binary(type, "Associative", "AND");
            case OR -> binary(type, "Associative", "OR");
            case EXCLUSIVE_OR -> binary(type, "Associative", "XOR");
            case SHIFT_LEFT -> binary(type, "Binary", "LSHL");
            case SHIFT_RIGHT -> binary(type, "Binary", "ASHR");
        }
    }

    private void remainder(Type type) {
        expressions.expand(Expansions.divisor(expressions.hold(type)), Element.I32);
        Get divisor = expressions.hold(type);
        Get left = expressions.hold(type);
        expressions.apply(BinaryOperation.DIVIDE, left, divisor);
        Get quotient = expressions.hold(type);
        expressions.expand(Expansions.remainder(left, quotient, divisor), Element.I32);
    }

    private void binary(Type type, String kind, String operator) {
        String vector = JvmTypes.vector(type.element());
        // The operator goes between the operands.
        code.operator(kind, operator);
        code.op(Opcodes.SWAP);
        code.invoke(vector, "lanewise",
                "(" + reference(OPERATORS + "$Binary") + reference(VECTOR) + ")"
                        + reference(vector));
    }

    private void mask(BinaryOperation operation) {
        String name = switch (operation) {
            case AND -> "and";
            case OR -> "or";
            case EXCLUSIVE_OR -> "xor";
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, MINIMUM, MAXIMUM, SHIFT_LEFT,
                    SHIFT_RIGHT -> throw new IllegalArgumentException(operation + " of bool");
        };
        code.invoke(MASK, name, "(" + reference(MASK) + ")" + reference(MASK));
    }

    void compare(Compare c, Element wanted) {
        Type type = c.left().type();
        expressions.emit(c.left(), wanted);
        if (type.element() == Element.BOOL) {
            expressions.emit(c.right(), wanted);
            switch (c.comparison()) {
                case EQUAL -> code.invoke(MASK, "eq", "(" + reference(MASK) + ")"
                        + reference(MASK));
                case NOT_EQUAL -> mask(BinaryOperation.EXCLUSIVE_OR);
                case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
                        throw new IllegalArgumentException(c.comparison() + " of bool");
            }
            return;
        }
        code.operator("Comparison", switch (c.comparison()) {
            case EQUAL -> "EQ";
            case NOT_EQUAL -> "NE";
            case LESS -> "LT";
            case LESS_EQUAL -> "LE";
            case GREATER -> "GT";
            case GREATER_EQUAL -> "GE";
        });
        expressions.emit(c.right());
        code.invoke(JvmTypes.vector(type.element()), "compare",
                "(" + reference(OPERATORS + "$Comparison") + reference(VECTOR) + ")"
                        + reference(MASK));
        expressions.castMask(c.type(), type.element(), wanted);
    }

    /** On masks, (c and t) or (o and not c). */
    void select(Select s, Element wanted) {
        if (s.type().element() == Element.BOOL) {
            expressions.emit(s.then(), wanted);
            expressions.emit(s.condition(), wanted);
            mask(BinaryOperation.AND);
            expressions.emit(s.otherwise(), wanted);
            expressions.emit(s.condition(), wanted);
            code.invoke(MASK, "andNot", "(" + reference(MASK) + ")" + reference(MASK));
            mask(BinaryOperation.OR);
            return;
        }
        expressions.emit(s.otherwise());
        expressions.emit(s.then());
        expressions.emit(s.condition(), s.type().element());
        blend(s.type());
    }

    /** With the lanes for false, those for true and a mask on the stack. */
    private void blend(Type type) {
        String vector = JvmTypes.vector(type.element());
        code.invoke(vector, "blend",
                "(" + reference(VECTOR) + reference(MASK) + ")" + reference(vector));
    }

    void fma(Type type) {
        String vector = JvmTypes.vector(type.element());
        code.invoke(vector, "fma",
                "(" + reference(VECTOR) + reference(VECTOR) + ")" + reference(vector));
    }

    void convert(Convert c, Element wanted) {
        Type from = c.operand().type();
        Type to = c.type();
        if (to.element() == Element.BOOL) {
            if (from.element() == Element.BOOL) {
                expressions.emit(c.operand(), wanted);
                return;
            }
            expressions.emit(c.operand());
            code.operator("Comparison", "NE");
            zero(from);
            code.invoke(JvmTypes.vector(from.element()), "compare",
                    "(" + reference(OPERATORS + "$Comparison") + reference(VECTOR) + ")"
                            + reference(MASK));
            expressions.castMask(to, from.element(), wanted);
            return;
        }
        if (from.element() == Element.BOOL) {
            expressions.emit(c.operand(), to.element());
            fromMask(to);
            return;
        }
        expressions.emit(c.operand());
        if (from.element() != to.element()) {
            String name = JvmTypes.letter(from.element()) + "2" + JvmTypes.letter(to.element());
            code.operator("Conversion", name);
            code.species(to);
            shape(JvmTypes.vector(to.element()));
        }
    }

    /** With a vector, a conversion and a species on the stack. */
    void shape(String result) {
        code.integer(0);
        code.invoke(VECTOR, "convertShape",
                "(" + reference(OPERATORS + "$Conversion") + reference(SPECIES) + "I)"
                        + reference(VECTOR));
        code.cast(result);
    }

    /** Turns a mask on the stack, one for the lanes of {@code to}, into 0 and 1. */
    void fromMask(Type to) {
        // mask -> zeros, ones, mask
        zero(to);
        code.op(Opcodes.SWAP);
        code.integer(1);
        code.op(Opcodes.I2L);
        code.op(Opcodes.DUP2_X1);
        code.op(Opcodes.POP2);
        String vector = JvmTypes.vector(to.element());
        code.invoke(vector, "blend", "(J" + reference(MASK) + ")" + reference(vector));
    }

    void zero(Type type) {
        code.species(type);
        switch (type.element()) {
            case F64 -> code.constant(0.0);
            case F32 -> code.constant(0.0f);
            case I64 -> code.wide(0);
            case I32, BOOL -> code.integer(0);
        }
        spread(type);
    }

    void bitcast(Element to) {
        String name = switch (to) {
            case F64 -> "reinterpretAsDoubles";
            case F32 -> "reinterpretAsFloats";
            case I64 -> "reinterpretAsLongs";
            case I32 -> "reinterpretAsInts";
            case BOOL -> throw new IllegalArgumentException("bitcast to bool");
        };
        code.invoke(VECTOR, name, "()" + reference(JvmTypes.vector(to)));
    }

    /** With the scalar on the stack. */
    void broadcast(Type type, Element wanted) {
        if (type.element() == Element.BOOL) {
            code.species(type.withElement(wanted));
            code.op(Opcodes.SWAP);
            code.invokeInterface(SPECIES, "maskAll", "(Z)" + reference(MASK));
            return;
        }
        code.species(type);
        if (JvmTypes.width(type.element()) == 64) {
            code.op(Opcodes.DUP_X2);
            code.op(Opcodes.POP);
        } else {
            code.op(Opcodes.SWAP);
        }
        spread(type);
    }

    /** With species and scalar on the stack. */
    private void spread(Type type) {
        String vector = JvmTypes.vector(type.element());
        code.invokeStatic(vector, "broadcast",
                "(" + reference(SPECIES) + JvmTypes.scalar(type.element()) + ")"
                        + reference(vector));
    }

    /**
     * Lane i with lane i + n/2, until one lane is left. The upper lanes come down by a cyclic
     * shuffle; what the lanes then left over hold does not matter.
     */
    void fold(BinaryOperation operation, Type type) {
        if (type.element() == Element.BOOL) {
            foldMask(operation);
            return;
        }
        String vector = JvmTypes.vector(type.element());
        for (int half = type.lanes() / 2; half >= 1; half /= 2) {
            int distance = half;
            code.op(Opcodes.DUP);
            code.shuffle(type, lane -> (lane + distance) % type.lanes());
            code.invoke(vector, "rearrange", "(" + reference(SHUFFLE) + ")" + reference(vector));
            binary(operation, type);
        }
        code.integer(0);
        code.invoke(vector, "lane", "(I)" + JvmTypes.scalar(type.element()));
    }

    /**
     * Folds as many vectors as they have lanes, two into one: of lanes that go together, those of
     * the first vector come to lie where a bit of their number is 0, and those of the second where
     * it is 1.
     */
    void foldEach(BinaryOperation operation, Type type, List<Get> vectors) {
        List<Get> values = vectors;
        for (int half = type.lanes() / 2; half >= 1; half /= 2) {
            List<Get> folded = new ArrayList<>();
            for (int i = 0; i < half; i++) {
                Get first = values.get(i);
                Get second = values.get(i + half);
                blend(type, first, second, half);
                blend(type, second, first, half);
                exchange(type, half);
                binary(operation, type);
                folded.add(expressions.hold(type));
            }
            values = folded;
        }
        expressions.emit(values.getFirst());
    }

    /** Lanes of the one vector where a bit of their number is 0, and of the other elsewhere. */
    private void blend(Type type, Get zero, Get one, int bit) {
        String vector = JvmTypes.vector(type.element());
        expressions.emit(zero);
        expressions.emit(one);
        code.mask(type, lane -> (lane & bit) != 0);
        code.invoke(vector, "blend",
                "(" + reference(VECTOR) + reference(MASK) + ")" + reference(vector));
    }

    /** Lanes change places with those whose number differs in one bit. */
    private void exchange(Type type, int bit) {
        String vector = JvmTypes.vector(type.element());
        code.shuffle(type, lane -> lane ^ bit);
        code.invoke(vector, "rearrange", "(" + reference(SHUFFLE) + ")" + reference(vector));
    }

    private void foldMask(BinaryOperation operation) {
        switch (operation) {
            case AND -> code.invoke(MASK, "allTrue", "()Z");
            case OR -> code.invoke(MASK, "anyTrue", "()Z");
            case EXCLUSIVE_OR -> {
                code.invoke(MASK, "trueCount", "()I");
                code.integer(1);
                code.op(Opcodes.IAND);
            }
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, MINIMUM, MAXIMUM, SHIFT_LEFT,
                    SHIFT_RIGHT -> throw new IllegalArgumentException(operation + " of bool");
        }
    }

    /** With i32 lanes on the stack: the mask of those that are not 0. */
    void maskOfInts(Type type) {
        code.operator("Comparison", "NE");
        zero(type.withElement(Element.I32));
        code.invoke(JvmTypes.vector(Element.I32), "compare",
                "(" + reference(OPERATORS + "$Comparison") + reference(VECTOR) + ")"
                        + reference(MASK));
    }
}
