package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/** Walks over syntax trees. */
public final class Trees {
    private Trees() {}

    public static List<Expression> children(Expression e) {
        return switch (e) {
            case Expression.Literal l -> List.of();
            case Expression.Truth t -> List.of();
            case Expression.Text t -> List.of();
            case Expression.Name n -> List.of();
            case Expression.Missing m -> List.of();
            case Expression.Member m -> List.of(m.base());
            case Expression.Unary u -> List.of(u.operand());
            case Expression.Binary b -> List.of(b.left(), b.right());
            case Expression.Access a -> {
                List<Expression> all = new ArrayList<>(List.of(a.base()));
                for (Expression.Subscript s : a.subscripts()) {
                    all.add(s.from());
                    s.to().ifPresent(all::add);
                }
                a.fallback().flatMap(Expression.Fallback::value).ifPresent(all::add);
                yield all;
            }
            case Expression.Call c -> {
                List<Expression> all = new ArrayList<>(List.of(c.function()));
                c.arguments().forEach(x -> all.add(x.value()));
                c.using().ifPresent(all::add);
                yield all;
            }
            case Expression.Reduction r -> {
                List<Expression> all = new ArrayList<>(List.of(r.body()));
                r.filter().ifPresent(all::add);
                for (Expression.Binding b : r.bindings()) {
                    b.range().ifPresent(x -> {
                        all.add(x.from());
                        all.add(x.to());
                    });
                }
                yield all;
            }
            case Expression.Route r -> {
                List<Expression> all = new ArrayList<>(r.operands());
                all.add(r.blocks());
                r.arguments().forEach(x -> all.add(x.value()));
                yield all;
            }
            case Expression.Choice c -> List.of(c.condition(), c.then(), c.otherwise());
            case Expression.Tuple t -> t.items();
            case Expression.Lambda l -> List.of(l.body());
            case Expression.Selection s -> List.of(s.condition());
        };
    }

    /** Every name that an expression mentions. */
    public static void names(Expression e, Set<String> names) {
        if (e instanceof Expression.Name n) {
            names.add(n.name());
        }
        children(e).forEach(c -> names(c, names));
    }

    public static void names(List<Statement> statements, Set<String> names) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Assign a -> {
                    names(a.value(), names);
                    for (Statement.Target t : a.targets()) {
                        if (a.operator() != Statement.Operator.SET) {
                            names.add(t.name());
                        }
                        t.subscripts().ifPresent(all -> all.forEach(s -> {
                            names(s.from(), names);
                            s.to().ifPresent(to -> names(to, names));
                            s.range().ifPresent(r -> {
                                names(r.from(), names);
                                names(r.to(), names);
                            });
                        }));
                    }
                }
                case Statement.If i -> {
                    names(i.condition(), names);
                    names(i.then(), names);
                    names(i.otherwise(), names);
                }
                case Statement.For f -> {
                    names(f.range().from(), names);
                    names(f.range().to(), names);
                    names(f.body(), names);
                }
                case Statement.While w -> {
                    names(w.condition(), names);
                    w.maximum().ifPresent(m -> names(m, names));
                    names(w.body(), names);
                }
                case Statement.Scan s -> {
                    names.add(s.index());
                    names(s.body(), names);
                }
                case Statement.Leaving l -> names(l.body(), names);
                case Statement.Break b -> { }
            }
        }
    }

    /** Every name that statements give a value. */
    static void assigned(List<Statement> statements, Set<String> names) {
        assignments(statements, a -> a.targets().forEach(t -> names.add(t.name())));
    }

    /** The states to which statements append. */
    static void appended(List<Statement> statements, Set<String> names) {
        assignments(statements, a -> {
            if (a.operator() == Statement.Operator.APPEND) {
                a.targets().forEach(t -> names.add(t.name()));
            }
        });
    }

    /** The calls in what statements assign. */
    static List<Expression.Call> calls(List<Statement> statements) {
        List<Expression.Call> calls = new ArrayList<>();
        assignments(statements, a -> calls(a.value(), calls));
        return calls;
    }

    private static void calls(Expression e, List<Expression.Call> calls) {
        if (e instanceof Expression.Call c) {
            calls.add(c);
        }
        children(e).forEach(c -> calls(c, calls));
    }

    private static void assignments(
            List<Statement> statements, Consumer<Statement.Assign> visitor) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Assign a -> visitor.accept(a);
                case Statement.If i -> {
                    assignments(i.then(), visitor);
                    assignments(i.otherwise(), visitor);
                }
                case Statement.For f -> assignments(f.body(), visitor);
                case Statement.While w -> assignments(w.body(), visitor);
                case Statement.Scan s -> assignments(s.body(), visitor);
                case Statement.Leaving l -> assignments(l.body(), visitor);
                case Statement.Break b -> { }
            }
        }
    }

    /** Whether a statement can leave the innermost loop around it. */
    static boolean breaks(Statement statement) {
        return switch (statement) {
            case Statement.Break b -> true;
            case Statement.If i -> breaks(i.then()) || breaks(i.otherwise());
            case Statement.Assign a -> false;
            case Statement.For f -> !labels(List.of(f)).isEmpty();
            case Statement.While w -> !labels(w.body()).isEmpty();
            case Statement.Scan s -> !labels(s.body()).isEmpty();
            case Statement.Leaving l -> false;
        };
    }

    /** The labels of loops around that statements leave. */
    static Set<String> labels(List<Statement> statements) {
        Set<String> labels = new LinkedHashSet<>();
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Break b -> b.label().ifPresent(labels::add);
                case Statement.If i -> {
                    labels.addAll(labels(i.then()));
                    labels.addAll(labels(i.otherwise()));
                }
                case Statement.For f -> {
                    Set<String> inner = labels(f.body());
                    f.label().ifPresent(inner::remove);
                    labels.addAll(inner);
                }
                case Statement.While w -> labels.addAll(labels(w.body()));
                case Statement.Scan s -> labels.addAll(labels(s.body()));
                case Statement.Leaving l -> { }
                case Statement.Assign a -> { }
            }
        }
        return labels;
    }

    static boolean breaks(List<Statement> statements) {
        return statements.stream().anyMatch(Trees::breaks);
    }
}
