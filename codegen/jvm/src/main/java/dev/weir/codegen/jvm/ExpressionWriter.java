package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Bitcast;
import dev.weir.ir.kernel.Expression.Broadcast;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Convert;
import dev.weir.ir.kernel.Expression.DotBytes;
import dev.weir.ir.kernel.Expression.Fold;
import dev.weir.ir.kernel.Expression.FoldEach;
import dev.weir.ir.kernel.Expression.FusedMultiplyAdd;
import dev.weir.ir.kernel.Expression.Get;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Expression.Real;
import dev.weir.ir.kernel.Expression.RoundTo;
import dev.weir.ir.kernel.Expression.Select;
import dev.weir.ir.kernel.Expression.Unary;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.objectweb.asm.Label;
import org.objectweb.asm.Opcodes;

/**
 * Writes expressions: each leaves its value on the operand stack. A node that one expression
 * reaches twice is evaluated once and kept in a local.
 *
 * <p>A mask is typed by the lanes that it goes with; it is held for i32 lanes and {@code wanted}
 * says for which it shall be on the stack.
 */
final class ExpressionWriter {

    private final Code code;
    private final MethodWriter method;
    private final ScalarWriter scalars;
    private final VectorWriter vectors;
    private final MemoryWriter memory;
    private Map<Expression, Integer> uses = new IdentityHashMap<>();
    private Map<Expression, Integer> kept = new IdentityHashMap<>();

    ExpressionWriter(Code code, MethodWriter method, boolean maskedNarrow, boolean maskedWide) {
        this.code = code;
        this.method = method;
        this.scalars = new ScalarWriter(code, this);
        this.vectors = new VectorWriter(code, this);
        this.memory = new MemoryWriter(code, this, method, maskedNarrow, maskedWide);
    }

    MemoryWriter memory() {
        return memory;
    }

    /** Evaluates a whole expression. */
    void write(Expression expression) {
        write(expression, Element.I32);
    }

    private void write(Expression expression, Element wanted) {
        Map<Expression, Integer> outerUses = uses;
        Map<Expression, Integer> outerKept = kept;
        uses = new IdentityHashMap<>();
        kept = new IdentityHashMap<>();
        count(expression);
        emit(expression, wanted);
        uses = outerUses;
        kept = outerKept;
    }

    private void count(Expression expression) {
        if (uses.merge(expression, 1, Integer::sum) == 1) {
            expression.operands().forEach(this::count);
        }
    }

    /** Jumps if a scalar condition does not hold. */
    void unless(Expression condition, Label otherwise) {
        if (condition instanceof Compare c) {
            write(c.left());
            write(c.right());
            scalars.jumpUnless(c, otherwise);
        } else {
            write(condition);
            code.jump(Opcodes.IFEQ, otherwise);
        }
    }

    /** A part of the expression at hand, a mask for i32 lanes. */
    void emit(Expression expression) {
        emit(expression, Element.I32);
    }

    /** A part of the expression at hand. */
    void emit(Expression expression, Element wanted) {
        Type type = expression.type();
        Integer slot = kept.get(expression);
        if (slot != null) {
            code.load(type, slot);
            castMask(type, Element.I32, wanted);
            return;
        }
        boolean leaf = expression.operands().isEmpty();
        if (leaf || uses.getOrDefault(expression, 1) == 1) {
            node(expression, wanted);
            return;
        }
        node(expression, Element.I32);
        int local = code.allocate(type);
        code.op(JvmTypes.slots(type) == 2 ? Opcodes.DUP2 : Opcodes.DUP);
        code.store(type, local);
        kept.put(expression, local);
        castMask(type, Element.I32, wanted);
    }

    /** Makes a mask that goes with some lanes one that goes with others. */
    void castMask(Type type, Element present, Element wanted) {
        if (type.isScalar() || type.element() != Element.BOOL || present == wanted) {
            return;
        }
        code.species(type.withElement(wanted));
        code.invoke(JvmTypes.MASK, "cast",
                "(" + JvmTypes.reference(JvmTypes.SPECIES) + ")"
                        + JvmTypes.reference(JvmTypes.MASK));
    }

    /** Takes the value on the stack into a local of its own. */
    Get hold(Type type) {
        Variable variable = method.temporary(type);
        code.store(type, method.slot(variable));
        return new Get(variable);
    }

    private void node(Expression expression, Element wanted) {
        boolean scalar = expression.type().isScalar();
        switch (expression) {
            case Real r -> scalars.real(r);
            case Whole w -> scalars.whole(w);
            case Get g -> {
                code.load(g.type(), method.slot(g.variable()));
                castMask(g.type(), Element.I32, wanted);
            }
            case Load l -> memory.load(l, wanted);
            case Unary u -> {
                if (scalar) {
                    emit(u.operand());
                    scalars.unary(u.operation(), u.type().element());
                } else {
                    vectors.unary(u, wanted);
                }
            }
            case Binary b when isLimited(b.operation(), b.left(), b.right()) ->
                    limited(b.operation(), b.left(), b.right(), wanted);
            case Binary b when isLimited(b.operation(), b.right(), b.left()) ->
                    limited(b.operation(), b.right(), b.left(), wanted);
            case Binary b -> {
                if (scalar) {
                    scalars.binary(b);
                } else {
                    vectors.binary(b, wanted);
                }
            }
            case Compare c -> {
                if (scalar) {
                    scalars.compare(c);
                } else {
                    vectors.compare(c, wanted);
                }
            }
            case Select s -> {
                if (scalar) {
                    scalars.select(s);
                } else {
                    vectors.select(s, wanted);
                }
            }
            case FusedMultiplyAdd f -> {
                emit(f.a());
                emit(f.b());
                emit(f.c());
                if (scalar) {
                    char letter = JvmTypes.scalar(f.type().element());
                    code.invokeStatic("java/lang/Math", "fma",
                            "(" + letter + letter + letter + ")" + letter);
                } else {
                    vectors.fma(f.type());
                }
            }
            case DotBytes d -> {
                emit(d.a());
                Get a = hold(d.type());
                emit(d.b());
                Get b = hold(d.type());
                emit(d.c());
                Get c = hold(d.type());
                expand(new DotBytes(a, b, c).expanded(), wanted);
            }
            case Convert c -> {
                if (scalar) {
                    emit(c.operand());
                    scalars.convert(c.operand().type().element(), c.element());
                } else {
                    vectors.convert(c, wanted);
                }
            }
            case Bitcast b -> {
                emit(b.operand());
                if (scalar) {
                    scalars.bitcast(b.operand().type().element(), b.element());
                } else {
                    vectors.bitcast(b.element());
                }
            }
            case RoundTo r -> {
                emit(r.operand());
                roundTo(r.format(), r.type());
            }
            case Broadcast b -> {
                emit(b.operand());
                if (!scalar) {
                    vectors.broadcast(b.type(), wanted);
                }
            }
            case Fold f -> {
                emit(f.operand());
                if (!f.operand().type().isScalar()) {
                    vectors.fold(f.operation(), f.operand().type());
                }
            }
            case FoldEach f when scalar -> emit(f.operands().getFirst());
            case FoldEach f -> {
                List<Get> operands = new ArrayList<>();
                for (Expression operand : f.operands()) {
                    if (operand instanceof Get g) {
                        operands.add(g);
                    } else {
                        emit(operand);
                        operands.add(hold(f.type()));
                    }
                }
                vectors.foldEach(f.operation(), f.type(), operands);
            }
        }
    }

    private static boolean isLimited(BinaryOperation operation, Expression x, Expression limit) {
        boolean is = operation == BinaryOperation.MINIMUM || operation == BinaryOperation.MAXIMUM;
        return is && Expansions.isLimit(limit) && !Expansions.isLimit(x);
    }

    private void limited(
            BinaryOperation operation, Expression x, Expression limit, Element wanted) {
        emit(x);
        expand(Expansions.limited(operation, hold(x.type()), limit), wanted);
    }

    /** Evaluates an expansion over values that are in locals. */
    void expand(Expression expression, Element wanted) {
        write(expression, wanted);
    }

    /** Applies an operation to two values of locals. */
    void apply(BinaryOperation operation, Get left, Get right) {
        write(new Binary(operation, left, right));
    }

    private void roundTo(Format format, Type type) {
        if (format.isNarrowFloat()) {
            memory.narrow(format, type);
            memory.widen(format, type);
        }
    }
}
