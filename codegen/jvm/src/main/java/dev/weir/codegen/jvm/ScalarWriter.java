package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.Real;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;

/** Writes operations on scalars. */
final class ScalarWriter {

    private static final String MATH = "java/lang/Math";

    private final Code code;
    private final ExpressionWriter expressions;

    ScalarWriter(Code code, ExpressionWriter expressions) {
        this.code = code;
        this.expressions = expressions;
    }

    void real(Real r) {
        if (r.type().element() == Element.F32) {
            code.constant((float) r.value());
        } else {
            code.constant(r.value());
        }
    }

    void whole(Whole w) {
        switch (w.type().element()) {
            case I64 -> code.wide(w.value());
            case I32 -> code.integer((int) w.value());
            case BOOL -> code.integer(w.value() != 0 ? 1 : 0);
            case F64, F32 -> throw new IllegalArgumentException("whole of " + w.type());
        }
    }

    void unary(UnaryOperation operation, Element element) {
        char letter = JvmTypes.scalar(element);
        switch (operation) {
            case NEGATE -> code.op(typed(Opcodes.INEG, element));
            case ABSOLUTE -> code.invokeStatic(MATH, "abs", "(" + letter + ")" + letter);
            case SQUARE_ROOT -> throughDouble("sqrt", element);
            case FLOOR -> throughDouble("floor", element);
            case NOT -> {
                code.integer(1);
                code.op(Opcodes.IXOR);
            }
        }
    }

    /** The f64 root of an f32, rounded to f32, is the correctly rounded f32 root. */
    private void throughDouble(String name, Element element) {
        if (element == Element.F32) {
            code.op(Opcodes.F2D);
        }
        code.invokeStatic(MATH, name, "(D)D");
        if (element == Element.F32) {
            code.op(Opcodes.D2F);
        }
    }

    void binary(Binary b) {
        expressions.emit(b.left());
        expressions.emit(b.right());
        Element element = b.type().element();
        boolean safe = element.isFloat() || b.right() instanceof Whole w && w.value() != 0;
        if (element == Element.I64 && (b.operation() == BinaryOperation.SHIFT_LEFT
                || b.operation() == BinaryOperation.SHIFT_RIGHT)) {
            code.op(Opcodes.L2I);
        }
        char letter = JvmTypes.scalar(element);
        String descriptor = "(" + letter + letter + ")" + letter;
        switch (b.operation()) {
            case ADD -> code.op(typed(Opcodes.IADD, element));
            case SUBTRACT -> code.op(typed(Opcodes.ISUB, element));
            case MULTIPLY -> code.op(typed(Opcodes.IMUL, element));
            case DIVIDE -> {
                if (safe) {
                    code.op(typed(Opcodes.IDIV, element));
                } else {
                    code.support("divide", descriptor);
                }
            }
            case REMAINDER -> {
                if (safe) {
                    code.op(typed(Opcodes.IREM, element));
                } else {
                    code.support("remainder", descriptor);
                }
            }
            case MINIMUM -> code.invokeStatic(MATH, "min", descriptor);
            case MAXIMUM -> code.invokeStatic(MATH, "max", descriptor);
            case AND -> code.op(integer(Opcodes.IAND, element));
            case OR -> code.op(integer(Opcodes.IOR, element));
            case EXCLUSIVE_OR -> code.op(integer(Opcodes.IXOR, element));
            case SHIFT_LEFT -> code.op(integer(Opcodes.ISHL, element));
            case SHIFT_RIGHT -> code.op(integer(Opcodes.ISHR, element));
        }
    }

    /** The variant of an instruction for ints: I, L, F and D follow each other. */
    private static int typed(int opcode, Element element) {
        return opcode + switch (element) {
            case I32, BOOL -> 0;
            case I64 -> 1;
            case F32 -> 2;
            case F64 -> 3;
        };
    }

    private static int integer(int opcode, Element element) {
        return element == Element.I64 ? opcode + 1 : opcode;
    }

    void compare(Compare c) {
        expressions.emit(c.left());
        expressions.emit(c.right());
        Label not = new Label();
        Label end = new Label();
        jumpUnless(c, not);
        code.integer(1);
        code.jump(Opcodes.GOTO, end);
        code.place(not);
        code.integer(0);
        code.place(end);
    }

    /** With both operands on the stack. A comparison with NaN must come out as "jump". */
    void jumpUnless(Compare c, Label otherwise) {
        Comparison comparison = c.comparison();
        boolean below = comparison == Comparison.LESS || comparison == Comparison.LESS_EQUAL;
        switch (c.left().type().element()) {
            case I32, BOOL -> {
                code.jump(switch (comparison) {
                    case EQUAL -> Opcodes.IF_ICMPNE;
                    case NOT_EQUAL -> Opcodes.IF_ICMPEQ;
                    case LESS -> Opcodes.IF_ICMPGE;
                    case LESS_EQUAL -> Opcodes.IF_ICMPGT;
                    case GREATER -> Opcodes.IF_ICMPLE;
                    case GREATER_EQUAL -> Opcodes.IF_ICMPLT;
                }, otherwise);
                return;
            }
            case I64 -> code.op(Opcodes.LCMP);
            case F32 -> code.op(below ? Opcodes.FCMPG : Opcodes.FCMPL);
            case F64 -> code.op(below ? Opcodes.DCMPG : Opcodes.DCMPL);
        }
        code.jump(switch (comparison) {
            case EQUAL -> Opcodes.IFNE;
            case NOT_EQUAL -> Opcodes.IFEQ;
            case LESS -> Opcodes.IFGE;
            case LESS_EQUAL -> Opcodes.IFGT;
            case GREATER -> Opcodes.IFLE;
            case GREATER_EQUAL -> Opcodes.IFLT;
        }, otherwise);
    }

    /**
     * Both choices are evaluated first, like on the other back ends; a node that the choices share
     * with the rest of the expression is then there on both ways.
     */
    void select(Select s) {
        Runnable then = choice(s.then());
        Runnable otherwise = choice(s.otherwise());
        Label not = new Label();
        Label end = new Label();
        if (s.condition() instanceof Compare c) {
            expressions.emit(c.left());
            expressions.emit(c.right());
            jumpUnless(c, not);
        } else {
            expressions.emit(s.condition());
            code.jump(Opcodes.IFEQ, not);
        }
        then.run();
        code.jump(Opcodes.GOTO, end);
        code.place(not);
        otherwise.run();
        code.place(end);
    }

    private Runnable choice(Expression expression) {
        if (expression.operands().isEmpty()) {
            return () -> expressions.emit(expression);
        }
        Type type = expression.type();
        expressions.emit(expression);
        int slot = code.allocate(type);
        code.store(type, slot);
        return () -> code.load(type, slot);
    }

    void convert(Element from, Element to) {
        if (from == to) {
            return;
        }
        if (to == Element.BOOL) {
            toBool(from);
            return;
        }
        switch (from) {
            case F64 -> code.op(switch (to) {
                case F32 -> Opcodes.D2F;
                case I64 -> Opcodes.D2L;
                case I32, F64, BOOL -> Opcodes.D2I;
            });
            case F32 -> code.op(switch (to) {
                case F64 -> Opcodes.F2D;
                case I64 -> Opcodes.F2L;
                case I32, F32, BOOL -> Opcodes.F2I;
            });
            case I64 -> code.op(switch (to) {
                case F64 -> Opcodes.L2D;
                case F32 -> Opcodes.L2F;
                case I32, I64, BOOL -> Opcodes.L2I;
            });
            case I32, BOOL -> {
                if (to != Element.I32) {
                    code.op(switch (to) {
                        case F64 -> Opcodes.I2D;
                        case F32 -> Opcodes.I2F;
                        case I64, I32, BOOL -> Opcodes.I2L;
                    });
                }
            }
        }
    }

    private void toBool(Element from) {
        Label zero = new Label();
        Label end = new Label();
        switch (from) {
            case F64 -> {
                code.constant(0.0);
                code.op(Opcodes.DCMPL);
            }
            case F32 -> {
                code.constant(0.0f);
                code.op(Opcodes.FCMPL);
            }
            case I64 -> {
                code.wide(0);
                code.op(Opcodes.LCMP);
            }
            case I32, BOOL -> { }
        }
        code.jump(Opcodes.IFEQ, zero);
        code.integer(1);
        code.jump(Opcodes.GOTO, end);
        code.place(zero);
        code.integer(0);
        code.place(end);
    }

    void bitcast(Element from, Element to) {
        if (from == to) {
            return;
        }
        switch (from) {
            case F32 -> code.invokeStatic("java/lang/Float", "floatToRawIntBits", "(F)I");
            case I32 -> code.invokeStatic("java/lang/Float", "intBitsToFloat", "(I)F");
            case F64 -> code.invokeStatic("java/lang/Double", "doubleToRawLongBits", "(D)J");
            case I64 -> code.invokeStatic("java/lang/Double", "longBitsToDouble", "(J)D");
            case BOOL -> throw new IllegalArgumentException("bitcast of bool");
        }
    }
}
