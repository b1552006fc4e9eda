package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Variable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What statements that follow one another load from the same place is loaded once, as long as
 * nothing is stored in between. LLVM would find that by itself; HotSpot does not, outside of its
 * heap.
 *
 * <pre>
 *   s = fma(a[k], b[k], s);  t = fma(a[k], b[k + 1], t)
 *     ⇒  c = a[k];  s = fma(c, b[k], s);  t = fma(c, b[k + 1], t)
 * </pre>
 */
final class SharedLoads {

    /** Larger indices are not compared: shared nodes count as often as they are reached. */
    private static final int MOST_NODES = 64;

    /** Loads that find the same, up to a statement that changes what their index reads. */
    private static final class Group {
        private final Load load;
        private final int first;
        private int last = Integer.MAX_VALUE;
        private int count;
        private Optional<Variable> variable = Optional.empty();

        Group(Load load, int first) {
            this.load = load;
            this.first = first;
        }
    }

    private int variables;

    private SharedLoads() {}

    /** The same kernel with fewer loads. */
    static Kernel in(Kernel kernel) {
        return new Kernel(kernel.name(), kernel.buffers(), kernel.scalars(), kernel.scratch(),
                kernel.tile(), new SharedLoads().list(kernel.body()));
    }

    private List<Statement> list(List<Statement> statements) {
        List<Statement> out = new ArrayList<>();
        List<Statement> run = new ArrayList<>();
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Declare d -> run.add(d);
                case Statement.Assign a -> run.add(a);
                case Statement.Prefetch p -> run.add(p);
                case Statement.Store s -> {
                    run.add(s);
                    share(run, out);
                }
                case Statement.Bind b -> {
                    run.add(b);
                    share(run, out);
                }
                case Statement.For f -> {
                    share(run, out);
                    out.add(new Statement.For(
                            f.index(), f.from(), f.to(), f.step(), list(f.body())));
                }
                case Statement.If i -> {
                    share(run, out);
                    out.add(new Statement.If(
                            i.condition(), list(i.then()), list(i.otherwise())));
                }
                case Statement.Fault f -> {
                    share(run, out);
                    out.add(f);
                }
            }
        }
        share(run, out);
        return out;
    }

    /** Moves a run, of which no statement but the last one stores. */
    private void share(List<Statement> run, List<Statement> out) {
        List<Group> groups = groups(run);
        Map<Load, Variable> shared = new HashMap<>();
        for (int i = 0; i < run.size(); i++) {
            for (Group group : groups) {
                if (group.first == i && group.count > 1) {
                    var variable = new Variable(
                            "(shared " + variables++ + ")", group.load.type());
                    List<Expression> operands = group.load.operands().stream()
                            .map(o -> rewritten(o, shared, new IdentityHashMap<>())).toList();
                    out.add(new Statement.Declare(
                            variable, group.load.with(operands), false));
                    group.variable = Optional.of(variable);
                    shared.put(group.load, variable);
                }
            }
            out.add(shared.isEmpty() ? run.get(i) : rewritten(run.get(i), shared));
            for (Group group : groups) {
                if (group.last == i) {
                    group.variable.ifPresent(v -> shared.remove(group.load, v));
                }
            }
        }
        run.clear();
    }

    /** In the order of their first statements; loads within an index before what is there. */
    private static List<Group> groups(List<Statement> run) {
        List<Group> groups = new ArrayList<>();
        Map<Load, Group> open = new HashMap<>();
        for (int i = 0; i < run.size(); i++) {
            Statement statement = run.get(i);
            int place = i;
            List<Load> loads = new ArrayList<>();
            Set<Expression> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            expressions(statement).forEach(e -> loads(e, loads, seen));
            for (Load load : loads) {
                open.computeIfAbsent(load, l -> {
                    groups.add(new Group(l, place));
                    return groups.getLast();
                }).count++;
            }
            if (statement instanceof Statement.Assign a) {
                open.values().removeIf(group -> {
                    boolean changes = reads(group.load, a.variable());
                    if (changes) {
                        group.last = place;
                    }
                    return changes;
                });
            }
        }
        return groups;
    }

    private static List<Expression> expressions(Statement statement) {
        return switch (statement) {
            case Statement.Declare d -> List.of(d.value());
            case Statement.Assign a -> List.of(a.value());
            case Statement.Prefetch p -> List.of(p.index());
            case Statement.Bind b -> List.of(b.index());
            case Statement.Store s -> {
                List<Expression> all = new ArrayList<>(List.of(s.index(), s.value()));
                s.active().ifPresent(all::add);
                yield all;
            }
            case Statement.For f -> List.of();
            case Statement.If i -> List.of();
            case Statement.Fault f -> List.of();
        };
    }

    private static void loads(Expression expression, List<Load> out, Set<Expression> seen) {
        if (!seen.add(expression)) {
            return;
        }
        expression.operands().forEach(o -> loads(o, out, seen));
        if (expression instanceof Load load && left(load, MOST_NODES) >= 0) {
            out.add(load);
        }
    }

    /** What is left of a number of nodes, or less than 0. */
    private static int left(Expression expression, int nodes) {
        int left = nodes - 1;
        for (Expression operand : expression.operands()) {
            if (left < 0) {
                return left;
            }
            left = left(operand, left);
        }
        return left;
    }

    private static boolean reads(Expression expression, Variable variable) {
        return expression instanceof Expression.Get get && get.variable().equals(variable)
                || expression.operands().stream().anyMatch(o -> reads(o, variable));
    }

    private static Statement rewritten(Statement statement, Map<Load, Variable> shared) {
        Map<Expression, Expression> known = new IdentityHashMap<>();
        return switch (statement) {
            case Statement.Declare d -> new Statement.Declare(
                    d.variable(), rewritten(d.value(), shared, known), d.mutable());
            case Statement.Assign a -> new Statement.Assign(
                    a.variable(), rewritten(a.value(), shared, known));
            case Statement.Prefetch p -> new Statement.Prefetch(
                    p.buffer(), rewritten(p.index(), shared, known));
            case Statement.Bind b -> new Statement.Bind(
                    b.buffer(), b.table(), rewritten(b.index(), shared, known));
            case Statement.Store s -> new Statement.Store(
                    s.buffer(), rewritten(s.index(), shared, known),
                    rewritten(s.value(), shared, known),
                    s.active().map(a -> rewritten(a, shared, known)));
            case Statement.For f -> f;
            case Statement.If i -> i;
            case Statement.Fault f -> f;
        };
    }

    /** A node that is reached twice stays one. */
    private static Expression rewritten(
            Expression expression, Map<Load, Variable> shared, Map<Expression, Expression> known) {
        Expression result = known.get(expression);
        if (result == null) {
            result = expression instanceof Load load && shared.containsKey(load)
                    ? new Expression.Get(shared.get(load))
                    : expression.operands().isEmpty() ? expression
                    : expression.with(expression.operands().stream()
                            .map(o -> rewritten(o, shared, known)).toList());
            known.put(expression, result);
        }
        return result;
    }
}
