package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Binary;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Bitcast;
import dev.weir.ir.kernel.Expression.Broadcast;
import dev.weir.ir.kernel.Expression.Compare;
import dev.weir.ir.kernel.Expression.Comparison;
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
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Expression.Whole;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Writes one expression as instructions. A node that is reached twice is written once: nothing is
 * stored while an expression is evaluated.
 */
final class LlvmExpression {

    private final LlvmFunction function;
    private final LlvmMemory memory;
    private final Map<Expression, String> written = new IdentityHashMap<>();

    LlvmExpression(LlvmFunction function, LlvmMemory memory) {
        this.function = function;
        this.memory = memory;
    }

    String write(Expression expression) {
        String known = written.get(expression);
        if (known != null) {
            return known;
        }
        String value = node(expression);
        written.put(expression, value);
        return value;
    }

    private String node(Expression expression) {
        return switch (expression) {
            case Real r -> real(r);
            case Whole w -> w.type().element() == Element.BOOL
                    ? (w.value() != 0 ? "true" : "false")
                    : Long.toString(w.value());
            case Get g -> function.get(g.variable());
            case Load l -> memory.load(
                    l, l.active().map(this::write).orElse(""));
            case Unary u -> unary(u.operation(), u.type(), write(u.operand()));
            case Binary b -> binary(b);
            case Compare c -> compare(c);
            case Select s -> select(s);
            case FusedMultiplyAdd f -> call("fma", f.type(),
                    write(f.a()), write(f.b()), write(f.c()));
            case DotBytes d -> dotBytes(d);
            case Convert c -> ShortCode.of(c, function.target()).map(this::lookUp).orElseGet(
                    () -> convert(c.operand().type(), c.type(), write(c.operand())));
            case Bitcast b -> cast("bitcast", b.operand().type(), write(b.operand()), b.type());
            case RoundTo r -> memory.round(r.format(), write(r.operand()), r.type().lanes());
            case Broadcast b -> broadcast(b);
            case Fold f -> fold(f);
            case FoldEach f -> foldEach(f);
        };
    }

    /** An f32 constant; LLVM writes it with the bits of the f64 of the same value. */
    static String real(float value) {
        return String.format("0x%016X", Double.doubleToRawLongBits(value));
    }

    private static String real(Real r) {
        return r.type().element() == Element.F32 ? real((float) r.value())
                : String.format("0x%016X", Double.doubleToRawLongBits(r.value()));
    }

    private String unary(UnaryOperation operation, Type type, String value) {
        boolean real = type.element().isFloat();
        return switch (operation) {
            case NEGATE -> real
                    ? function.emit("fneg " + LlvmTypes.of(type) + " " + value)
                    : simple("sub", type, constant(type, "0"), value);
            case ABSOLUTE -> real
                    ? call("fabs", type, value)
                    : function.emit("call " + LlvmTypes.of(type) + " @llvm.abs."
                            + LlvmTypes.suffix(type) + "(" + LlvmTypes.of(type) + " " + value
                            + ", i1 false)");
            case SQUARE_ROOT -> call("sqrt", type, value);
            case FLOOR -> call("floor", type, value);
            case NOT -> simple("xor", type, value, constant(type, "true"));
        };
    }

    private String binary(Binary b) {
        String left = write(b.left());
        String right = write(b.right());
        boolean divides = b.operation() == BinaryOperation.DIVIDE
                || b.operation() == BinaryOperation.REMAINDER;
        if (divides && b.right() instanceof Whole w && w.value() != 0 && w.value() != -1) {
            String operation = b.operation() == BinaryOperation.DIVIDE ? "sdiv" : "srem";
            return simple(operation, b.type(), left, right);
        }
        return binary(b.operation(), b.type(), left, right);
    }

    private String binary(BinaryOperation operation, Type type, String left, String right) {
        boolean real = type.element().isFloat();
        return switch (operation) {
            case ADD -> simple(real ? "fadd" : "add", type, left, right);
            case SUBTRACT -> simple(real ? "fsub" : "sub", type, left, right);
            case MULTIPLY -> simple(real ? "fmul" : "mul", type, left, right);
            case DIVIDE -> real ? simple("fdiv", type, left, right) : divide(type, left, right);
            case REMAINDER -> simple("srem", type, left, harmless(type, right));
            case MINIMUM -> call(real ? "minimum" : "smin", type, left, right);
            case MAXIMUM -> call(real ? "maximum" : "smax", type, left, right);
            case AND -> simple("and", type, left, right);
            case OR -> simple("or", type, left, right);
            case EXCLUSIVE_OR -> simple("xor", type, left, right);
            case SHIFT_LEFT -> simple("shl", type, left, masked(type, right));
            case SHIFT_RIGHT -> simple("ashr", type, left, masked(type, right));
        };
    }

    private String masked(Type type, String count) {
        return simple("and", type, count,
                constant(type, type.element() == Element.I64 ? "63" : "31"));
    }

    /** The smallest integer divided by -1 wraps, where the machine would trap. */
    private String divide(Type type, String left, String right) {
        String quotient = simple("sdiv", type, left, harmless(type, right));
        String negated = simple("sub", type, constant(type, "0"), left);
        String minus = function.emit("icmp eq " + LlvmTypes.of(type) + " " + right + ", "
                + constant(type, "-1"));
        return choose(minus, type, negated, quotient);
    }

    /** A divisor at which the machine may trap, 0 or -1, becomes 1; x % -1 is x % 1. */
    private String harmless(Type type, String divisor) {
        String above = simple("add", type, divisor, constant(type, "1"));
        String trap = function.emit("icmp ule " + LlvmTypes.of(type) + " " + above + ", "
                + constant(type, "1"));
        return choose(trap, type, constant(type, "1"), divisor);
    }

    private String compare(Compare c) {
        Type type = c.left().type();
        String left = write(c.left());
        String right = write(c.right());
        String condition = type.element().isFloat()
                ? "fcmp " + ordered(c.comparison())
                : "icmp " + signed(c.comparison());
        return function.emit(condition + " " + LlvmTypes.of(type) + " " + left + ", " + right);
    }

    private static String ordered(Comparison comparison) {
        return switch (comparison) {
            case EQUAL -> "oeq";
            case NOT_EQUAL -> "une";
            case LESS -> "olt";
            case LESS_EQUAL -> "ole";
            case GREATER -> "ogt";
            case GREATER_EQUAL -> "oge";
        };
    }

    private static String signed(Comparison comparison) {
        return switch (comparison) {
            case EQUAL -> "eq";
            case NOT_EQUAL -> "ne";
            case LESS -> "slt";
            case LESS_EQUAL -> "sle";
            case GREATER -> "sgt";
            case GREATER_EQUAL -> "sge";
        };
    }

    private String select(Select s) {
        return choose(write(s.condition()), s.type(), write(s.then()), write(s.otherwise()));
    }

    private String choose(String condition, Type type, String then, String otherwise) {
        String lanes = LlvmTypes.lanes("i1", type.lanes());
        return function.emit("select " + lanes + " " + condition + ", " + LlvmTypes.of(type) + " "
                + then + ", " + LlvmTypes.of(type) + " " + otherwise);
    }

    private String convert(Type from, Type to, String value) {
        Element target = to.element();
        if (from.element() == target) {
            return value;
        }
        return switch (from.element()) {
            case F64, F32 -> switch (target) {
                case F64 -> cast("fpext", from, value, to);
                case F32 -> cast("fptrunc", from, value, to);
                case I64, I32 -> function.emit("call " + LlvmTypes.of(to) + " @llvm.fptosi.sat."
                        + LlvmTypes.suffix(to) + "." + LlvmTypes.suffix(from) + "("
                        + LlvmTypes.of(from) + " " + value + ")");
                case BOOL -> function.emit("fcmp une " + LlvmTypes.of(from) + " " + value + ", "
                        + constant(from, "0.0"));
            };
            case I64, I32 -> switch (target) {
                case F64, F32 -> cast("sitofp", from, value, to);
                case I64 -> cast("sext", from, value, to);
                case I32 -> cast("trunc", from, value, to);
                case BOOL -> function.emit("icmp ne " + LlvmTypes.of(from) + " " + value + ", "
                        + constant(from, "0"));
            };
            case BOOL -> cast(target.isFloat() ? "uitofp" : "zext", from, value, to);
        };
    }

    private String broadcast(Broadcast b) {
        String value = write(b.operand());
        int lanes = b.lanes();
        if (lanes == 1) {
            return value;
        }
        String element = LlvmTypes.of(b.operand().type());
        if (!value.startsWith("%")) {
            return LlvmTypes.constant(element, value, lanes);
        }
        String vector = LlvmTypes.of(b.type());
        String first = function.emit("insertelement " + vector + " poison, " + element + " " + value
                + ", i64 0");
        return function.emit("shufflevector " + vector + " " + first + ", " + vector
                + " poison, <" + lanes + " x i32> zeroinitializer");
    }

    /** Lane i with lane i + n/2, until one lane is left. */
    private String fold(Fold f) {
        Type type = f.operand().type();
        String value = write(f.operand());
        if (type.lanes() == 1) {
            return value;
        }
        if (type.element() == Type.Element.BOOL) {
            return foldTruths(f.operation(), type, value);
        }
        while (type.lanes() > 1) {
            int half = type.lanes() / 2;
            String lower = half(type, value, 0);
            String upper = half(type, value, half);
            type = type.withLanes(half);
            if (half == 1) {
                return binary(f.operation(), type, lower, upper);
            }
            value = binary(f.operation(), type, lower, upper);
        }
        return value;
    }

    /** Truth is exact in any order. */
    private String foldTruths(Expression.BinaryOperation operation, Type type, String value) {
        String name = switch (operation) {
            case AND -> "and";
            case OR -> "or";
            case EXCLUSIVE_OR -> "xor";
            default -> throw new IllegalArgumentException(operation + " of bool");
        };
        return function.emit("call i1 @llvm.vector.reduce." + name + "."
                + LlvmTypes.suffix(type) + "(" + LlvmTypes.of(type) + " " + value + ")");
    }

    /**
     * Lane i with lane i + n/2 as {@link #fold} does it, of two vectors at a time: of vector j in
     * the lanes where i + n/2 is larger than i, of vector j + n/2 in the others.
     */
    private String foldEach(FoldEach f) {
        Type type = f.type();
        List<String> values = f.operands().stream().map(this::write).toList();
        for (int half = type.lanes() / 2; half >= 1; half /= 2) {
            List<String> folded = new ArrayList<>();
            for (int j = 0; j < half; j++) {
                folded.add(binary(f.operation(), type,
                        lanesOf(type, values.get(j), values.get(j + half), half, false),
                        lanesOf(type, values.get(j), values.get(j + half), half, true)));
            }
            values = folded;
        }
        return values.getFirst();
    }

    /** Lanes of the one vector where a bit of their number is 0, and of the other elsewhere. */
    private String lanesOf(Type type, String zero, String one, int bit, boolean crossed) {
        String vector = LlvmTypes.of(type);
        String lanes = IntStream.range(0, type.lanes())
                .map(i -> ((i & bit) == 0 ? 0 : type.lanes()) + (crossed ? i ^ bit : i))
                .mapToObj(i -> "i32 " + i)
                .collect(Collectors.joining(", ", "<", ">"));
        return function.emit("shufflevector " + vector + " " + zero + ", " + vector + " " + one
                + ", <" + type.lanes() + " x i32> " + lanes);
    }

    private String lookUp(ShortCode code) {
        Type words = code.word().type();
        String index = write(code.word());
        if (code.low() > 0) {
            index = simple("lshr", words, index, constant(words, Integer.toString(code.low())));
        }
        return function.emit("call <16 x float> @llvm.x86.avx512.permvar.sf.512(<16 x float> "
                + code.table() + ", <16 x i32> " + index + ")");
    }

    private String dotBytes(DotBytes d) {
        int bits = d.type().lanes() * Integer.SIZE;
        if (!function.target().dotBytes() || bits < 128) {
            return write(d.expanded());
        }
        String type = LlvmTypes.of(d.type());
        return function.emit("call " + type + " @llvm.x86.avx512.vpdpbusd." + bits + "(" + type
                + " " + write(d.c()) + ", " + type + " " + write(d.a()) + ", " + type + " "
                + write(d.b()) + ")");
    }

    private String half(Type type, String value, int from) {
        String vector = LlvmTypes.of(type);
        int half = type.lanes() / 2;
        if (half == 1) {
            return function.emit("extractelement " + vector + " " + value + ", i64 " + from);
        }
        String lanes = IntStream.range(from, from + half)
                .mapToObj(i -> "i32 " + i)
                .collect(Collectors.joining(", ", "<", ">"));
        return function.emit("shufflevector " + vector + " " + value + ", " + vector + " poison, <"
                + half + " x i32> " + lanes);
    }

    private String cast(String operation, Type from, String value, Type to) {
        return from.equals(to)
                ? value
                : function.emit(operation + " " + LlvmTypes.of(from) + " " + value + " to "
                        + LlvmTypes.of(to));
    }

    private String simple(String operation, Type type, String left, String right) {
        return function.emit(operation + " " + LlvmTypes.of(type) + " " + left + ", " + right);
    }

    private String call(String intrinsic, Type type, String... operands) {
        String list = Arrays.stream(operands)
                .map(o -> LlvmTypes.of(type) + " " + o)
                .collect(Collectors.joining(", "));
        return function.emit("call " + LlvmTypes.of(type) + " @llvm." + intrinsic + "."
                + LlvmTypes.suffix(type) + "(" + list + ")");
    }

    private static String constant(Type type, String value) {
        return LlvmTypes.constant(LlvmTypes.element(type.element()), value, type.lanes());
    }
}
