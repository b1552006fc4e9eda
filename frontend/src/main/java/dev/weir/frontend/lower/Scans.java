package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.tensor.Scalar;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Lowers {@code scan t { … }}: a loop over the places of an axis, in which states are carried from
 * one to the next. What the body makes for each {@code t} ({@code o[t, d] = …}) is there as a whole
 * behind it.
 */
final class Scans {
    private final Body body;

    Scans(Body body) {
        this.body = body;
    }

    void scan(Statement.Scan s, Scope scope) {
        List<Expression> places = new ArrayList<>();
        expressions(s.body(), places);
        Dimension size = body.extent(body.ranges.introduce(
                s.index(), s.span(), Optional.empty(), places, scope.inner(), known(s, scope)));
        Control.Head head = new Control.Head(
                s.index(), Scalar.whole(0), Scalar.extent(size.size()), s.body(), s.span(),
                s.span(), Optional.of(new Control.Along(size, s.reversed())), Optional.empty());
        outputs(s, head, scope).forEach((name, tensor) -> scope.define(name, body.stored(
                body.constant(name, Scalars.zero(tensor.format()), tensor.shape(), s.span()),
                tensor.shape(), s.span())));
        body.control.loop(head, scope);
    }

    /** What the body makes for each element: as declared, or as a first reading finds it. */
    private Map<String, Meaning.Tensor> outputs(
            Statement.Scan s, Control.Head head, Scope scope) {
        Set<String> names = new LinkedHashSet<>();
        indexed(s.body(), s.index()).forEach(t -> names.add(t.name()));
        names.removeIf(n -> scope.find(n).isPresent());
        Map<String, Meaning.Tensor> found = new LinkedHashMap<>();
        List<String> open = new ArrayList<>();
        for (String name : names) {
            Optional<Statements.Declared> declared = body.statements.declared(name);
            if (declared.isPresent()) {
                found.put(name, new Meaning.Tensor(declared.get().shape(),
                        declared.get().format(), at -> Scalars.zero(declared.get().format()),
                        Optional.empty(), s.span()));
            } else {
                open.add(name);
            }
        }
        if (!open.isEmpty()) {
            Scope trial = scope.inner();
            found.forEach((name, tensor) -> trial.define(name, tensor));
            Optional<Scope> end = body.control.tried(() -> {
                try {
                    return Optional.of(body.control.loop(head, trial));
                } catch (Failure reportedBelow) {
                    return Optional.empty();
                }
            });
            for (String name : open) {
                if (end.flatMap(e -> e.find(name)).orElse(null) instanceof Meaning.Tensor t) {
                    found.put(name, t);
                }
            }
        }
        return found;
    }

    /** The axes that the left sides say the index runs over. */
    private List<IndexRanges.Use> known(Statement.Scan s, Scope scope) {
        List<IndexRanges.Use> uses = new ArrayList<>();
        for (Statement.Target target : indexed(s.body(), s.index())) {
            List<Expression.Subscript> subscripts = target.subscripts().orElseThrow();
            List<Dimension> shape =
                    body.statements.targetShape(target, scope).orElse(List.of());
            for (int i = 0; i < Math.min(shape.size(), subscripts.size()); i++) {
                if (isIndex(subscripts.get(i), s.index())) {
                    if (shape.get(i).jagged().isPresent()) {
                        throw body.fail("E0907", s.span(), "a scan goes along a whole axis, and "
                                + "this one is longer for some elements than for others");
                    }
                    uses.add(new IndexRanges.Use(shape.get(i), subscripts.get(i).from().span(),
                            target.span(), "an axis of `" + target.name() + "`",
                            "axis " + i + " of " + target.name(), false,
                            Optional.empty()));
                }
            }
        }
        return uses;
    }

    private static boolean isIndex(Expression.Subscript subscript, String index) {
        return subscript.from() instanceof Expression.Name n && n.name().equals(index);
    }

    /** What statements assign at {@code index}. */
    private static List<Statement.Target> indexed(List<Statement> statements, String index) {
        return statements.stream().flatMap(statement -> (switch (statement) {
            case Statement.Assign a -> a.targets().stream()
                    .filter(t -> t.subscripts().stream().flatMap(List::stream)
                            .anyMatch(x -> isIndex(x, index)))
                    .toList();
            case Statement.If i -> Stream.concat(
                    indexed(i.then(), index).stream(),
                    indexed(i.otherwise(), index).stream()).toList();
            case Statement.For f -> indexed(f.body(), index);
            case Statement.While w -> indexed(w.body(), index);
            case Statement.Scan s -> indexed(s.body(), index);
            case Statement.Leaving l -> indexed(l.body(), index);
            case Statement.Break b -> List.<Statement.Target>of();
        }).stream()).toList();
    }

    private static void expressions(List<Statement> statements, List<Expression> all) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Assign a -> all.add(a.value());
                case Statement.If i -> {
                    all.add(i.condition());
                    expressions(i.then(), all);
                    expressions(i.otherwise(), all);
                }
                case Statement.For f -> expressions(f.body(), all);
                case Statement.While w -> expressions(w.body(), all);
                case Statement.Scan s -> expressions(s.body(), all);
                case Statement.Leaving l -> expressions(l.body(), all);
                case Statement.Break b -> { }
            }
        }
    }
}
