package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.HashSet;

/**
 * Finds the range of an index from its bare uses: {@code x[t, d]} lets {@code d} run over the
 * second axis of x. An affine use gives no range, it only has to stay inside.
 */
final class IndexRanges {
    /**
     * An axis that an index runs over.
     *
     * @param place the axis in the words of a fault at run time
     * @param guarded whether the access says what it reads outside
     * @param length how many elements are in use, where that is not the whole axis
     */
    record Use(
            Dimension size, Span span, Span declared, String what, String place,
            boolean guarded, Optional<Scalar> length) {}

    private final Body body;

    IndexRanges(Body body) {
        this.body = body;
    }

    /** Brings an index into scope, with its stated range or the one that its uses give it. */
    Index introduce(
            String name,
            Span span,
            Optional<Expression.Range> stated,
            List<Expression> places,
            Scope inner) {
        return introduce(name, span, stated, places, inner, List.of());
    }

    Index introduce(
            String name,
            Span span,
            Optional<Expression.Range> stated,
            List<Expression> places,
            Scope inner,
            List<Use> known) {
        inner.find(name).ifPresent(hidden -> {
            throw body.session.fail(Diagnostic.error("E0305", span,
                            "the index `" + name + "` hides a value of the same name")
                    .with(span(hidden).orElse(span), "this is the value")
                    .helped("call the index something else"));
        });
        Index index = stated.isPresent()
                ? stated(name, stated.get(), places, inner, known)
                : inferred(name, span, places, inner, known);
        inner.define(name, new Meaning.IndexVariable(index, span));
        return index;
    }

    private static Optional<Span> span(Meaning meaning) {
        return switch (meaning) {
            case Meaning.Tensor t -> Optional.of(t.span());
            case Meaning.IndexVariable i -> Optional.of(i.span());
            case Meaning.ParameterReference p -> Optional.of(p.declaration().span());
            case Meaning.StateReference s -> Optional.of(s.declaration().span());
            case Meaning.Blocks b -> Optional.of(b.span());
            default -> Optional.empty();
        };
    }

    private Index stated(
            String name, Expression.Range range, List<Expression> places, Scope scope,
            List<Use> known) {
        Meaning from = body.evaluator.settle(
                body.evaluator.evaluate(range.from(), scope, true), range.span());
        Meaning to = body.evaluator.settle(
                body.evaluator.evaluate(range.to(), scope, true), range.span());
        boolean isSize = to instanceof Meaning.Whole || to instanceof Meaning.Unknown;
        if (!isSize || from instanceof Meaning.Element || from instanceof Meaning.Tensor) {
            List<Use> uses = new ArrayList<>(known);
            for (Expression place : places) {
                collect(name, place, scope, uses);
            }
            return body.sizes.index(name, whole(from, range.from().span()),
                    whole(to, range.to().span()), uses,
                    Size.symbol(range.to().span().text().strip()), range.span());
        }
        Dimension size = to instanceof Meaning.Whole w
                ? w.dimension() : Dimension.symbol("?." + name);
        if (from instanceof Meaning.Whole low && low.dimension().size().constant()
                .filter(v -> v < 0).isPresent()) {
            size = size.minus(low.dimension());
        }
        return body.index(name, whole(from, range.from().span()),
                whole(to, range.to().span()), size);
    }

    private Scalar whole(Meaning bound, Span span) {
        Scalar scalar = body.evaluator.scalar(bound, span);
        if (scalar.format() != Format.I64) {
            throw body.session.fail(Diagnostic.error("E0308", span,
                            "an index runs over whole numbers, here is "
                                    + Formats.describe(scalar.format()))
                    .helped("convert it with `int(…)`, which rounds towards zero"));
        }
        return scalar;
    }

    private Index inferred(
            String name, Span span, List<Expression> places, Scope scope, List<Use> known) {
        List<Use> uses = new ArrayList<>(known);
        for (Expression place : places) {
            collect(name, place, scope, uses);
        }
        if (uses.isEmpty() && places.stream().anyMatch(p -> readsFault(name, p, scope))) {
            throw new Failure();
        }
        if (uses.isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0302", span,
                            "nothing says what `" + name + "` runs over")
                    .labelled("no axis is indexed by `" + name + "` alone")
                    .helped("state its range: `" + name + " in 0..N`"));
        }
        Use first = uses.getFirst();
        for (Use use : uses) {
            if (use.size().differs(first.size())) {
                throw body.session.fail(Diagnostic.error("E0301", use.span(),
                                "`" + name + "` runs over two axes of different size: "
                                        + first.size().describe() + " and "
                                        + use.size().describe())
                        .labelled("here it runs over " + use.what() + ", of size "
                                + use.size().describe())
                        .with(first.span(), "here over " + first.what() + ", of size "
                                + first.size().describe())
                        .helped(first.size().named().equals(use.size().named())
                                ? "these states have equally many slots only once all of them "
                                        + "have been appended to: read them behind that"
                                : "use two indices, or state a narrower range: `" + name
                                        + " in 0..n`"));
            }
        }
        return first.length().isEmpty() ? body.index(name, first.size())
                : body.index(name, Scalar.whole(0), first.length().get(),
                        new Dimension(first.size().size(), first.size().named()));
    }

    /** Whether an index goes along something whose fault has been reported. */
    private static boolean readsFault(String name, Expression e, Scope scope) {
        boolean here = e instanceof Expression.Access a && a.base() instanceof Expression.Name base
                && scope.find(base.name()).filter(m -> m instanceof Meaning.Poison).isPresent()
                && a.subscripts().stream().anyMatch(s ->
                        s.from() instanceof Expression.Name n && n.name().equals(name));
        return here || Trees.children(e).stream().anyMatch(c -> readsFault(name, c, scope));
    }

    /** The uses of a name as a whole subscript, in the order of the text. */
    void collect(String name, Expression e, Scope scope, List<Use> uses) {
        switch (e) {
            case Expression.Access a -> {
                for (int i = 0; i < a.subscripts().size(); i++) {
                    Expression.Subscript s = a.subscripts().get(i);
                    boolean bare = s.to().isEmpty() && a.fallback().isEmpty()
                            && s.from() instanceof Expression.Name n && n.name().equals(name);
                    if (bare) {
                        int axis = i;
                        shape(a.base(), scope).ifPresent(shape -> {
                            if (axis < shape.size()) {
                                uses.add(new Use(shape.get(axis), s.from().span(),
                                        a.base().span(), axis(a, axis), place(a, axis), false,
                                        length(shape.get(axis), name, a, scope)));
                            }
                        });
                    } else {
                        collect(name, s.from(), scope, uses);
                    }
                }
                collect(name, a.base(), scope, uses);
            }
            case Expression.Reduction r -> {
                boolean rebinds = !r.reducer().keepsIndex()
                        && r.bindings().stream().anyMatch(b -> b.name().equals(name));
                if (!rebinds) {
                    collect(name, r.body(), scope, uses);
                    r.filter().ifPresent(f -> collect(name, f, scope, uses));
                }
            }
            default -> Trees.children(e).forEach(c -> collect(name, c, scope, uses));
        }
        if (uses.isEmpty() && e instanceof Expression.Access a && a.fallback().isPresent()) {
            collectGuarded(name, a, scope, uses);
        }
    }

    /** A guarded access gives a range only where no other one does. */
    private void collectGuarded(
            String name, Expression.Access a, Scope scope, List<Use> uses) {
        for (int i = 0; i < a.subscripts().size(); i++) {
            if (a.subscripts().get(i).from() instanceof Expression.Name n
                    && n.name().equals(name)) {
                int axis = i;
                shape(a.base(), scope).filter(s -> axis < s.size()).ifPresent(s ->
                        uses.add(new Use(s.get(axis), a.span(), a.base().span(),
                                axis(a, axis), place(a, axis), true,
                                length(s.get(axis), name, a, scope))));
            }
        }
    }

    private static String place(Expression.Access a, int axis) {
        return "axis " + axis + " of " + a.base().span().text();
    }

    /** What is in use of a jagged axis where the access stands. */
    private Optional<Scalar> length(
            Dimension axis, String name, Expression.Access a, Scope scope) {
        return axis.jagged().map(jagged -> {
            List<Scalar> coordinates = new ArrayList<>();
            int needed = jagged.axes().values().stream().mapToInt(i -> i + 1).max().orElse(0);
            for (Expression.Subscript s : a.subscripts().subList(0, needed)) {
                Set<String> names = new HashSet<>();
                Trees.names(s.from(), names);
                names.stream().filter(n -> scope.find(n).isEmpty()
                        && scope.module().find(n).isEmpty() && !Operations.isBuiltin(n))
                        .findFirst().ifPresent(unknown -> {
                            throw body.session.fail(Diagnostic.error("E0302", a.span(),
                                            "how far `" + name + "` goes depends on `" + unknown
                                                    + "`, which comes later")
                                    .helped("introduce `" + unknown + "` before `" + name + "`"));
                        });
                coordinates.add(body.evaluator.scalar(
                        body.evaluator.evaluate(s.from(), scope, true), s.from().span()));
            }
            return jagged.at(coordinates);
        });
    }

    private static String axis(Expression.Access a, int axis) {
        String[] ordinals = {"first", "second", "third", "fourth", "fifth", "sixth"};
        String which = axis < ordinals.length ? ordinals[axis] : (axis + 1) + "th";
        return "the " + which + " axis of `" + a.base().span().text() + "`";
    }

    /** The shape of what is subscripted, where it does not depend on indices. */
    private Optional<List<Dimension>> shape(Expression base, Scope scope) {
        if (base instanceof Expression.Name n) {
            return scope.find(n.name()).flatMap(m -> switch (m) {
                case Meaning.Tensor t -> Optional.of(t.shape());
                case Meaning.ParameterReference p ->
                        Optional.of(body.frame.parameter(p.declaration(), body).shape());
                case Meaning.StateReference s ->
                        Optional.of(body.frame.states().shape(s.declaration(), body));
                case Meaning.Blocks b -> Optional.of(List.of(b.count()));
                default -> Optional.empty();
            });
        }
        Set<String> names = new HashSet<>();
        Trees.names(base, names);
        for (String used : names) {
            Optional<Meaning> meaning = scope.find(used);
            boolean known = meaning.filter(m -> !(m instanceof Meaning.IndexVariable)).isPresent()
                    || meaning.isEmpty() && (Operations.isBuiltin(used)
                            || scope.module().find(used).isPresent());
            if (!known) {
                return Optional.empty();
            }
        }
        return body.accesses.base(base, scope) instanceof Meaning.Tensor t
                ? Optional.of(t.shape()) : Optional.empty();
    }
}
