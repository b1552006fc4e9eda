package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Expression.Reducer;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Lowers reductions. Each becomes a compute of its own over the indices that it leaves free, and
 * the expression around it reads the result; those that are not one associative operation are put
 * together from several.
 */
final class Reductions {
    /** A reduction with its body and filter lowered. */
    record Parts(
            Reducer reducer,
            List<Index> indices,
            Optional<Scalar> filter,
            Scalar body,
            Span span) {}

    private final Body body;
    /** What must hold for the terms of the reductions around to count. */
    private final Deque<Set<Scalar>> skips = new ArrayDeque<>();

    Reductions(Body body) {
        this.body = body;
    }

    Meaning reduce(Expression.Reduction r, Scope scope) {
        Optional<Meaning> routed = body.routes.explicit(r, scope);
        if (routed.isPresent()) {
            return routed.get();
        }
        return new Meaning.Element(combine(parts(r, scope)));
    }

    Parts parts(Expression.Reduction r, Scope scope) {
        List<Index> indices = new ArrayList<>();
        Scope inner = scope;
        if (r.reducer().keepsIndex()) {
            for (Expression.Binding b : r.bindings()) {
                Meaning meaning = scope.find(b.name()).orElse(null);
                if (!(meaning instanceof Meaning.IndexVariable variable)) {
                    throw body.session.fail(Diagnostic.error("E0312", b.span(),
                                    "`" + r.reducer().word() + "[" + b.name() + "]` keeps its "
                                            + "index, so `" + b.name() + "` must be one of the "
                                            + "equation's")
                            .helped("put it on the left side: `p[" + b.name() + "] = "
                                    + r.reducer().word() + "[" + b.name() + "] …`"));
                }
                indices.add(variable.index());
            }
        } else {
            inner = scope.inner();
            List<Expression> places = new ArrayList<>(List.of(r.body()));
            r.filter().ifPresent(places::add);
            r.bindings().forEach(b -> b.range().ifPresent(range -> places.addAll(
                    List.of(range.from(), range.to()))));
            for (Expression.Binding b : r.bindings()) {
                indices.add(body.ranges.introduce(
                        b.name(), b.span(), b.range(), places, inner));
            }
        }
        if (r.reducer() == Reducer.ARGMAX && indices.size() != 1) {
            throw body.session.fail(Diagnostic.error("E0317", r.span(),
                            "`argmax` gives one place along one axis, here are "
                                    + indices.size() + " indices")
                    .helped("put the places into one axis: "
                            + "`argmax[p in 0..I * J] x[p / J, p % J]`"));
        }
        Optional<Scalar> filter = Optional.empty();
        boolean guarded = false;
        if (r.filter().isPresent()) {
            Meaning meaning = body.evaluator.settle(
                    body.evaluator.evaluate(r.filter().get(), inner, true), r.span());
            boolean always = meaning instanceof Meaning.Truth t && t.value()
                    || meaning instanceof Meaning.Unknown;
            if (!always) {
                Scalar condition = body.evaluator.scalar(meaning, r.filter().get().span());
                if (condition.format() != Format.BOOL) {
                    throw body.fail("E0401", r.filter().get().span(),
                            "a condition is a truth value, here is a number");
                }
                if (body.bounds.excludes(condition)) {
                    body.session.report(Diagnostic.warning("W0203", r.filter().get().span(),
                                    "this condition leaves nothing: its parts exclude each other")
                            .with(r.span(), "so this is about no elements"));
                }
                filter = Optional.of(condition);
                body.bounds.push(condition);
                guarded = true;
            }
        }
        Scalar term;
        skips.push(new LinkedHashSet<>());
        try {
            term = body.evaluator.scalar(
                    body.evaluator.evaluate(r.body(), inner, true), r.body().span());
        } finally {
            if (guarded) {
                body.bounds.pop();
            }
            for (Scalar exists : skips.pop()) {
                filter = filter.map(f -> Scalar.apply(Operation.AND, f, exists))
                        .or(() -> Optional.of(exists));
            }
        }
        return new Parts(r.reducer(), indices, filter, checked(r.reducer(), term, r), r.span());
    }

    /** {@code or skip}: leaves out the term that is being lowered unless something holds. */
    void skipUnless(Scalar holds, Span span) {
        if (skips.isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0313", span,
                            "`or skip` leaves a term of a reduction out, and here is none")
                    .helped("say what is read instead: `or 0`"));
        }
        if (!holds.equals(Scalar.truth(true))) {
            skips.peek().add(holds);
        }
    }

    private Scalar checked(Reducer reducer, Scalar term, Expression.Reduction r) {
        boolean logical = reducer == Reducer.ANY || reducer == Reducer.ALL;
        if (logical != (term.format() == Format.BOOL)) {
            throw body.session.fail(Diagnostic.error("E0308", r.body().span(), logical
                            ? "`" + reducer.word() + "` needs truth values, here are numbers"
                            : "`" + reducer.word() + "` needs numbers, here are truth values")
                    .helped(logical ? "compare them, in parentheses: `all[i] (x[i] > 0.0)`"
                            : "count with `sum[…] (if … { 1 } else { 0 })`, or use `any`"));
        }
        return switch (reducer) {
            case MEAN, LOGSUMEXP, SOFTMAX -> Scalars.convert(term, Format.F32);
            default -> term;
        };
    }

    /** The kind of a reduction that the IR has as it is. */
    static Optional<Reduction.Kind> kind(Reducer reducer) {
        return switch (reducer) {
            case SUM -> Optional.of(Reduction.Kind.SUM);
            case PROD -> Optional.of(Reduction.Kind.PRODUCT);
            case MAX -> Optional.of(Reduction.Kind.MAXIMUM);
            case MIN -> Optional.of(Reduction.Kind.MINIMUM);
            case ANY -> Optional.of(Reduction.Kind.ANY);
            case ALL -> Optional.of(Reduction.Kind.ALL);
            case ARGMAX -> Optional.of(Reduction.Kind.ARGUMENT_MAXIMUM);
            case MEAN, LOGSUMEXP, SOFTMAX, CUMSUM, CUMPROD, CUMMAX -> Optional.empty();
        };
    }

    /** The element that a reduction gives at the free indices. */
    Scalar combine(Parts p) {
        Optional<Reduction.Kind> kind = kind(p.reducer());
        if (kind.isPresent()) {
            return hoist(kind.get(), p.indices(), p.filter(), p.body(), p.reducer().word(),
                    p.span());
        }
        return switch (p.reducer()) {
            case MEAN -> mean(p);
            case LOGSUMEXP -> logSumExp(p);
            case SOFTMAX -> softmax(p);
            default -> new Prefixes(body).combine(p);
        };
    }

    private Scalar mean(Parts p) {
        Scalar sum = hoist(Reduction.Kind.SUM, p.indices(), p.filter(), p.body(), "sum", p.span());
        Scalar count;
        if (p.filter().isPresent()) {
            count = hoist(Reduction.Kind.SUM, p.indices(), p.filter(), Scalar.real(1), "count",
                    p.span());
        } else {
            Scalar product = Scalar.whole(1);
            for (Index index : p.indices()) {
                Axis axis = body.axis(index);
                Scalar length = axis.lower().equals(Scalar.whole(0)) ? axis.upper()
                        : Scalar.apply(Operation.MAXIMUM, Scalar.whole(0), Scalar.apply(
                                Operation.SUBTRACT, axis.upper(), axis.lower()));
                product = product.equals(Scalar.whole(1)) ? length
                        : Scalar.apply(Operation.MULTIPLY, product, length);
            }
            count = Scalars.convert(product, Format.F32);
        }
        return hoist(Scalar.apply(Operation.DIVIDE, sum, count), "mean", p.span());
    }

    private Scalar logSumExp(Parts p) {
        Scalar term = loaded(p.body(), p.span());
        Scalar top = hoist(
                Reduction.Kind.MAXIMUM, p.indices(), p.filter(), term, "max", p.span());
        Scalar sum = hoist(Reduction.Kind.SUM, p.indices(), p.filter(),
                Scalar.apply(Operation.EXPONENTIAL,
                        Scalar.apply(Operation.SUBTRACT, term, top)), "sum", p.span());
        return Scalar.apply(Operation.ADD, Scalar.apply(Operation.LOGARITHM, sum), top);
    }

    /** Maximum, exponentials, their sum, quotient; what the filter leaves out has probability 0. */
    private Scalar softmax(Parts p) {
        Scalar term = loaded(p.body(), p.span());
        Scalar top = hoist(
                Reduction.Kind.MAXIMUM, p.indices(), p.filter(), term, "max", p.span());
        Scalar power = Scalar.apply(
                Operation.EXPONENTIAL, Scalar.apply(Operation.SUBTRACT, term, top));
        Scalar kept = hoist(p.filter()
                .map(f -> Scalar.apply(Operation.SELECT, f, power, Scalar.real(0)))
                .orElse(power), "exp", p.span());
        Scalar sum = hoist(
                Reduction.Kind.SUM, p.indices(), Optional.empty(), kept, "sum", p.span());
        Scalar quotient = Scalar.apply(Operation.DIVIDE, kept, sum);
        return p.filter()
                .map(f -> Scalar.apply(Operation.SELECT, f, quotient, Scalar.real(0)))
                .orElse(quotient);
    }

    private Scalar loaded(Scalar scalar, Span span) {
        return scalar instanceof Scalar.Load ? scalar : hoist(scalar, "term", span);
    }

    /** Computes an expression once for every point of its own indices. */
    Scalar hoist(Scalar scalar, String name, Span span) {
        return hoist(Optional.empty(), List.of(), Optional.empty(), scalar, name, span);
    }

    Scalar hoist(
            Reduction.Kind kind,
            List<Index> reduced,
            Optional<Scalar> filter,
            Scalar term,
            String name,
            Span span) {
        return hoist(Optional.of(kind), reduced, filter, term, name, span);
    }

    /**
     * What is computed for itself is not evaluated where a condition around it keeps the expression
     * from being so: there it is 0, or the reduction of nothing, which nobody reads.
     */
    private Scalar hoist(
            Optional<Reduction.Kind> kind,
            List<Index> reduced,
            Optional<Scalar> own,
            Scalar expression,
            String name,
            Span span) {
        Optional<Scalar> guard = body.bounds.needed(
                Stream.concat(own.stream(), Stream.of(expression)).toList());
        // The place of the largest of nothing would be a fault.
        boolean needsOne = kind.equals(Optional.of(Reduction.Kind.ARGUMENT_MAXIMUM));
        boolean inside = guard.isPresent() && (kind.isEmpty() || needsOne);
        Scalar term = inside ? Scalar.apply(Operation.SELECT, guard.get(), expression,
                Scalars.zero(expression.format())) : expression;
        Optional<Scalar> filter = guard.isEmpty() ? own
                : inside ? own.map(f -> Scalar.apply(Operation.SELECT, guard.get(), f,
                        Scalar.truth(true)))
                : own.map(f -> Scalar.apply(Operation.AND, guard.get(), f)).or(() -> guard);
        Set<Index> used = new LinkedHashSet<>(Scalars.indices(term));
        filter.ifPresent(f -> used.addAll(Scalars.indices(f)));
        reduced.forEach(i -> addBounds(i, used));
        for (Index index : List.copyOf(used)) {
            addBounds(index, used);
        }
        List<Index> free = new ArrayList<>(used);
        free.removeAll(reduced);
        free.sort(Comparator.comparingInt(Index::id));
        Map<Index, Scalar> renamed = new HashMap<>();
        List<Index> fresh = new ArrayList<>();
        for (Index index : free) {
            body.sizes.extent(index, span);
            fresh.add(copy(index, renamed));
        }
        List<Index> over = reduced.stream().map(i -> copy(i, renamed)).toList();
        Optional<Reduction> reduction = kind.map(k -> new Reduction(k,
                over.stream().map(body::axis).toList(),
                filter.map(f -> Scalars.substitute(f, renamed))));
        Value result = body.compute(
                name, fresh, reduction, Scalars.substitute(term, renamed), span);
        return Scalar.load(result, free.stream().map(Scalar::variable).toList());
    }

    private void addBounds(Index index, Set<Index> used) {
        Set<Index> inBounds = new LinkedHashSet<>(Scalars.indices(body.axis(index).lower()));
        inBounds.addAll(Scalars.indices(body.axis(index).upper()));
        for (Index other : inBounds) {
            if (used.add(other)) {
                addBounds(other, used);
            }
        }
    }

    private Index copy(Index index, Map<Index, Scalar> renamed) {
        Axis axis = body.axis(index);
        Index fresh = body.index(index.name(), Scalars.substitute(axis.lower(), renamed),
                Scalars.substitute(axis.upper(), renamed), body.extent(index));
        renamed.put(index, Scalar.variable(fresh));
        return fresh;
    }

    /** {@code softmax(x)} and the like: over the last axis of a whole tensor. */
    Meaning overLastAxis(Reducer reducer, Meaning.Tensor tensor, Span span) {
        if (tensor.rank() == 0) {
            throw body.fail("E0303", span, "`" + reducer.word() + "` needs an axis");
        }
        Meaning.Tensor operand = body.operations.readable(tensor, span);
        List<Index> indices = new ArrayList<>();
        for (Dimension d : operand.shape()) {
            indices.add(body.index("i" + indices.size(), d));
        }
        Scalar term = operand.reader().at(indices.stream().map(Scalar::variable).toList());
        boolean real = reducer == Reducer.MEAN || reducer == Reducer.LOGSUMEXP
                || reducer == Reducer.SOFTMAX;
        Scalar result = combine(new Parts(reducer, List.of(indices.getLast()), Optional.empty(),
                real ? Scalars.convert(term, Format.F32) : term, span));
        List<Index> kept = reducer.keepsIndex()
                ? indices : indices.subList(0, indices.size() - 1);
        List<Dimension> shape = operand.shape().subList(0, kept.size());
        boolean whole = result instanceof Scalar.Load l
                && l.coordinates().equals(kept.stream().map(Scalar::variable).toList());
        Value value = whole ? ((Scalar.Load) result).source()
                : body.compute(reducer.word(), kept, Optional.empty(), result, span);
        return body.stored(value, shape, span);
    }

    /** Emits a reduction directly as an equation's compute. */
    Value direct(String name, List<Index> left, Parts p) {
        Reduction reduction = new Reduction(kind(p.reducer()).orElseThrow(),
                p.indices().stream().map(body::axis).toList(), p.filter());
        return body.compute(name, left, Optional.of(reduction), p.body(), p.span());
    }
}
