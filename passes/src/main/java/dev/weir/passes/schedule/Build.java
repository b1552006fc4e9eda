package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Type;
import java.util.Optional;

/** Short names for building kernel expressions, with the foldings that keep dumps readable. */
final class Build {
    private Build() {}

    static Expression whole(long value) {
        return new Expression.Whole(Type.I64, value);
    }

    static Expression truth(boolean value) {
        return new Expression.Whole(Type.BOOL, value ? 1 : 0);
    }

    /** A constant in every lane of a float type. */
    static Expression real(Type type, double value) {
        Expression scalar = new Expression.Real(type.withLanes(1), value);
        return type.isScalar() ? scalar : new Expression.Broadcast(scalar, type.lanes());
    }

    /** A constant in every lane of an integer type. */
    static Expression whole(Type type, long value) {
        Expression scalar = new Expression.Whole(type.withLanes(1), value);
        return type.isScalar() ? scalar : new Expression.Broadcast(scalar, type.lanes());
    }

    static Expression binary(BinaryOperation operation, Expression left, Expression right) {
        return new Expression.Binary(operation, left, right);
    }

    static Expression add(Expression left, Expression right) {
        if (left instanceof Expression.Whole a && right instanceof Expression.Whole b) {
            return new Expression.Whole(a.type(), a.value() + b.value());
        }
        if (isWhole(left, 0)) {
            return right;
        }
        return isWhole(right, 0) ? left : binary(BinaryOperation.ADD, left, right);
    }

    static Expression subtract(Expression left, Expression right) {
        if (left instanceof Expression.Whole a && right instanceof Expression.Whole b) {
            return new Expression.Whole(a.type(), a.value() - b.value());
        }
        return isWhole(right, 0) ? left : binary(BinaryOperation.SUBTRACT, left, right);
    }

    static Expression multiply(Expression left, Expression right) {
        if (left instanceof Expression.Whole a && right instanceof Expression.Whole b) {
            return new Expression.Whole(a.type(), a.value() * b.value());
        }
        if (isWhole(left, 0) || isWhole(right, 0)) {
            return new Expression.Whole(left.type(), 0);
        }
        if (isWhole(left, 1)) {
            return right;
        }
        return isWhole(right, 1) ? left : binary(BinaryOperation.MULTIPLY, left, right);
    }

    /** For operands that are not negative. */
    static Expression divide(Expression left, Expression right) {
        if (left instanceof Expression.Whole a && right instanceof Expression.Whole b
                && b.value() > 0) {
            return new Expression.Whole(a.type(), a.value() / b.value());
        }
        return isWhole(right, 1) ? left : binary(BinaryOperation.DIVIDE, left, right);
    }

    /** For operands that are not negative. */
    static Expression remainder(Expression left, Expression right) {
        if (left instanceof Expression.Whole a && right instanceof Expression.Whole b
                && b.value() > 0) {
            return new Expression.Whole(a.type(), a.value() % b.value());
        }
        return isWhole(right, 1)
                ? whole(0)
                : binary(BinaryOperation.REMAINDER, left, right);
    }

    /** Bits that a shift there and back gave a sign may come from what was shifted. */
    static Expression shiftLeft(Expression left, Expression right) {
        if (left instanceof Expression.Binary back
                && back.operation() == BinaryOperation.SHIFT_RIGHT
                && back.left() instanceof Expression.Binary there
                && there.operation() == BinaryOperation.SHIFT_LEFT) {
            Optional<Long> unused = constant(back.right());
            boolean isSame = unused.isPresent() && unused.equals(constant(there.right()));
            if (isSame && constant(right).filter(up -> up >= unused.get()).isPresent()) {
                return binary(BinaryOperation.SHIFT_LEFT, there.left(), right);
            }
        }
        return binary(BinaryOperation.SHIFT_LEFT, left, right);
    }

    /** The whole number that all lanes are. */
    private static Optional<Long> constant(Expression expression) {
        return switch (expression) {
            case Expression.Whole whole -> Optional.of(whole.value());
            case Expression.Broadcast broadcast -> constant(broadcast.operand());
            default -> Optional.empty();
        };
    }

    static Expression minimum(Expression left, Expression right) {
        return left.equals(right) ? left : binary(BinaryOperation.MINIMUM, left, right);
    }

    static Expression maximum(Expression left, Expression right) {
        return binary(BinaryOperation.MAXIMUM, left, right);
    }

    static Expression compare(Comparison comparison, Expression left, Expression right) {
        return new Expression.Compare(comparison, left, right);
    }

    static Expression equal(Expression left, Expression right) {
        return compare(Comparison.EQUAL, left, right);
    }

    static Expression less(Expression left, Expression right) {
        return compare(Comparison.LESS, left, right);
    }

    static Expression and(Expression left, Expression right) {
        return binary(BinaryOperation.AND, left, right);
    }

    static Expression select(Expression condition, Expression then, Expression otherwise) {
        return new Expression.Select(condition, then, otherwise);
    }

    static Expression not(Expression operand) {
        return new Expression.Unary(Expression.UnaryOperation.NOT, operand);
    }

    static Expression fma(Expression a, Expression b, Expression c) {
        return new Expression.FusedMultiplyAdd(a, b, c);
    }

    static Expression convert(Type.Element element, Expression operand) {
        return operand.type().element() == element
                ? operand
                : new Expression.Convert(element, operand);
    }

    static boolean isWhole(Expression expression, long value) {
        return expression instanceof Expression.Whole w && w.value() == value;
    }
}
