package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Lowers what stands before brackets: elements of tensors with their bounds, parts of them, blocks
 * of a list, items of the configuration.
 */
final class Accesses {
    private final Body body;
    private final Evaluator evaluator;
    /** Tensors that an equation subscripts, such as {@code norm(x)}: computed once. */
    private final Map<Expression, Meaning> bases = new IdentityHashMap<>();

    Accesses(Body body) {
        this.body = body;
        this.evaluator = body.evaluator;
    }

    /** The tensor or block list that an access subscripts, evaluated once. */
    Meaning base(Expression e, Scope scope) {
        if (e instanceof Expression.Name) {
            return evaluator.evaluate(e, scope, false);
        }
        Meaning known = bases.get(e);
        if (known == null) {
            known = evaluator.evaluate(e, scope, false);
            if (known instanceof Meaning.Tensor t && t.value().isEmpty() && isOfItself(t)) {
                Value value = body.materialise(t, "operand", e.span());
                known = body.stored(value, t.shape(), e.span());
            }
            if (!(known instanceof Meaning.Tensor t) || t.value().isPresent()) {
                bases.put(e, known);
            }
        }
        return known;
    }

    private Meaning value(Expression e, Scope scope) {
        return evaluator.settle(evaluator.evaluate(e, scope, true), e.span());
    }

    /** Whether elements of a tensor are computed, of no index but those of its own axes. */
    private boolean isOfItself(Meaning.Tensor tensor) {
        List<Index> own = tensor.shape().stream().map(d -> body.index("i", d)).toList();
        Scalar element = tensor.reader().at(own.stream().map(Scalar::variable).toList());
        return !body.session.isRead(element) && own.containsAll(Scalars.indices(element));
    }

    Meaning access(Expression.Access a, Scope scope, boolean element) {
        Meaning base = base(a.base(), scope);
        return switch (base) {
            case Meaning.Blocks blocks -> chosen(a, blocks, scope);
            case Meaning.ConfigurationField field when !field.isCount() -> item(a, field, scope);
            case Meaning.Tensor tensor -> read(a, tensor, scope, element);
            case Meaning.Unknown u -> u;
            default -> throw body.session.fail(Diagnostic.error("E0303", a.span(),
                            "`" + a.base().span().text() + "` has no axes to subscript"));
        };
    }

    /** An item of a list in the configuration, at a place that is known at compile time. */
    private Meaning item(Expression.Access a, Meaning.ConfigurationField field, Scope scope) {
        if (a.subscripts().size() != 1 || a.fallback().isPresent()) {
            throw body.session.fail(Diagnostic.error("E0303", a.span(),
                            "a list of the configuration has one axis")
                    .helped("give a fallback in parentheses: `(" + a.base().span().text()
                            + "[…]) or 0`"));
        }
        Expression at = a.subscripts().getFirst().from();
        Meaning place = evaluator.constant(at, scope);
        boolean open = body.session.isChecking() && place instanceof Meaning.Whole size
                && size.dimension().size().constant().isEmpty();
        if (open || place instanceof Meaning.Unknown) {
            return new Meaning.Unknown();
        }
        if (!(place instanceof Meaning.Whole w) || w.dimension().size().constant().isEmpty()) {
            throw evaluator.notConstant(at);
        }
        return new Meaning.ConfigurationField(
                field.path() + "." + w.dimension().size().constant().get());
    }

    private Meaning chosen(Expression.Access a, Meaning.Blocks blocks, Scope scope) {
        if (a.subscripts().size() != 1 || !blocks.isList()) {
            throw body.session.fail(Diagnostic.error("E0303", a.span(), blocks.isList()
                            ? "a block list has one axis" : "`" + blocks.name()
                                    + "` is one block, not a list")
                    .with(blocks.span(), "declared here"));
        }
        Expression at = a.subscripts().getFirst().from();
        Meaning index = value(at, scope);
        if (!(index instanceof Meaning.Unknown)) {
            Scalar place = evaluator.scalar(index, at.span());
            checkInside(place, blocks.count(), at.span(), blocks.span(),
                    "`" + blocks.name() + "`", false);
        }
        return new Meaning.Chosen(blocks, index, a.span());
    }

    private Meaning read(
            Expression.Access a, Meaning.Tensor tensor, Scope scope, boolean element) {
        if (a.subscripts().size() > tensor.rank()
                || element && a.subscripts().size() < tensor.rank()) {
            throw body.session.fail(Diagnostic.error("E0303", a.span(),
                            "`" + a.base().span().text() + "` has " + Evaluator.axes(tensor.rank())
                                    + (a.subscripts().size() == 1 ? ", here is 1 subscript"
                                            : ", here are " + a.subscripts().size()
                                                    + " subscripts"))
                    .labelled("its axes are " + Signatures.shape(tensor.shape()))
                    .with(tensor.span(), "this is where it comes from"));
        }
        for (Expression.Subscript s : a.subscripts()) {
            if (s.range().isPresent()) {
                throw body.session.fail(Diagnostic.error("E0302", s.from().span(),
                                "a range is stated where the index is introduced, not where it is "
                                        + "used")
                        .helped("state it on the left side or in the reduction's brackets"));
            }
        }
        if (a.subscripts().stream().anyMatch(s -> s.to().isPresent())) {
            return view(a, tensor, scope);
        }
        List<Scalar> coordinates = new ArrayList<>();
        boolean data = false;
        for (int i = 0; i < a.subscripts().size(); i++) {
            Expression at = a.subscripts().get(i).from();
            Scalar coordinate = evaluator.scalar(value(at, scope), at.span());
            if (!coordinate.format().isInteger()) {
                throw body.session.fail(Diagnostic.error("E0306", at.span(),
                                "a subscript is a whole number, here is a "
                                        + Formats.describe(coordinate.format()))
                        .helped("convert it with `int(…)`, which rounds towards zero"));
            }
            if (a.fallback().isPresent()) {
                coordinates.add(coordinate);
                continue;
            }
            Dimension axis = tensor.shape().get(i);
            Scalar length = axis.jagged().map(j -> j.at(coordinates))
                    .orElseGet(() -> Scalar.extent(axis.size()));
            Bounds.Verdict verdict = checkInside(coordinate, length, axis, at.span(),
                    tensor.span(), "`" + a.base().span().text() + "`", true);
            boolean atRunTime = body.bounds.dependsOnData(coordinate)
                    || (verdict == Bounds.Verdict.UNLESS_EMPTY || verdict == Bounds.Verdict.OPEN)
                            && !body.session.isChecking();
            data |= atRunTime;
            coordinates.add(atRunTime
                    ? within(coordinate, length, i, a.base().span().text())
                    : verdict == Bounds.Verdict.GUARDED ? Scalars.guarded(coordinate) : coordinate);
        }
        if (coordinates.size() < tensor.rank()) {
            return part(a, tensor, coordinates, data);
        }
        Scalar load = tensor.reader().at(coordinates);
        if (a.fallback().isPresent()) {
            return orElse(a, load, tensor, coordinates, scope);
        }
        return new Meaning.Element(data
                ? loaded(load, Scalar.Bounds.CHECKED, Optional.empty(), tensor, coordinates,
                        a.span())
                : load);
    }

    /** Whether a place lies in what is in use of a tensor's jagged axes, if it has some. */
    private static Optional<Scalar> inUse(Meaning.Tensor tensor, List<Scalar> coordinates) {
        Optional<Scalar> all = Optional.empty();
        for (int i = 0; i < tensor.rank(); i++) {
            Scalar at = coordinates.get(i);
            Optional<Scalar> one = tensor.shape().get(i).jagged().map(jagged ->
                    Scalar.apply(Operation.LESS, at, orNone(jagged.at(coordinates))));
            all = all.isEmpty() ? one : one.isEmpty() ? all
                    : Optional.of(Scalar.apply(Operation.AND, all.get(), one.get()));
        }
        return all;
    }

    /** A length that is read where there may be no element: none is in use there. */
    private static Scalar orNone(Scalar length) {
        Scalar mapped = Walk.map(length, Accesses::orNone);
        return mapped instanceof Scalar.Load l
                ? new Scalar.Load(l.source(), l.coordinates(), Scalar.Bounds.GUARDED,
                        Optional.of(Scalar.whole(0)))
                : mapped;
    }

    /** An element of a tensor, or what the access says where there is none. */
    private Meaning orElse(
            Expression.Access a, Scalar load, Meaning.Tensor tensor, List<Scalar> coordinates,
            Scope scope) {
        Expression.Fallback fallback = a.fallback().orElseThrow();
        Optional<Scalar> inUse = inUse(tensor, coordinates);
        if (fallback.value().isEmpty()) {
            Scalar exists = exists(a.base().span().text(), tensor, coordinates, a.span());
            body.reductions.skipUnless(
                    inUse.map(used -> Scalar.apply(Operation.AND, exists, used)).orElse(exists),
                    fallback.span());
            return new Meaning.Element(loaded(load, Scalar.Bounds.GUARDED,
                    Optional.of(Scalars.zero(load.format())), tensor, coordinates, a.span()));
        }
        Scalar otherwise = Scalars.convert(evaluator.scalar(
                evaluator.evaluate(fallback.value().get(), scope, true), a.span()),
                load.format());
        if (inUse.isEmpty() && isInside(tensor, coordinates)) {
            return new Meaning.Element(load);
        }
        Scalar guarded = loaded(load, Scalar.Bounds.GUARDED, Optional.of(otherwise), tensor,
                coordinates, a.span());
        return new Meaning.Element(inUse.map(used ->
                Scalar.apply(Operation.SELECT, used, guarded, otherwise)).orElse(guarded));
    }

    private boolean isInside(Meaning.Tensor tensor, List<Scalar> coordinates) {
        return IntStream.range(0, coordinates.size()).allMatch(i -> body.bounds.inside(
                coordinates.get(i), tensor.shape().get(i).size()) == Bounds.Verdict.PROVED);
    }

    /**
     * Whether a tensor has an element: what a vector of truths along each axis that can be left has
     * there, or false. It is read as the tensor itself is, also where a stream is cut.
     */
    private Scalar exists(
            String name, Meaning.Tensor tensor, List<Scalar> coordinates, Span span) {
        Scalar all = Scalar.truth(true);
        for (int i = 0; i < coordinates.size(); i++) {
            Dimension axis = tensor.shape().get(i);
            if (body.bounds.inside(coordinates.get(i), axis.size()) == Bounds.Verdict.PROVED) {
                continue;
            }
            Value truths = body.constant(name, Scalar.truth(true), List.of(axis), span);
            Scalar one = new Scalar.Load(truths, List.of(coordinates.get(i)),
                    Scalar.Bounds.GUARDED, Optional.of(Scalar.truth(false)));
            all = all.equals(Scalar.truth(true)) ? one : Scalar.apply(Operation.AND, all, one);
        }
        return all;
    }

    /** What a tensor has at the first coordinates. */
    private Meaning part(
            Expression.Access a, Meaning.Tensor tensor, List<Scalar> coordinates, boolean data) {
        List<Dimension> rest = tensor.shape().subList(coordinates.size(), tensor.rank()).stream()
                .map(d -> d.jagged().isEmpty() ? d : new Dimension(d.size(), d.named(),
                        d.jagged().map(j -> j.behind(coordinates)))).toList();
        return new Meaning.Tensor(rest, tensor.format(), more -> {
            List<Scalar> all = new ArrayList<>(coordinates);
            all.addAll(more);
            Scalar load = tensor.reader().at(all);
            return data ? loaded(load, Scalar.Bounds.CHECKED, Optional.empty(), tensor, all,
                    a.span()) : load;
        }, Optional.empty(), a.span());
    }

    /** A coordinate that is checked when the program runs. */
    static Scalar within(Scalar coordinate, Dimension extent, int axis, String tensor) {
        return within(coordinate, Scalar.extent(extent.size()), axis, tensor);
    }

    private static Scalar within(Scalar coordinate, Scalar length, int axis, String tensor) {
        return Scalar.within(Scalars.convert(coordinate, Format.I64), length,
                "axis " + axis + " of " + tensor);
    }

    private Scalar loaded(
            Scalar load,
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise,
            Meaning.Tensor tensor,
            List<Scalar> coordinates,
            Span span) {
        if (load instanceof Scalar.Load l) {
            return new Scalar.Load(l.source(), l.coordinates(), bounds, otherwise);
        }
        if (bounds == Scalar.Bounds.CHECKED && body.session.isRead(load)) {
            return checked(load);
        }
        return new Scalar.Load(
                body.materialise(tensor, "operand", span), coordinates, bounds, otherwise);
    }

    private static Scalar checked(Scalar scalar) {
        return scalar instanceof Scalar.Load load
                ? new Scalar.Load(load.source(), load.coordinates(), Scalar.Bounds.CHECKED,
                        Optional.empty())
                : Walk.map(scalar, Accesses::checked);
    }

    /** {@code w[2..n, k]}: parts of axes and single places, read where the tensor lies. */
    private Meaning view(Expression.Access a, Meaning.Tensor tensor, Scope scope) {
        List<Dimension> shape = new ArrayList<>();
        List<Scalar> starts = new ArrayList<>();
        List<Boolean> kept = new ArrayList<>();
        for (int i = 0; i < tensor.rank(); i++) {
            Dimension axis = tensor.shape().get(i);
            if (i >= a.subscripts().size()) {
                starts.add(Scalar.whole(0));
                shape.add(axis);
                kept.add(true);
                continue;
            }
            Expression.Subscript s = a.subscripts().get(i);
            Meaning from = value(s.from(), scope);
            Scalar start = evaluator.scalar(from, s.from().span());
            starts.add(start);
            kept.add(s.to().isPresent());
            if (s.to().isEmpty()) {
                checkInside(start, axis, s.from().span(), tensor.span(),
                        "`" + a.base().span().text() + "`", false);
                continue;
            }
            Meaning to = value(s.to().get(), scope);
            if (from instanceof Meaning.Whole f && to instanceof Meaning.Whole t) {
                Dimension size = t.dimension().minus(f.dimension());
                shape.add(evaluator.notNegative(size, a.span(), "a part of an axis"));
                String what = "`" + a.base().span().text() + "`";
                checkEnd(start, axis, s.from().span(), tensor.span(), what);
                checkEnd(evaluator.scalar(to, a.span()), axis, s.to().get().span(),
                        tensor.span(), what);
            } else {
                String place = "axis " + i + " of " + a.base().span().text();
                starts.set(i, atRunTime(start, axis, RunTimeSizes.begin(place), a));
                Scalar end = atRunTime(
                        notNegative(evaluator.scalar(to, a.span())), axis,
                        RunTimeSizes.end(place), a);
                Scalar count = start.equals(Scalar.whole(0)) ? end
                        : Scalar.apply(Operation.SUBTRACT, end, starts.get(i));
                Dimension size = body.sizes.size(
                        count, Size.symbol(s.to().get().span().text().strip()),
                        List.of(new RunTimeSizes.Limit(axis.size(), place)), a.span());
                shape.add(size);
            }
        }
        return new Meaning.Tensor(shape, tensor.format(), at -> {
            List<Scalar> coordinates = new ArrayList<>();
            int next = 0;
            for (int i = 0; i < starts.size(); i++) {
                Scalar start = starts.get(i);
                coordinates.add(!kept.get(i) ? start
                        : start.equals(Scalar.whole(0)) ? at.get(next++)
                        : Scalar.apply(Operation.ADD, at.get(next++), start));
            }
            return tensor.reader().at(coordinates);
        }, Optional.empty(), a.span());
    }

    /** Where a view begins or ends, which a run checks. */
    private Scalar atRunTime(Scalar place, Dimension axis, String check, Expression.Access a) {
        return !body.bounds.dependsOnData(place) ? place : Scalar.load(body.scalarValue("end",
                Scalar.within(Scalars.convert(place, Format.I64),
                        Scalar.extent(axis.plus(Dimension.of(1)).size()), check),
                a.span()), List.of());
    }

    /** A view that ends below 0 has no elements. */
    private Scalar notNegative(Scalar end) {
        return body.bounds.dependsOnData(end)
                ? Scalar.apply(Operation.MAXIMUM, Scalars.convert(end, Format.I64),
                        Scalar.whole(0))
                : end;
    }

    Bounds.Verdict checkInside(
            Scalar coordinate,
            Dimension size,
            Span span,
            Span declared,
            String what,
            boolean mayFallBack) {
        return checkInside(coordinate, Scalar.extent(size.size()), size, span, declared, what,
                mayFallBack);
    }

    /** The end of a part of an axis, which may be the end of the axis. */
    private void checkEnd(Scalar end, Dimension axis, Span span, Span declared, String what) {
        Dimension more = axis.plus(Dimension.of(1));
        checkInside(end, Scalar.extent(more.size()), axis, more, span, declared, what, false);
    }

    /** @param length what is in use of the axis */
    private Bounds.Verdict checkInside(
            Scalar coordinate,
            Scalar length,
            Dimension size,
            Span span,
            Span declared,
            String what,
            boolean mayFallBack) {
        return checkInside(coordinate, length, size, size, span, declared, what, mayFallBack);
    }

    /**
     * @param length below which the coordinate has to lie
     * @param axis as it is declared
     * @param end the same as {@code length}, in the names of the source
     */
    private Bounds.Verdict checkInside(
            Scalar coordinate,
            Scalar length,
            Dimension axis,
            Dimension end,
            Span span,
            Span declared,
            String what,
            boolean mayFallBack) {
        if (body.bounds.dependsOnData(coordinate)) {
            return Bounds.Verdict.OPEN;
        }
        Bounds.Verdict verdict = body.bounds.inside(coordinate, length);
        boolean byData = body.bounds.hasRangesByData(coordinate)
                || body.bounds.dependsOnData(length);
        boolean isError = verdict == Bounds.Verdict.REFUTED
                || verdict == Bounds.Verdict.OPEN && !byData && !body.session.isChecking();
        if (isError) {
            String text = span.text();
            throw body.session.fail(Diagnostic.error("E0307", span,
                            "`" + text + "` can leave " + what)
                    .labelled(verdict == Bounds.Verdict.REFUTED
                            ? "outside 0.." + Polynomial.of(end.named()) + " for some indices"
                            : "cannot be shown to lie in 0.." + Polynomial.of(end.named()))
                    .with(declared, "this axis has size " + axis.describe())
                    .helped(mayFallBack
                            ? "say what is read there: `[…] or 0`, or narrow the index's range"
                            : "narrow the index's range"));
        }
        return verdict;
    }
}
