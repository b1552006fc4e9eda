package dev.weir.frontend.lower;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.frontend.resolve.Names;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what an expression means: a constant of compilation, one element, or a whole tensor.
 *
 * <p>Inside an equation ({@code element} is set) everything is one element; elsewhere operations
 * work on whole tensors.
 */
final class Evaluator {
    private final Body body;
    /** Tensors that an equation subscripts, such as {@code norm(x)}: computed once. */
    private final Map<Expression, Meaning> bases = new IdentityHashMap<>();

    Evaluator(Body body) {
        this.body = body;
    }

    /** A constant of compilation, a function or a template. */
    Meaning constant(Expression e, Scope scope) {
        Meaning meaning = settle(evaluate(e, scope, false), e.span());
        return switch (meaning) {
            case Meaning.Whole w -> w;
            case Meaning.Real r -> r;
            case Meaning.Truth t -> t;
            case Meaning.Text t -> t;
            case Meaning.Unknown u -> u;
            case Meaning.FunctionReference f -> f;
            case Meaning.Closure c -> c;
            case Meaning.AbstractFunction a -> a;
            case Meaning.Builtin b -> b;
            case Meaning.TemplateReference t -> t;
            case Meaning.Element el -> throw notConstant(e);
            case Meaning.Tensor t -> throw notConstant(e);
            case Meaning.IndexVariable i -> throw notConstant(e);
            case Meaning.StateReference s -> throw notConstant(e);
            case Meaning.ParameterReference p -> throw notConstant(e);
            case Meaning.Blocks b -> throw notConstant(e);
            case Meaning.Chosen c -> throw notConstant(e);
            case Meaning.Method m -> throw notConstant(e);
            case Meaning.Several s -> throw notConstant(e);
            case Meaning.Poison p -> throw new Failure();
            case Meaning.ConfigurationField c -> throw new Failure();
        };
    }

    private Failure notConstant(Expression e) {
        return body.fail("E0208", e.span(),
                "this must be known when the model is compiled, but it depends on data");
    }

    Dimension dimension(Expression e, Scope scope) {
        Meaning meaning = constant(e, scope);
        return switch (meaning) {
            case Meaning.Whole w -> w.dimension();
            case Meaning.Unknown u -> Dimension.symbol("?." + e.span().text());
            default -> throw body.session.fail(Diagnostic.error("E0208", e.span(),
                            "`" + e.span().text() + "` is not a size")
                    .helped("sizes are whole numbers: generics, literals and arithmetic on them"));
        };
    }

    List<Dimension> dimensions(List<Expression> axes, Scope scope) {
        List<Dimension> all = new ArrayList<>();
        axes.forEach(a -> all.add(notNegative(dimension(a, scope), a.span(), "a size")));
        return all;
    }

    /** Refuses a number of things that is known to be negative. */
    Dimension notNegative(Dimension count, Span span, String what) {
        Optional<Long> known = count.size().constant().filter(n -> n < 0);
        if (known.isPresent()) {
            throw body.session.fail(Diagnostic.error("E0210", span,
                            "`" + span.text() + "` is " + known.get() + ", and " + what
                                    + " is not negative")
                    .helped("look at the sizes that it is made of"));
        }
        return count;
    }

    Meaning evaluate(Expression e, Scope scope, boolean element) {
        return switch (e) {
            case Expression.Literal l -> literal(l);
            case Expression.Truth t -> new Meaning.Truth(t.value());
            case Expression.Text t -> new Meaning.Text(t.value());
            case Expression.Name n -> use(lookUp(n.name(), n.span(), scope), n.span());
            case Expression.Member m -> member(m, scope);
            case Expression.Unary u -> body.operations.unary(
                    u, settle(evaluate(u.operand(), scope, element), u.operand().span()));
            case Expression.Binary b -> binary(b, scope, element);
            case Expression.Access a -> access(a, scope, element);
            case Expression.Call c -> body.calls.call(c, scope, element);
            case Expression.Reduction r -> body.reductions.reduce(r, scope);
            case Expression.Route r -> body.routes.route(r, scope);
            case Expression.Choice c -> choice(c, scope, element);
            case Expression.Tuple t -> new Meaning.Several(
                    t.items().stream().map(i -> evaluate(i, scope, element)).toList());
            case Expression.Lambda l -> new Meaning.Closure(l, scope);
            case Expression.Selection s -> selection(s, scope);
            case Expression.Missing m -> throw new Failure();
        };
    }

    private Meaning literal(Expression.Literal l) {
        if (!l.isWhole() && l.span().text().matches("-?[0-9_]+")) {
            throw body.fail("E0308", l.span(), "this number is too large");
        }
        return l.isWhole()
                ? new Meaning.Whole(Dimension.of(l.whole())) : new Meaning.Real(l.value());
    }

    /** {@code [t where score[t] > cut]}: the places of an axis at which something holds. */
    private Meaning selection(Expression.Selection s, Scope scope) {
        Scope inner = scope.inner();
        Index index = body.ranges.introduce(s.index(), s.span(), Optional.empty(),
                List.of(s.condition()), inner);
        Scalar condition = scalar(settle(evaluate(s.condition(), inner, true),
                s.condition().span()), s.condition().span());
        if (condition.format() != Format.BOOL) {
            throw body.session.fail(Diagnostic.error("E0401", s.condition().span(),
                            "a condition is a truth value, here is a number")
                    .helped("compare it with something: `… > 0`"));
        }
        boolean alone = Scalars.indices(condition).stream().allMatch(index::equals);
        if (!alone) {
            throw body.session.fail(Diagnostic.error("E0904", s.span(),
                            "a selection stands alone: one axis, the same for all of an equation")
                    .labelled("depends on other indices")
                    .helped("write the part as a block or function for one element, and apply it "
                            + "to many"));
        }
        Value holds = body.compute("holds", List.of(index), Optional.empty(), condition, s.span());
        Size.Symbol count = body.session.symbol("E");
        Dimension axis = new Dimension(count, Size.symbol("selected"));
        Value places = body.newValue("selected", Format.I64, List.of(axis));
        body.emit(new Node.Selection(places, holds, count, s.span()));
        body.bounds.limit(places, Scalar.whole(0),
                Scalar.extent(body.extent(index).size()));
        return body.stored(places, List.of(axis), s.span());
    }

    private Meaning lookUp(String name, Span span, Scope scope) {
        Optional<Meaning> local = scope.find(name);
        if (local.isPresent()) {
            return local.get();
        }
        if (name.equals("config")) {
            return new Meaning.ConfigurationField("");
        }
        Optional<Symbol> symbol = scope.module().find(name);
        if (symbol.isPresent()) {
            return switch (symbol.get().declaration()) {
                case Declaration.Function f -> new Meaning.FunctionReference(symbol.get(), f);
                case Declaration.Block b -> throw body.session.fail(
                        Diagnostic.error("E0208", span, "`" + name + "` is a template, not a "
                                        + "value")
                                .with(b.span(), "defined here")
                                .helped("give the block a member of this kind: `name: " + name
                                        + "<…>`"));
                case Declaration.Derived d -> throw body.fail("E0208", span,
                        "`" + name + "` is a model");
            };
        }
        if (Operations.isBuiltin(name)) {
            return new Meaning.Builtin(name);
        }
        if (scope.isHalfAssigned(name)) {
            throw body.session.fail(Diagnostic.error("E0204", span,
                            "`" + name + "` has a value in one branch only")
                    .helped("assign it before the `if`, or in the other branch too"));
        }
        Set<String> candidates = new LinkedHashSet<>(scope.visible());
        candidates.addAll(Operations.builtins());
        throw body.session.fail(Diagnostic.error("E0203", span,
                        "there is no `" + name + "` here")
                .labelled("neither a value nor an index")
                .helped(Names.suggest(name, candidates)
                        .map(s -> "did you mean `" + s + "`?")
                        .orElse("an index is introduced on the left side or by a reduction")));
    }

    /** What using a name gives: parameters become tensors, states are read. */
    private Meaning use(Meaning meaning, Span span) {
        return switch (meaning) {
            case Meaning.ParameterReference p -> body.frame.parameter(p.declaration(), body);
            case Meaning.StateReference s -> read(s.declaration(), span);
            case Meaning.IndexVariable i -> new Meaning.Element(Scalar.variable(i.index()));
            case Meaning.Poison p -> throw new Failure();
            default -> meaning;
        };
    }

    private Meaning read(Declaration.State declared, Span span) {
        if (body.frame.grows(declared) && body.appendsLater(declared.name())) {
            throw body.session.fail(Diagnostic.error("E0503", span,
                            "`" + declared.name() + "` is read before this step's rows are in it")
                    .with(declared.span(), "it grows by what is appended")
                    .helped("append first: `" + declared.name() + " ++= …`"));
        }
        List<Dimension> shape = body.frame.stateShape(declared, body);
        var state = body.frame.state(declared, body, span);
        Value result = body.newValue(declared.name(), state.value().type().format(), shape);
        body.emit(new Node.Read(result, state.name(), body.stateInstances(), span));
        return body.stored(result, shape, span);
    }

    private Meaning member(Expression.Member m, Scope scope) {
        Meaning base = evaluate(m.base(), scope, false);
        return switch (base) {
            case Meaning.ConfigurationField c ->
                    new Meaning.ConfigurationField(c.path().isEmpty()
                            ? m.name() : c.path() + "." + m.name());
            case Meaning.Blocks b -> body.blockCalls.member(b, m.name(), m.span());
            case Meaning.Chosen c -> body.blockCalls.member(c, m.name(), m.span());
            default -> throw body.fail("E0208", m.span(),
                    "`" + m.base().span().text() + "` has no members");
        };
    }

    /** A configuration field becomes its value. */
    Meaning settle(Meaning meaning, Span span) {
        if (!(meaning instanceof Meaning.ConfigurationField field)) {
            return meaning;
        }
        if (!body.session.configuration().isKnown()) {
            return new Meaning.Unknown();
        }
        return configured(field, span).orElseThrow(() -> body.session.fail(
                Diagnostic.error("E0702", span, "the configuration has no `" + field.path() + "`")
                        .labelled("read here")
                        .helped("add it to config.json, give a fallback with `or`, or set the "
                                + "generic with --set")));
    }

    private Optional<Meaning> configured(Meaning.ConfigurationField field, Span span) {
        return body.session.configuration().field(field.path())
                .map(node -> configured(field.path(), node, span));
    }

    private Meaning configured(String path, JsonNode node, Span span) {
        if (node.isIntegralNumber() ? !node.canConvertToLong()
                : node.isNumber() && !Double.isFinite(node.doubleValue())) {
            throw body.session.fail(Diagnostic.error("E0706", span,
                            "`" + path + "` in config.json is " + node + ", which is too large")
                    .labelled("read here")
                    .helped("whole numbers reach from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE
                            + ", others to " + Double.MAX_VALUE));
        }
        return node.isBoolean() ? new Meaning.Truth(node.booleanValue())
                : node.isIntegralNumber() ? new Meaning.Whole(Dimension.of(node.longValue()))
                : node.isNumber() ? new Meaning.Real(node.doubleValue())
                : new Meaning.Text(node.isTextual() ? node.textValue() : node.toString());
    }

    /** The field of the configuration that an expression is, if it is just that. */
    Optional<String> field(Expression e, Scope scope) {
        if (e instanceof Expression.Binary b && b.operator() == Expression.BinaryOperator.OR) {
            return field(b.left(), scope)
                    .filter(path -> body.session.configuration().field(path).isPresent())
                    .or(() -> field(b.right(), scope));
        }
        boolean mayBe = e instanceof Expression.Member || e instanceof Expression.Access;
        return mayBe && evaluate(e, scope, false) instanceof Meaning.ConfigurationField c
                ? Optional.of(c.path()) : Optional.empty();
    }

    private Meaning binary(Expression.Binary b, Scope scope, boolean element) {
        Meaning left = evaluate(b.left(), scope, element);
        if (left instanceof Meaning.ConfigurationField field
                && b.operator() == Expression.BinaryOperator.OR) {
            if (!body.session.configuration().isKnown()) {
                evaluate(b.right(), scope, element);
                return new Meaning.Unknown();
            }
            return configured(field, b.left().span()).orElseGet(() ->
                    settle(evaluate(b.right(), scope, element), b.right().span()));
        }
        Meaning first = settle(left, b.left().span());
        if (first instanceof Meaning.Truth t
                && (b.operator() == Expression.BinaryOperator.AND && !t.value()
                        || b.operator() == Expression.BinaryOperator.OR && t.value())) {
            return first;
        }
        Optional<Scalar> guard = guard(b.operator(), first, b.left().span());
        guard.ifPresent(body.bounds::push);
        Meaning second = settle(evaluate(b.right(), scope, element), b.right().span());
        guard.ifPresent(g -> body.bounds.pop());
        if (b.operator() == Expression.BinaryOperator.CONTRACT) {
            if (element) {
                throw body.session.fail(Diagnostic.error("E0303", b.span(),
                                "`@` works on whole tensors; here is one element")
                        .helped("write the sum out: `sum[i] a[i] * b[i]`"));
            }
            return body.operations.contract(b, tensor(first, b.left().span()),
                    tensor(second, b.right().span()), "product");
        }
        return body.operations.combine(b, first, second, element);
    }

    /** What holds where the right side of `and` or `or` is evaluated. */
    private Optional<Scalar> guard(
            Expression.BinaryOperator operator, Meaning left, Span span) {
        boolean logical = operator == Expression.BinaryOperator.AND
                || operator == Expression.BinaryOperator.OR;
        boolean element = left instanceof Meaning.Element
                || left instanceof Meaning.Tensor t && t.rank() == 0;
        if (!logical || !element) {
            return Optional.empty();
        }
        Scalar condition = scalar(left, span);
        return condition.format() != Format.BOOL ? Optional.empty()
                : Optional.of(operator == Expression.BinaryOperator.AND
                        ? condition : Scalars.not(condition));
    }

    private Meaning choice(Expression.Choice c, Scope scope, boolean element) {
        Meaning condition = settle(evaluate(c.condition(), scope, element), c.condition().span());
        if (condition instanceof Meaning.Truth t) {
            return evaluate(t.value() ? c.then() : c.otherwise(), scope, element);
        }
        Scalar guard = condition instanceof Meaning.Unknown
                || condition instanceof Meaning.Tensor t && t.rank() > 0
                ? Scalar.truth(true) : scalar(condition, c.condition().span());
        body.bounds.push(guard);
        Meaning then = settle(evaluate(c.then(), scope, element), c.then().span());
        body.bounds.pop();
        body.bounds.push(Scalars.not(guard));
        Meaning otherwise = settle(
                evaluate(c.otherwise(), scope, element), c.otherwise().span());
        body.bounds.pop();
        if (condition instanceof Meaning.Unknown
                && Operations.isConstant(then) && Operations.isConstant(otherwise)) {
            return new Meaning.Unknown();
        }
        return body.operations.select(c, condition, then, otherwise, element);
    }

    /** The tensor or block list that an access subscripts, evaluated once. */
    Meaning base(Expression e, Scope scope) {
        if (e instanceof Expression.Name) {
            return evaluate(e, scope, false);
        }
        Meaning known = bases.get(e);
        if (known == null) {
            known = evaluate(e, scope, false);
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

    /** Whether the elements of a tensor are about no index but those of its own axes. */
    private boolean isOfItself(Meaning.Tensor tensor) {
        List<Index> own = tensor.shape().stream().map(d -> body.index("i", d)).toList();
        Scalar element = tensor.reader().at(own.stream().map(Scalar::variable).toList());
        return own.containsAll(Scalars.indices(element));
    }

    private Meaning access(Expression.Access a, Scope scope, boolean element) {
        Meaning base = base(a.base(), scope);
        return switch (base) {
            case Meaning.Blocks blocks -> chosen(a, blocks, scope);
            case Meaning.ConfigurationField field -> item(a, field, scope);
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
        Meaning place = constant(at, scope);
        if (place instanceof Meaning.Unknown) {
            return new Meaning.Unknown();
        }
        if (!(place instanceof Meaning.Whole w) || w.dimension().size().constant().isEmpty()) {
            throw notConstant(at);
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
        Meaning index = settle(evaluate(at, scope, true), at.span());
        if (!(index instanceof Meaning.Unknown)) {
            checkInside(scalar(index, at.span()), blocks.count(), at.span(), blocks.span(),
                    "`" + blocks.name() + "`", false);
        }
        return new Meaning.Chosen(blocks, index, a.span());
    }

    private Meaning read(
            Expression.Access a, Meaning.Tensor tensor, Scope scope, boolean element) {
        if (a.subscripts().size() > tensor.rank()
                || element && a.subscripts().size() < tensor.rank()) {
            throw body.session.fail(Diagnostic.error("E0303", a.span(),
                            "`" + a.base().span().text() + "` has " + axes(tensor.rank())
                                    + ", here are " + a.subscripts().size() + " subscripts")
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
            Scalar coordinate = scalar(settle(evaluate(at, scope, true), at.span()), at.span());
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
            Bounds.Verdict verdict = checkInside(coordinate, tensor.shape().get(i), at.span(),
                    tensor.span(), "`" + a.base().span().text() + "`", true);
            boolean atRunTime = body.bounds.dependsOnData(coordinate)
                    || verdict == Bounds.Verdict.UNLESS_EMPTY && !body.session.isChecking();
            data |= atRunTime;
            coordinates.add(atRunTime
                    ? within(coordinate, tensor.shape().get(i), i, a.base().span().text())
                    : verdict == Bounds.Verdict.GUARDED ? Scalars.guarded(coordinate) : coordinate);
        }
        if (coordinates.size() < tensor.rank()) {
            return part(a, tensor, coordinates, data);
        }
        Scalar load = tensor.reader().at(coordinates);
        if (a.fallback().isPresent()) {
            if (a.fallback().get().value().isEmpty()) {
                body.reductions.skipUnless(
                        exists(a.base().span().text(), tensor, coordinates, a.span()),
                        a.fallback().get().span());
                return new Meaning.Element(loaded(load, Scalar.Bounds.GUARDED,
                        Optional.of(Scalars.zero(load.format())), tensor, coordinates, a.span()));
            }
            Scalar otherwise = Scalars.convert(scalar(
                    evaluate(a.fallback().get().value().get(), scope, true), a.span()),
                    load.format());
            return new Meaning.Element(loaded(load, Scalar.Bounds.GUARDED,
                    Optional.of(otherwise), tensor, coordinates, a.span()));
        }
        return new Meaning.Element(data
                ? loaded(load, Scalar.Bounds.CHECKED, Optional.empty(), tensor, coordinates,
                        a.span())
                : load);
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
        List<Dimension> rest = tensor.shape().subList(coordinates.size(), tensor.rank());
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
        return Scalar.within(Scalars.convert(coordinate, Format.I64),
                Scalar.extent(extent.size()), "axis " + axis + " of " + tensor);
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
        return new Scalar.Load(
                body.materialise(tensor, "operand", span), coordinates, bounds, otherwise);
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
            Meaning from = settle(evaluate(s.from(), scope, true), s.from().span());
            Scalar start = scalar(from, s.from().span());
            starts.add(start);
            kept.add(s.to().isPresent());
            if (s.to().isEmpty()) {
                checkInside(start, axis, s.from().span(), tensor.span(),
                        "`" + a.base().span().text() + "`", false);
                continue;
            }
            Meaning to = settle(evaluate(s.to().get(), scope, true), s.to().get().span());
            if (from instanceof Meaning.Whole f && to instanceof Meaning.Whole t) {
                Dimension size = t.dimension().minus(f.dimension());
                shape.add(notNegative(size, a.span(), "a part of an axis"));
                checkInside(start, axis.plus(Dimension.of(1)), s.from().span(), tensor.span(),
                        "`" + a.base().span().text() + "`", false);
                checkInside(scalar(to, a.span()), axis.plus(Dimension.of(1)),
                        s.to().get().span(), tensor.span(),
                        "`" + a.base().span().text() + "`", false);
            } else {
                body.session.unsupported("E0907", a.span(),
                        "a view whose size is known only at run time",
                        "narrow the index instead: `sum[f in 0..width]`");
                shape.add(Dimension.symbol("?.width"));
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

    static String axes(int rank) {
        return rank == 0 ? "no axes" : rank == 1 ? "one axis" : rank + " axes";
    }

    Bounds.Verdict checkInside(
            Scalar coordinate,
            Dimension size,
            Span span,
            Span declared,
            String what,
            boolean mayFallBack) {
        if (body.bounds.dependsOnData(coordinate)) {
            return Bounds.Verdict.OPEN;
        }
        Bounds.Verdict verdict = body.bounds.inside(coordinate, size.size());
        boolean isError = verdict == Bounds.Verdict.REFUTED
                || verdict == Bounds.Verdict.OPEN && !body.session.isChecking();
        if (isError) {
            String text = span.text();
            throw body.session.fail(Diagnostic.error("E0307", span,
                            "`" + text + "` can leave " + what)
                    .labelled(verdict == Bounds.Verdict.REFUTED
                            ? "outside 0.." + Polynomial.of(size.named()) + " for some indices"
                            : "cannot be shown to lie in 0.." + Polynomial.of(size.named()))
                    .with(declared, "this axis has size " + size.describe())
                    .helped(mayFallBack
                            ? "say what is read there: `[…] or 0`, or narrow the index's range"
                            : "narrow the index's range"));
        }
        return verdict;
    }

    /** One element: what an equation needs. */
    Scalar scalar(Meaning unsettled, Span span) {
        Meaning meaning = settle(unsettled, span);
        return switch (meaning) {
            case Meaning.Element e -> e.scalar();
            case Meaning.Whole w -> Scalar.extent(w.dimension().size());
            case Meaning.Real r -> Scalar.real(r.value());
            case Meaning.Truth t -> Scalar.truth(t.value());
            case Meaning.Unknown u -> Scalar.whole(0);
            case Meaning.IndexVariable i -> Scalar.variable(i.index());
            case Meaning.Tensor t when t.rank() == 0 -> t.reader().at(List.of());
            case Meaning.Tensor t -> throw body.session.fail(Diagnostic.error("E0303", span,
                            "one element is needed, `" + span.text() + "` has "
                                    + axes(t.rank()))
                    .labelled("its axes are " + Signatures.shape(t.shape()))
                    .with(t.span(), "this is where it comes from")
                    .helped("subscript it"));
            case Meaning.Poison p -> throw new Failure();
            default -> throw body.fail("E0208", span, "`" + span.text() + "` is not a value");
        };
    }

    /** A whole tensor; one element is a tensor without axes. */
    Meaning.Tensor tensor(Meaning unsettled, Span span) {
        Meaning meaning = settle(unsettled, span);
        if (meaning instanceof Meaning.Tensor t) {
            return t;
        }
        Scalar scalar = scalar(meaning, span);
        if (scalar instanceof Scalar.Load l && l.coordinates().isEmpty()) {
            return body.stored(l.source(), List.of(), span);
        }
        return new Meaning.Tensor(
                List.of(), scalar.format(), c -> scalar, Optional.empty(), span);
    }

    static boolean isElementary(Meaning meaning) {
        return switch (meaning) {
            case Meaning.Element e -> true;
            case Meaning.Tensor t -> t.rank() == 0;
            case Meaning.Whole w -> true;
            case Meaning.Real r -> true;
            case Meaning.Truth t -> true;
            case Meaning.Unknown u -> true;
            case Meaning.IndexVariable i -> true;
            default -> false;
        };
    }
}
