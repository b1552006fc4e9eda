package dev.weir.frontend.syntax;

import dev.weir.ir.diagnostic.Span;
import java.util.List;
import java.util.Optional;

/** One step of a method. */
public sealed interface Statement {
    Span span();

    /** {@code y[t, d] = …}, {@code y, seen = block(x)}, {@code keys ++= …}. */
    record Assign(List<Target> targets, Operator operator, Expression value, Span span)
            implements Statement {
        public Assign {
            targets = List.copyOf(targets);
        }
    }

    record If(
            Expression condition, List<Statement> then, List<Statement> otherwise, Span span)
            implements Statement {
        public If {
            then = List.copyOf(then);
            otherwise = List.copyOf(otherwise);
        }
    }

    record For(
            Optional<String> label,
            String index,
            Expression.Range range,
            List<Statement> body,
            Span span)
            implements Statement {
        public For {
            body = List.copyOf(body);
        }
    }

    record While(
            Expression condition, Optional<Expression> maximum, List<Statement> body, Span span)
            implements Statement {
        public While {
            body = List.copyOf(body);
        }
    }

    record Scan(String index, boolean reversed, List<Statement> body, Span span)
            implements Statement {
        public Scan {
            body = List.copyOf(body);
        }
    }

    record Break(Optional<String> label, Span span) implements Statement {}

    record Leaving(List<Statement> body, Span span) implements Statement {
        public Leaving {
            body = List.copyOf(body);
        }
    }

    /** Where a value goes; no subscripts for a whole tensor. */
    record Target(String name, Optional<List<Expression.Subscript>> subscripts, Span span) {}

    enum Operator {
        SET("="),
        ADD("+="),
        MULTIPLY("*="),
        MAXIMUM("max="),
        MINIMUM("min="),
        APPEND("++=");

        private final String symbol;

        Operator(String symbol) {
            this.symbol = symbol;
        }

        public String symbol() {
            return symbol;
        }
    }
}
