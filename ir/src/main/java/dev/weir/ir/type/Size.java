package dev.weir.ir.type;

import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.Set;
import java.util.function.LongBinaryOperator;

/**
 * How many elements an axis has: a constant, a size known only at run time (a symbol), or whole-
 * number arithmetic on these. Build with the static methods, which fold constants.
 */
public sealed interface Size {

    record Constant(long value) implements Size {
        @Override
        public String toString() {
            return Long.toString(value);
        }
    }

    /** A size known only at run time, such as the number of tokens. */
    record Symbol(String name) implements Size {
        @Override
        public String toString() {
            return name;
        }
    }

    record Sum(Size left, Size right) implements Size {
        @Override
        public String toString() {
            return "(" + left + " + " + right + ")";
        }
    }

    record Product(Size left, Size right) implements Size {
        @Override
        public String toString() {
            return "(" + left + " * " + right + ")";
        }
    }

    /** Division rounded towards minus infinity. */
    record Quotient(Size left, Size right) implements Size {
        @Override
        public String toString() {
            return "(" + left + " / " + right + ")";
        }
    }

    static Size of(long value) {
        return new Constant(value);
    }

    static Size symbol(String name) {
        return new Symbol(name);
    }

    static Size sum(Size left, Size right) {
        if (left instanceof Constant a && right instanceof Constant b) {
            return of(exact(Math::addExact, a.value, b.value));
        }
        if (left.equals(of(0))) {
            return right;
        }
        return right.equals(of(0)) ? left : new Sum(left, right);
    }

    static Size product(Size left, Size right) {
        if (left instanceof Constant a && right instanceof Constant b) {
            return of(exact(Math::multiplyExact, a.value, b.value));
        }
        if (left.equals(of(0)) || right.equals(of(0))) {
            return of(0);
        }
        if (left.equals(of(1))) {
            return right;
        }
        return right.equals(of(1)) ? left : new Product(left, right);
    }

    /** Sizes that together do not fit into 64 bits: what they count does not fit into memory. */
    final class Overflow extends RuntimeException {
        private static final long serialVersionUID = 1;

        private Overflow(long left, long right) {
            super("the sizes " + left + " and " + right + " are too large to compute with");
        }
    }

    private static long exact(LongBinaryOperator operator, long left, long right) {
        try {
            return operator.applyAsLong(left, right);
        } catch (ArithmeticException overflow) {
            throw new Overflow(left, right);
        }
    }

    static Size quotient(Size left, Size right) {
        if (left instanceof Constant a && right instanceof Constant b && b.value != 0) {
            return of(Math.floorDiv(a.value, b.value));
        }
        return right.equals(of(1)) ? left : new Quotient(left, right);
    }

    static Size difference(Size left, Size right) {
        return sum(left, product(of(-1), right));
    }

    /** The value where it does not depend on a symbol. */
    default Optional<Long> constant() {
        return this instanceof Constant c ? Optional.of(c.value) : Optional.empty();
    }

    default boolean isConstant() {
        return this instanceof Constant;
    }

    /** The value once every symbol has one. */
    default long evaluate(Map<String, Long> symbols) {
        return switch (this) {
            case Constant c -> c.value;
            case Symbol s -> {
                Long value = symbols.get(s.name);
                if (value == null) {
                    throw new IllegalStateException("size " + s.name + " has no value");
                }
                yield value;
            }
            case Sum s -> exact(
                    Math::addExact, s.left.evaluate(symbols), s.right.evaluate(symbols));
            case Product p ->
                    exact(Math::multiplyExact,
                            p.left.evaluate(symbols), p.right.evaluate(symbols));
            case Quotient q ->
                    Math.floorDiv(q.left.evaluate(symbols), q.right.evaluate(symbols));
        };
    }

    /** This size with some symbols replaced. */
    default Size substitute(Map<String, Size> replacements) {
        return switch (this) {
            case Constant c -> c;
            case Symbol s -> replacements.getOrDefault(s.name, s);
            case Sum s -> sum(s.left.substitute(replacements), s.right.substitute(replacements));
            case Product p ->
                    product(p.left.substitute(replacements), p.right.substitute(replacements));
            case Quotient q ->
                    quotient(q.left.substitute(replacements), q.right.substitute(replacements));
        };
    }

    /** The names of all symbols in this size, in alphabetical order. */
    default Set<String> symbols() {
        Set<String> names = new TreeSet<>();
        collect(this, names);
        return names;
    }

    private static void collect(Size size, Set<String> names) {
        switch (size) {
            case Constant c -> { }
            case Symbol s -> names.add(s.name);
            case Sum s -> {
                collect(s.left, names);
                collect(s.right, names);
            }
            case Product p -> {
                collect(p.left, names);
                collect(p.right, names);
            }
            case Quotient q -> {
                collect(q.left, names);
                collect(q.right, names);
            }
        }
    }
}
