package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Type.Element;
import java.util.List;
import java.util.Optional;

/**
 * An expression without side effects, apart from the memory that loads read. Operands of one
 * operation have the same number of lanes: broadcasting is explicit.
 */
public sealed interface Expression {

    Type type();

    /** A floating-point constant, f32 or f64, one lane. */
    record Real(Type type, double value) implements Expression {}

    /** An integer or boolean constant, one lane. */
    record Whole(Type type, long value) implements Expression {}

    record Get(Variable variable) implements Expression {
        @Override
        public Type type() {
            return variable.type();
        }
    }

    /**
     * {@code lanes} neighbouring elements of a buffer, widened to the register type.
     *
     * @param index i64, in elements, of the first
     * @param active where present, an i64: lanes from here on are not read and give 0
     */
    record Load(Buffer buffer, Expression index, int lanes, Optional<Expression> active)
            implements Expression {
        @Override
        public Type type() {
            return new Type(buffer.register(), lanes);
        }
    }

    record Unary(UnaryOperation operation, Expression operand) implements Expression {
        @Override
        public Type type() {
            return operand.type();
        }
    }

    record Binary(BinaryOperation operation, Expression left, Expression right)
            implements Expression {
        public Binary {
            if (!left.type().equals(right.type())) {
                throw new IllegalArgumentException(
                        operation + " of " + left.type() + " and " + right.type());
            }
        }

        @Override
        public Type type() {
            return left.type();
        }
    }

    /** Gives bool lanes. Floats compare ordered, but for NOT_EQUAL, which holds for NaN. */
    record Compare(Comparison comparison, Expression left, Expression right)
            implements Expression {
        public Compare {
            if (!left.type().equals(right.type())) {
                throw new IllegalArgumentException(
                        comparison + " of " + left.type() + " and " + right.type());
            }
        }

        @Override
        public Type type() {
            return left.type().withElement(Element.BOOL);
        }
    }

    /** Lane by lane {@code condition ? then : otherwise}. Both are evaluated. */
    record Select(Expression condition, Expression then, Expression otherwise)
            implements Expression {
        public Select {
            if (!then.type().equals(otherwise.type())
                    || condition.type().lanes() != then.type().lanes()) {
                throw new IllegalArgumentException(
                        "select of " + then.type() + " and " + otherwise.type());
            }
        }

        @Override
        public Type type() {
            return then.type();
        }
    }

    /** {@code a * b + c} rounded once. Floats only. */
    record FusedMultiplyAdd(Expression a, Expression b, Expression c) implements Expression {
        public FusedMultiplyAdd {
            if (!a.type().equals(b.type()) || !a.type().equals(c.type())) {
                throw new IllegalArgumentException(
                        "fma of " + a.type() + ", " + b.type() + ", " + c.type());
            }
        }

        @Override
        public Type type() {
            return c.type();
        }
    }

    /**
     * {@code c} and, in each lane, the sum of four products of bytes: those of {@code a}, which
     * have no sign, with those of {@code b}, which have one. Lanes are i32; the sum wraps.
     */
    record DotBytes(Expression a, Expression b, Expression c) implements Expression {
        public DotBytes {
            if (!a.type().equals(b.type()) || !a.type().equals(c.type())) {
                throw new IllegalArgumentException(
                        "dot_bytes of " + a.type() + ", " + b.type() + ", " + c.type());
            }
        }

        @Override
        public Type type() {
            return c.type();
        }

        /** The same by other operations, for machines that have no instruction for it. */
        public Expression expanded() {
            Expression sum = c;
            for (int at = 0; at < Integer.SIZE; at += Byte.SIZE) {
                Expression first = binary(BinaryOperation.AND,
                        binary(BinaryOperation.SHIFT_RIGHT, a, whole(at)), whole(0xFF));
                Expression second = binary(BinaryOperation.SHIFT_RIGHT,
                        binary(BinaryOperation.SHIFT_LEFT, b,
                                whole(Integer.SIZE - Byte.SIZE - at)),
                        whole(Integer.SIZE - Byte.SIZE));
                sum = binary(BinaryOperation.ADD, sum,
                        binary(BinaryOperation.MULTIPLY, first, second));
            }
            return sum;
        }

        private static Expression binary(
                BinaryOperation operation, Expression left, Expression right) {
            return new Binary(operation, left, right);
        }

        private Expression whole(long value) {
            Expression constant = new Whole(Type.I32, value);
            return type().isScalar() ? constant : new Broadcast(constant, type().lanes());
        }
    }

    /**
     * A change of element type. Float to integer truncates and saturates, NaN gives 0; integers
     * wrap; bool to number gives 0 or 1; number to bool tests for not zero.
     */
    record Convert(Element element, Expression operand) implements Expression {
        @Override
        public Type type() {
            return operand.type().withElement(element);
        }
    }

    /** The same bits seen as the other element type of the same width: f32/i32 or f64/i64. */
    record Bitcast(Element element, Expression operand) implements Expression {
        @Override
        public Type type() {
            return operand.type().withElement(element);
        }
    }

    /** Rounds an f32 to what storing it as bf16 or f16 and loading it again gives. */
    record RoundTo(dev.weir.ir.type.Format format, Expression operand) implements Expression {
        @Override
        public Type type() {
            return operand.type();
        }
    }

    /** A scalar in every lane. */
    record Broadcast(Expression operand, int lanes) implements Expression {
        @Override
        public Type type() {
            return operand.type().withLanes(lanes);
        }
    }

    /**
     * Brings all lanes together into a scalar. The order is fixed, so that every back end gives the
     * same bits: lane i with lane i + n/2, then the n/2 results likewise, down to one.
     */
    record Fold(BinaryOperation operation, Expression operand) implements Expression {
        @Override
        public Type type() {
            return operand.type().withLanes(1);
        }
    }

    /**
     * As many vectors as they have lanes, each brought together as {@link Fold} does it: lane i is
     * what has become of vector i. The operation is commutative.
     */
    record FoldEach(BinaryOperation operation, List<Expression> operands)
            implements Expression {
        public FoldEach {
            operands = List.copyOf(operands);
        }

        @Override
        public Type type() {
            return operands.getFirst().type();
        }
    }

    /** Operations on one operand. */
    enum UnaryOperation {
        NEGATE,
        ABSOLUTE,
        /** Correctly rounded; floats only. */
        SQUARE_ROOT,
        /** Largest whole number not above the operand; floats only. */
        FLOOR,
        /** Bool only. */
        NOT
    }

    /** Operations on two operands of one type. */
    enum BinaryOperation {
        ADD,
        SUBTRACT,
        MULTIPLY,
        /** On integers truncating as the machine does; the divisor is not zero. */
        DIVIDE,
        /** On integers only: the remainder of the truncating division. */
        REMAINDER,
        /** NaN if one operand is NaN. */
        MINIMUM,
        /** NaN if one operand is NaN. */
        MAXIMUM,
        /** Integers and bools. */
        AND,
        /** Integers and bools. */
        OR,
        /** Integers and bools. */
        EXCLUSIVE_OR,
        /** Integers; the count is masked to the width. */
        SHIFT_LEFT,
        /** Arithmetic; integers; the count is masked to the width. */
        SHIFT_RIGHT
    }

    /** Comparisons of two operands of one type. */
    enum Comparison {
        EQUAL,
        NOT_EQUAL,
        LESS,
        LESS_EQUAL,
        GREATER,
        GREATER_EQUAL
    }

    /** The direct operands, in order. */
    default List<Expression> operands() {
        return switch (this) {
            case Real r -> List.of();
            case Whole w -> List.of();
            case Get g -> List.of();
            case Load l -> l.active.isPresent()
                    ? List.of(l.index, l.active.get())
                    : List.of(l.index);
            case Unary u -> List.of(u.operand);
            case Binary b -> List.of(b.left, b.right);
            case Compare c -> List.of(c.left, c.right);
            case Select s -> List.of(s.condition, s.then, s.otherwise);
            case FusedMultiplyAdd f -> List.of(f.a, f.b, f.c);
            case DotBytes d -> List.of(d.a, d.b, d.c);
            case Convert c -> List.of(c.operand);
            case Bitcast b -> List.of(b.operand);
            case RoundTo r -> List.of(r.operand);
            case Broadcast b -> List.of(b.operand);
            case Fold f -> List.of(f.operand);
            case FoldEach f -> f.operands;
        };
    }

    /** The same expression of other operands: as many as {@link #operands()} has, in order. */
    default Expression with(List<Expression> operands) {
        Expression first = operands.isEmpty() ? this : operands.getFirst();
        return switch (this) {
            case Real r -> r;
            case Whole w -> w;
            case Get g -> g;
            case Load l -> new Load(l.buffer, first, l.lanes, l.active.map(a -> operands.get(1)));
            case Unary u -> new Unary(u.operation, first);
            case Binary b -> new Binary(b.operation, first, operands.get(1));
            case Compare c -> new Compare(c.comparison, first, operands.get(1));
            case Select s -> new Select(first, operands.get(1), operands.get(2));
            case FusedMultiplyAdd f ->
                    new FusedMultiplyAdd(first, operands.get(1), operands.get(2));
            case DotBytes d -> new DotBytes(first, operands.get(1), operands.get(2));
            case Convert c -> new Convert(c.element, first);
            case Bitcast b -> new Bitcast(b.element, first);
            case RoundTo r -> new RoundTo(r.format, first);
            case Broadcast b -> new Broadcast(first, b.lanes);
            case Fold f -> new Fold(f.operation, first);
            case FoldEach f -> new FoldEach(f.operation, operands);
        };
    }
}
