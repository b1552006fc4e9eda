package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds out whether a method adds what it computes to what it gets, so that a residual path goes
 * through it: {@code y = x + mlp(norm(x))}. Left out, such a block hands its argument on; another
 * one, which stands beside the path, gives nothing.
 */
final class Residual {
    /** The names to which the argument has been added. */
    private final Set<String> carrying = new HashSet<>();

    private Residual(String argument) {
        carrying.add(argument);
    }

    /** Whether the first result is the first argument and something more. */
    static boolean goesThrough(Declaration.Method method) {
        List<Declaration.Formal> formals = method.signature().formals();
        if (formals.isEmpty() || method.signature().results().isEmpty()) {
            return false;
        }
        Residual residual = new Residual(formals.getFirst().name());
        if (method.body().expression().isPresent()) {
            return residual.carries(method.body().expression().get());
        }
        residual.statements(method.body().statements());
        return residual.carrying.contains(method.signature().results().getFirst().name());
    }

    private void statements(List<Statement> statements) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Assign a -> assign(a);
                case Statement.If i -> {
                    statements(i.then());
                    statements(i.otherwise());
                }
                case Statement.For f -> statements(f.body());
                case Statement.While w -> statements(w.body());
                case Statement.Scan s -> statements(s.body());
                case Statement.Leaving l -> { }
                case Statement.Break b -> { }
            }
        }
    }

    private void assign(Statement.Assign a) {
        boolean adds = a.operator() == Statement.Operator.ADD;
        if (a.operator() != Statement.Operator.SET && !adds) {
            return;
        }
        for (Statement.Target target : a.targets()) {
            boolean carries = a.targets().size() == 1 && carries(a.value())
                    || adds && carrying.contains(target.name());
            if (carries) {
                carrying.add(target.name());
            } else {
                carrying.remove(target.name());
            }
        }
    }

    private boolean carries(Expression e) {
        return switch (e) {
            case Expression.Name n -> carrying.contains(n.name());
            case Expression.Access a -> carries(a.base()) && a.subscripts().stream()
                    .allMatch(s -> s.from() instanceof Expression.Name && s.to().isEmpty());
            case Expression.Binary b when b.operator() == Expression.BinaryOperator.ADD ->
                    carries(b.left()) || carries(b.right());
            case Expression.Binary b when b.operator() == Expression.BinaryOperator.SUBTRACT ->
                    carries(b.left());
            default -> false;
        };
    }
}
