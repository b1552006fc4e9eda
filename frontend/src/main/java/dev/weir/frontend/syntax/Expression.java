package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Optional;

/** What computes something: an element of an equation, a whole tensor, a size or a setting. */
public sealed interface Expression {
    Span span();

    /** {@code 3}; {@code isWhole} tells it from {@code 3.0}. */
    record Literal(double value, long whole, boolean isWhole, Span span) implements Expression {}

    record Truth(boolean value, Span span) implements Expression {}

    record Text(String value, Span span) implements Expression {}

    record Name(String name, Span span) implements Expression {}

    /** {@code config.rope_theta}, {@code layer.step}. */
    record Member(Expression base, String name, Span span) implements Expression {}

    record Unary(UnaryOperator operator, Expression operand, Span span) implements Expression {}

    record Binary(BinaryOperator operator, Expression left, Expression right, Span span)
            implements Expression {}

    /** {@code x[t - 1, d] or 0}. */
    record Access(
            Expression base, List<Subscript> subscripts, Optional<Fallback> fallback, Span span)
            implements Expression {
        public Access {
            subscripts = List.copyOf(subscripts);
        }
    }

    /** {@code f(x, eps: 1e-6)}; {@code using} names the state that a call works on. */
    record Call(
            Expression function, List<Argument> arguments, Optional<Expression> using, Span span)
            implements Expression {
        public Call {
            arguments = List.copyOf(arguments);
        }
    }

    /** {@code sum[c] a[c] * b[c] where c < n}. */
    record Reduction(
            Reducer reducer,
            List<Binding> bindings,
            Expression body,
            Optional<Expression> filter,
            Span span)
            implements Expression {
        public Reduction {
            bindings = List.copyOf(bindings);
        }
    }

    /** {@code route x to experts by top(K, p)}. */
    record Route(
            List<Expression> operands,
            Expression blocks,
            String selector,
            List<Argument> arguments,
            Span span)
            implements Expression {
        public Route {
            operands = List.copyOf(operands);
            arguments = List.copyOf(arguments);
        }
    }

    /** {@code if c { a } else { b }} as a value. */
    record Choice(Expression condition, Expression then, Expression otherwise, Span span)
            implements Expression {}

    /** {@code (a, b)}. */
    record Tuple(List<Expression> items, Span span) implements Expression {
        public Tuple {
            items = List.copyOf(items);
        }
    }

    /** {@code fn(q, k) -> k <= q}. */
    record Lambda(List<String> names, Expression body, Span span) implements Expression {
        public Lambda {
            names = List.copyOf(names);
        }
    }

    /** {@code [t where score[t] > cut]}. */
    record Selection(String index, Expression condition, Span span) implements Expression {}

    /** What the reader could not make sense of; a diagnostic has been given. */
    record Missing(Span span) implements Expression {}

    /**
     * One coordinate, a range {@code 0..width} of them, or on a left side an index with its range,
     * {@code i in 0..n}.
     */
    record Subscript(Expression from, Optional<Expression> to, Optional<Range> range) {}

    /** What an access reads outside the tensor; empty value for {@code skip}. */
    record Fallback(Optional<Expression> value, Span span) {}

    record Argument(Optional<String> name, Expression value) {}

    /** An index that a reduction introduces or works on. */
    record Binding(String name, Optional<Range> range, Span span) {}

    record Range(Expression from, Expression to, Span span) {}

    enum UnaryOperator {
        NEGATE,
        NOT
    }

    enum BinaryOperator {
        ADD("+"),
        SUBTRACT("-"),
        MULTIPLY("*"),
        DIVIDE("/"),
        REMAINDER("%"),
        POWER("^"),
        CONTRACT("@"),
        CONCATENATE("++"),
        EQUAL("=="),
        NOT_EQUAL("!="),
        LESS("<"),
        LESS_EQUAL("<="),
        GREATER(">"),
        GREATER_EQUAL(">="),
        AND("and"),
        OR("or");

        private final String symbol;

        BinaryOperator(String symbol) {
            this.symbol = symbol;
        }

        public String symbol() {
            return symbol;
        }
    }

    enum Reducer {
        SUM,
        PROD,
        MAX,
        MIN,
        MEAN,
        ANY,
        ALL,
        ARGMAX,
        LOGSUMEXP,
        SOFTMAX,
        CUMSUM,
        CUMPROD,
        CUMMAX;

        public String word() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }

        /** Whether the reduction's index is one that already exists and stays. */
        public boolean keepsIndex() {
            return this == SOFTMAX || this == CUMSUM || this == CUMPROD || this == CUMMAX;
        }
    }
}
