package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Lowers statements: equations, assignments of whole tensors, appends. */
final class Statements {
    /** What a result was declared as. */
    record Declared(List<Dimension> shape, Format format, Span span) {}

    private final Body body;
    private final Map<String, Declared> results = new HashMap<>();

    Statements(Body body) {
        this.body = body;
    }

    void declare(String name, Declared declared) {
        results.put(name, declared);
    }

    Optional<Declared> declared(String name) {
        return Optional.ofNullable(results.get(name)).map(d ->
                new Declared(body.control.entering(d.shape()), d.format(), d.span()));
    }

    /** Lowers statements in order; a fault in one leaves its targets unknown and goes on. */
    void all(List<Statement> statements, Scope scope) {
        for (int i = 0; i < statements.size(); i++) {
            Statement statement = statements.get(i);
            one(statement, scope);
            boolean last = i == statements.size() - 1;
            if (Trees.breaks(statement) && !last && body.control.isInLoop()) {
                body.control.whileActive(statements.subList(i + 1, statements.size()), scope);
                return;
            }
        }
    }

    private void one(Statement statement, Scope scope) {
        int depth = body.regionDepth();
        int guards = body.bounds.depth();
        try {
            switch (statement) {
                case Statement.Assign a -> assign(a, scope);
                case Statement.If i -> body.control.branch(i, scope);
                case Statement.For f -> body.control.loop(f, scope);
                case Statement.Break b -> body.control.leave(b, scope);
                case Statement.Scan s -> body.scans.scan(s, scope);
                case Statement.While w -> body.control.whileLoop(w, scope);
                case Statement.Leaving l -> throw body.session.fail(Diagnostic.error("E0906",
                                l.span(), "`leaving` stands outside the body of a loop")
                        .helped("put it into the loop that the elements leave, not into an `if` "
                                + "or a loop inside it"));
            }
        } catch (Failure reported) {
            body.bounds.closeTo(guards);
            body.closeTo(depth);
            Set<String> names = new HashSet<>();
            Trees.assigned(List.of(statement), names);
            names.forEach(n -> poison(n, scope));
        }
    }

    private static void poison(String name, Scope scope) {
        boolean isState = scope.find(name)
                .filter(m -> m instanceof Meaning.StateReference).isPresent();
        if (!isState) {
            scope.define(name, new Meaning.Poison());
        }
    }

    /** The results of a method that is one expression. */
    void results(Declaration.Signature signature, Expression e, Scope scope) {
        List<Statement.Target> targets = signature.results().stream()
                .map(r -> new Statement.Target(r.name(), Optional.empty(), r.span())).toList();
        one(new Statement.Assign(targets, Statement.Operator.SET, e, e.span()), scope);
    }

    private void assign(Statement.Assign a, Scope scope) {
        for (Statement.Target target : a.targets()) {
            checkAssignable(target, scope);
        }
        if (a.targets().size() > 1) {
            several(a, scope);
            return;
        }
        Statement.Target target = a.targets().getFirst();
        if (a.operator() == Statement.Operator.APPEND) {
            append(target, a, scope);
        } else if (target.subscripts().isPresent()) {
            equation(target, a, scope);
        } else {
            bind(target, whole(target.name(), combined(a, target), scope), scope, a.span());
        }
    }

    private void checkAssignable(Statement.Target target, Scope scope) {
        Optional<Meaning> meaning = scope.find(target.name());
        Optional<Span> taken = meaning.flatMap(m -> switch (m) {
            case Meaning.ParameterReference p -> Optional.of(p.declaration().span());
            case Meaning.Blocks b -> Optional.of(b.span());
            case Meaning.IndexVariable i -> Optional.of(i.span());
            default -> Optional.empty();
        });
        if (taken.isPresent()) {
            throw body.session.fail(Diagnostic.error("E0208", target.span(),
                            "`" + target.name() + "` cannot be assigned")
                    .with(taken.get(), "it is declared here"));
        }
    }

    private void several(Statement.Assign a, Scope scope) {
        Meaning meaning = body.evaluator.evaluate(a.value(), scope, false);
        if (meaning instanceof Meaning.Unknown) {
            a.targets().forEach(t -> scope.define(t.name(), meaning));
            return;
        }
        if (!(meaning instanceof Meaning.Several s) || s.items().size() != a.targets().size()) {
            int found = meaning instanceof Meaning.Several s ? s.items().size() : 1;
            throw body.session.fail(Diagnostic.error("E0205", a.span(),
                            a.targets().size() + " names on the left, "
                                    + (found == 1 ? "one value" : found + " values")
                                    + " on the right"));
        }
        for (int i = 0; i < s.items().size(); i++) {
            bind(a.targets().get(i), s.items().get(i), scope, a.span());
        }
    }

    /** {@code x += y} is {@code x = x + y}. */
    private Expression combined(Statement.Assign a, Statement.Target target) {
        Expression old = target.subscripts().isPresent()
                ? new Expression.Access(new Expression.Name(target.name(), target.span()),
                        target.subscripts().get(), Optional.empty(), target.span())
                : new Expression.Name(target.name(), target.span());
        return switch (a.operator()) {
            case SET, APPEND -> a.value();
            case ADD -> new Expression.Binary(
                    Expression.BinaryOperator.ADD, old, a.value(), a.span());
            case MULTIPLY -> new Expression.Binary(
                    Expression.BinaryOperator.MULTIPLY, old, a.value(), a.span());
            case MAXIMUM -> call("max", old, a);
            case MINIMUM -> call("min", old, a);
        };
    }

    private static Expression call(String name, Expression old, Statement.Assign a) {
        return new Expression.Call(new Expression.Name(name, a.span()),
                List.of(new Expression.Argument(Optional.empty(), old),
                        new Expression.Argument(Optional.empty(), a.value())),
                Optional.empty(), a.span());
    }

    private Meaning whole(String name, Expression e, Scope scope) {
        if (e instanceof Expression.Binary b
                && b.operator() == Expression.BinaryOperator.CONTRACT) {
            Meaning.Tensor left = body.evaluator.tensor(
                    body.evaluator.evaluate(b.left(), scope, false), b.left().span());
            Meaning.Tensor right = body.evaluator.tensor(
                    body.evaluator.evaluate(b.right(), scope, false), b.right().span());
            return body.operations.contract(b, left, right, name);
        }
        return body.evaluator.settle(body.evaluator.evaluate(e, scope, false), e.span());
    }

    /** Gives a name a meaning: what is not a constant of compilation is computed here. */
    private void bind(Statement.Target target, Meaning meaning, Scope scope, Span span) {
        String name = target.name();
        Optional<Meaning> before = scope.find(name);
        boolean isState = before.filter(m -> m instanceof Meaning.StateReference).isPresent();
        boolean constant = !isState && !results.containsKey(name)
                && before.filter(m -> m instanceof Meaning.Tensor).isEmpty();
        switch (meaning) {
            case Meaning.Whole w when constant -> scope.define(name, w);
            case Meaning.Real r when constant -> scope.define(name, r);
            case Meaning.Truth t when constant -> scope.define(name, t);
            case Meaning.Unknown u -> scope.define(name, u);
            case Meaning.Text t -> scope.define(name, t);
            case Meaning.Closure c -> scope.define(name, c);
            case Meaning.FunctionReference f -> scope.define(name, f);
            case Meaning.AbstractFunction f -> scope.define(name, f);
            case Meaning.Several s -> throw body.fail("E0205", span,
                    "one name on the left, " + s.items().size() + " values on the right");
            default -> {
                Meaning.Tensor tensor = named(name, meaning, span);
                store(target, tensor, scope, span);
            }
        }
    }

    private Meaning.Tensor named(String name, Meaning meaning, Span span) {
        Meaning.Tensor tensor = body.evaluator.tensor(meaning, span);
        Optional<Format> declared = declared(name).map(Declared::format);
        if (declared.filter(f -> f.isFloat() && tensor.format().isInteger()).isPresent()) {
            Meaning.Tensor converted = new Meaning.Tensor(tensor.shape(), declared.get(),
                    at -> Scalars.convert(tensor.reader().at(at), declared.get()),
                    Optional.empty(), span);
            return rounded(name, body.stored(
                    body.materialise(converted, name, span), tensor.shape(), span), span);
        }
        Value value = body.materialise(tensor, name, span);
        return rounded(name, body.stored(value, tensor.shape(), span), span);
    }

    /** Activations of a narrower format are rounded where they get a name. */
    private Meaning.Tensor rounded(String name, Meaning.Tensor tensor, Span span) {
        Optional<Format> format = body.frame.precision().activations()
                .filter(f -> tensor.format() == Format.F32);
        if (format.isEmpty()) {
            return tensor;
        }
        Meaning.Tensor narrow = new Meaning.Tensor(tensor.shape(), tensor.format(),
                at -> new Scalar.Round(format.get(), tensor.reader().at(at)), Optional.empty(),
                span);
        return body.stored(body.materialise(narrow, name, span), tensor.shape(), span);
    }

    private void store(
            Statement.Target target, Meaning.Tensor tensor, Scope scope, Span span) {
        Optional<Meaning> before = scope.find(target.name());
        if (before.orElse(null) instanceof Meaning.StateReference s) {
            write(s.declaration(), tensor, span);
            return;
        }
        declared(target.name()).ifPresent(d -> checkDeclared(target.name(), d, tensor, span));
        scope.define(target.name(), new Meaning.Tensor(tensor.shape(), tensor.format(),
                tensor.reader(), tensor.value(), target.span()));
        boolean isJagged = tensor.shape().stream().anyMatch(d -> d.jagged().isPresent());
        if (!isJagged) {
            body.trace(target.name(), tensor.value().orElseThrow());
        }
    }

    void checkDeclared(String name, Declared declared, Meaning.Tensor found, Span span) {
        boolean fits = declared.shape().size() == found.rank();
        for (int i = 0; fits && i < found.rank(); i++) {
            fits = !declared.shape().get(i).differs(found.shape().get(i));
        }
        if (!fits) {
            throw body.session.fail(Diagnostic.error("E0304", span,
                            "`" + name + "` is declared as " + Signatures.shape(declared.shape())
                                    + ", here it gets " + Signatures.shape(found.shape()))
                    .labelled("axes " + Signatures.shape(found.shape()))
                    .with(declared.span(), "declared here"));
        }
        boolean sameKind = Formats.describe(declared.format())
                .equals(Formats.describe(found.format()));
        if (!sameKind) {
            throw body.session.fail(Diagnostic.error("E0308", span,
                            "`" + name + "` is declared as " + Formats.describe(declared.format())
                                    + ", here it gets " + Formats.describe(found.format()))
                    .with(declared.span(), "declared here"));
        }
    }

    private void write(Declaration.State declared, Meaning.Tensor tensor, Span span) {
        if (body.frame.states().grows(declared)) {
            throw body.session.fail(Diagnostic.error("E0501", span,
                            "`" + declared.name() + "` grows; it cannot be replaced")
                    .with(declared.span(), "its first axis is what has been appended")
                    .helped("append to it: `" + declared.name() + " ++= …`"));
        }
        List<Dimension> shape = body.frame.states().shape(declared, body);
        checkDeclared(declared.name(), new Declared(
                shape, body.frame.states().format(declared, body), declared.span()), tensor, span);
        body.frame.states().write(declared, tensor, body, span);
    }

    private void append(Statement.Target target, Statement.Assign a, Scope scope) {
        Meaning meaning = scope.find(target.name()).orElse(null);
        Meaning known = body.frame.scope().find(target.name()).orElse(null);
        if (!(known instanceof Meaning.StateReference s)
                || !body.frame.states().grows(s.declaration())) {
            Diagnostic wrong = Diagnostic.error("E0501", target.span(),
                    "`" + target.name() + "` does not grow");
            throw body.session.fail((known instanceof Meaning.StateReference s
                    ? wrong.with(s.declaration().span(), "its size is fixed")
                    : meaning == null ? wrong : wrong.labelled("not a state"))
                    .helped("declare a state whose first axis has a name of its own: `state "
                            + target.name() + "[S, …]`"));
        }
        Declaration.State declared = s.declaration();
        Meaning.Tensor rows = named(target.name(), whole(target.name(), a.value(), scope),
                a.value().span());
        if (rows.rank() == body.frame.states().shape(declared, body).size()) {
            body.hasAppended(target.name(), rows.shape().getFirst());
        }
        List<Dimension> shape = body.frame.states().shape(declared, body);
        if (rows.rank() != shape.size()) {
            throw body.session.fail(Diagnostic.error("E0303", a.value().span(),
                            "rows of `" + target.name() + "` have "
                                    + Evaluator.axes(shape.size()) + ", here "
                                    + (rows.rank() == 1 ? "is " : "are ")
                                    + Evaluator.axes(rows.rank()))
                    .with(declared.span(), "declared here"));
        }
        List<Dimension> wanted = new ArrayList<>(shape);
        wanted.set(0, rows.shape().getFirst());
        checkDeclared(target.name(), new Declared(
                wanted, body.frame.states().format(declared, body), declared.span()), rows,
                a.value().span());
        scope.define(target.name(),
                body.frame.states().append(declared, rows, body, a.span()));
    }

    private void equation(Statement.Target target, Statement.Assign a, Scope scope) {
        Scope inner = scope.inner();
        List<Expression.Subscript> subscripts = target.subscripts().orElseThrow();
        Optional<List<Dimension>> shape = targetShape(target, scope);
        if (shape.isPresent() && shape.get().size() != subscripts.size()) {
            throw body.session.fail(Diagnostic.error("E0303", target.span(),
                            "`" + target.name() + "` has " + Evaluator.axes(shape.get().size())
                                    + ", here are " + subscripts.size() + " subscripts")
                    .labelled("its axes are " + Signatures.shape(shape.get()))
                    .with(declared(target.name()).map(Declared::span).orElse(target.span()),
                            "declared here"));
        }
        List<Expression> places = new ArrayList<>(List.of(a.value()));
        subscripts.forEach(s -> s.range().ifPresent(r -> places.addAll(
                List.of(r.from(), r.to()))));
        Set<String> seen = new HashSet<>();
        List<Index> indices = new ArrayList<>();
        boolean bare = true;
        for (int i = 0; i < subscripts.size(); i++) {
            Expression at = subscripts.get(i).from();
            boolean isNew = at instanceof Expression.Name n && seen.add(n.name())
                    && isFree(n.name(), scope);
            bare &= isNew && subscripts.get(i).to().isEmpty();
            if (isNew) {
                int axis = i;
                List<IndexRanges.Use> known = shape.map(s -> List.of(new IndexRanges.Use(
                        s.get(axis), at.span(), target.span(),
                        "an axis of `" + target.name() + "`",
                        "axis " + axis + " of " + target.name(), false,
                        s.get(axis).jagged().map(j -> j.at(indices.stream()
                                .<Scalar>map(Scalar::variable).toList())))))
                        .orElse(List.of());
                Index index = body.ranges.introduce(((Expression.Name) at).name(), at.span(),
                        subscripts.get(i).range(), places, inner, known);
                subscripts.get(i).range().ifPresent(range -> body.evaluator.notNegative(
                        body.extent(index), range.to().span(), "a size"));
                indices.add(index);
            }
        }
        boolean changesPart = a.operator() != Statement.Operator.SET && shape.isPresent()
                && subscripts.stream().anyMatch(s -> s.range().isPresent());
        if (!bare || changesPart) {
            scatter(target, a, scope, inner, shape);
            return;
        }
        beginsAtZero(target, subscripts, indices);
        store(target, defined(target.name(), combined(a, target), indices, inner, a.span()),
                scope, a.span());
    }

    /** A value is defined along its whole axes: below the range there would be nothing. */
    private void beginsAtZero(
            Statement.Target target, List<Expression.Subscript> subscripts, List<Index> indices) {
        for (int i = 0; i < subscripts.size(); i++) {
            Expression.Subscript subscript = subscripts.get(i);
            if (subscript.range().isPresent()
                    && !body.axis(indices.get(i)).lower().equals(Scalar.whole(0))) {
                String index = subscript.from().span().text();
                String from = subscript.range().get().from().span().text();
                throw body.session.fail(Diagnostic.error("E0315",
                                subscript.range().get().span(),
                                "axis " + i + " of `" + target.name()
                                        + "` has to begin at 0, here it begins at `" + from + "`")
                        .labelled("nothing says what `" + target.name() + "` is below `" + from
                                + "`")
                        .helped("count from 0, and read at `" + index + " + " + from
                                + "`; to change a part of what is there, put `" + index + " + "
                                + from + "` on the left side"));
            }
        }
    }

    /** A name that is not a value is a new index; one that is must not be hidden. */
    private boolean isFree(String name, Scope scope) {
        Meaning meaning = scope.find(name).orElse(null);
        boolean isCoordinate = meaning instanceof Meaning.IndexVariable
                || meaning instanceof Meaning.Whole || meaning instanceof Meaning.Tensor t
                        && t.rank() == 0 && t.value().filter(v -> body.places.containsKey(v)
                                || body.loops.stream().anyMatch(l -> l.index().equals(v)))
                                .isPresent();
        return !isCoordinate;
    }

    private Meaning.Tensor defined(
            String name, Expression e, List<Index> indices, Scope inner, Span span) {
        List<Dimension> shape = body.sizes.shape(indices, name, span);
        if (e instanceof Expression.Reduction r && Reductions.kind(r.reducer()).isPresent()
                && body.routes.pattern(r).isEmpty()) {
            Value value = body.reductions.direct(name, indices, body.reductions.parts(r, inner));
            Meaning.Tensor tensor = body.stored(value, shape, span);
            boolean isJagged = shape.stream().anyMatch(d -> d.jagged().isPresent());
            return isJagged ? rounded(name, tensor, span) : named(name, tensor, span);
        }
        Scalar scalar = body.evaluator.scalar(
                body.evaluator.evaluate(e, inner, true), e.span());
        Optional<Format> wanted = declared(name).map(Declared::format);
        if (wanted.filter(Format::isFloat).isPresent() && scalar.format().isInteger()) {
            scalar = Scalars.convert(scalar, Format.F32);
        }
        Value value = body.compute(name, indices, Optional.empty(), scalar, span);
        return rounded(name, body.stored(value, shape, span), span);
    }

    /** The axes that a target has already, or is declared to get. */
    Optional<List<Dimension>> targetShape(Statement.Target target, Scope scope) {
        Meaning meaning = scope.find(target.name()).orElse(null);
        if (meaning instanceof Meaning.StateReference s) {
            return Optional.of(body.frame.states().shape(s.declaration(), body));
        }
        return declared(target.name()).map(Declared::shape)
                .or(() -> meaning instanceof Meaning.Tensor t
                        ? Optional.of(t.shape()) : Optional.empty());
    }

    /** {@code y[target[e], o] += m[e, o]}: the left side is indexed by data. */
    private void scatter(
            Statement.Target target,
            Statement.Assign a,
            Scope scope,
            Scope inner,
            Optional<List<Dimension>> shape) {
        List<Dimension> size = shape.orElseGet(() -> shapeOfCoordinates(target, inner));
        List<Expression> places = new ArrayList<>(List.of(a.value()));
        target.subscripts().orElseThrow().forEach(s -> places.add(s.from()));
        List<Index> indices = new ArrayList<>();
        for (Expression.Subscript s : target.subscripts().orElseThrow()) {
            Set<String> names = new HashSet<>();
            Trees.names(s.from(), names);
            for (String name : names) {
                if (inner.find(name).isEmpty() && inner.module().find(name).isEmpty()
                        && !Operations.isBuiltin(name)) {
                    body.ranges.introduce(
                            name, s.from().span(), Optional.empty(), places, inner);
                }
            }
        }
        inner.own().values().forEach(m -> {
            if (m instanceof Meaning.IndexVariable v) {
                indices.add(v.index());
            }
        });
        List<Scalar> coordinates = new ArrayList<>();
        boolean checked = false;
        for (int i = 0; i < size.size(); i++) {
            Expression at = target.subscripts().orElseThrow().get(i).from();
            Scalar coordinate = body.evaluator.scalar(
                    body.evaluator.evaluate(at, inner, true), at.span());
            boolean open = body.accesses.checkInside(coordinate, size.get(i), at.span(),
                    target.span(), "`" + target.name() + "`", false) != Bounds.Verdict.PROVED
                    || body.bounds.dependsOnData(coordinate);
            checked |= open;
            coordinates.add(open
                    ? Accesses.within(coordinate, size.get(i), i, target.name()) : coordinate);
        }
        Scalar term = body.evaluator.scalar(
                body.evaluator.evaluate(a.value(), inner, true), a.value().span());
        Format format = declared(target.name()).map(Declared::format).orElse(term.format());
        term = Scalars.convert(term, format);
        Optional<Reduction.Kind> combine = switch (a.operator()) {
            case SET, APPEND -> Optional.empty();
            case ADD -> Optional.of(Reduction.Kind.SUM);
            case MULTIPLY -> Optional.of(Reduction.Kind.PRODUCT);
            case MAXIMUM -> Optional.of(Reduction.Kind.MAXIMUM);
            case MINIMUM -> Optional.of(Reduction.Kind.MINIMUM);
        };
        Meaning before = scope.find(target.name()).orElse(null);
        Scalar start = combine.map(k -> k.identity(format)).orElseGet(() -> Scalars.zero(format));
        Value base = switch (before) {
            case Meaning.Tensor t -> body.materialise(
                    body.sizes.whole(t, target.span()), target.name(), target.span());
            case Meaning.StateReference s -> body.materialise((Meaning.Tensor)
                    body.evaluator.evaluate(new Expression.Name(target.name(), target.span()),
                            scope, false), target.name(), target.span());
            case null, default -> body.constant(target.name(), start, size, target.span());
        };
        Value result = body.newValue(target.name(), format, size);
        List<Axis> axes = indices.stream().map(body::axis).toList();
        body.emit(new Node.Scatter(
                result, base, axes, coordinates, combine, checked, term, a.span()));
        store(target, body.stored(result, size, a.span()), scope, a.span());
    }

    private List<Dimension> shapeOfCoordinates(Statement.Target target, Scope inner) {
        List<Dimension> shape = new ArrayList<>();
        for (Expression.Subscript s : target.subscripts().orElseThrow()) {
            Meaning meaning = s.from() instanceof Expression.Name n
                    ? inner.find(n.name()).orElse(null) : null;
            Optional<Dimension> scanned = meaning instanceof Meaning.Tensor t
                    ? t.value().map(body.places::get) : Optional.empty();
            if (scanned.isPresent()) {
                shape.add(scanned.get());
                continue;
            }
            if (!(meaning instanceof Meaning.IndexVariable v)) {
                throw body.session.fail(Diagnostic.error("E0302", s.from().span(),
                                "nothing says how large this axis of `" + target.name() + "` is")
                        .helped("declare `" + target.name() + "` as a result, or assign it as a "
                                + "whole before"));
            }
            shape.add(body.extent(v.index()));
        }
        return shape;
    }
}
