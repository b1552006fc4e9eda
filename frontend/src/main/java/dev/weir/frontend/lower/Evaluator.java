package dev.weir.frontend.lower;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.frontend.resolve.Names;
import dev.weir.frontend.resolve.Symbol;
import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds what an expression means: a constant of compilation, one element, or a whole tensor.
 *
 * <p>Inside an equation ({@code element} is set) everything is one element; elsewhere operations
 * work on whole tensors.
 */
final class Evaluator {
    private static final Set<String> PREFIXES = Set.of("cumsum", "cumprod", "cummax");

    private final Body body;

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

    Failure notConstant(Expression e) {
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
            case Expression.Access a -> body.accesses.access(a, scope, element);
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
        Dimension axis = new Dimension(count, Size.symbol(Dimension.SELECTED));
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
        if (name.equals(Templates.NONE)) {
            return new Meaning.Whole(Dimension.of(Routes.NO_BLOCK));
        }
        if (name.equals("config")) {
            return new Meaning.ConfigurationField("");
        }
        if (scope.module().isUnclear(name)) {
            throw new Failure();
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
        Optional<Scope.Half> half = scope.halfAssigned(name);
        if (half.isPresent()) {
            throw body.session.fail(Diagnostic.error("E0204", span,
                    "`" + name + "` " + half.get().what).helped(half.get().help));
        }
        if (PREFIXES.contains(name)) {
            throw body.session.fail(Diagnostic.error("E0203", span,
                            "`" + name + "` is not a function: it goes along an index")
                    .labelled("no index is named")
                    .helped("name it in brackets, and keep it on the left side: `y[t] = " + name
                            + "[t] x[t]`"));
        }
        if (body.frame.hasMethod(name)) {
            throw body.session.fail(Diagnostic.error("E0203", span,
                            "`" + name + "` is a method of this block, and blocks do not call "
                                    + "their own")
                    .helped("make it a function outside of the block, or a method of a member"));
        }
        Set<String> candidates = new LinkedHashSet<>(scope.visible());
        candidates.addAll(Operations.builtins());
        boolean isIndex = name.length() == 1 && Character.isLowerCase(name.charAt(0));
        throw body.session.fail(Diagnostic.error("E0203", span,
                        "there is no `" + name + "` here")
                .labelled("neither a value nor an index")
                .helped(Elsewhere.help(name)
                        .or(() -> isIndex ? Optional.empty() : Names.suggest(name, candidates)
                                .map(s -> "did you mean `" + s + "`?"))
                        .orElse(isIndex ? "an index is introduced on the left side, `y[" + name
                                + "] = …`, or by a reduction, `sum[" + name + "] …`"
                                : "a value is named by assigning to it, an index on the left side "
                                        + "or by a reduction")));
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
        if (body.frame.states().grows(declared) && body.appendsLater(declared.name())) {
            throw body.session.fail(Diagnostic.error("E0503", span,
                            "`" + declared.name() + "` is read before this step's rows are in it")
                    .with(declared.span(), "it grows by what is appended")
                    .helped("append first: `" + declared.name() + " ++= …`"));
        }
        return body.frame.states().read(declared, body, span);
    }

    private Meaning member(Expression.Member m, Scope scope) {
        Meaning base = evaluate(m.base(), scope, false);
        return switch (base) {
            case Meaning.ConfigurationField c when !c.isCount() ->
                    new Meaning.ConfigurationField(c.path().isEmpty()
                            ? m.name() : c.path() + "." + m.name());
            case Meaning.Blocks b -> body.blockCalls.member(b, m.name(), m.span());
            case Meaning.Chosen c -> body.blockCalls.member(c, m.name(), m.span());
            default -> throw body.session.fail(Diagnostic.error("E0208", m.span(),
                            "`" + m.base().span().text() + "` has no members")
                    .helped("only blocks have; axes are turned by their indices: `y[i, j] = x[j, "
                            + "i]`"));
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
        Optional<String> obstacle = body.session.configuration().obstacle(field.path());
        if (obstacle.isPresent()) {
            throw body.session.fail(Diagnostic.error("E0703", span,
                            "`" + obstacle.get() + "` in config.json is "
                                    + body.session.configuration().field(obstacle.get())
                                            .map(JsonNode::toString).orElse("absent")
                                    + ", and `" + field.path() + "` is wanted")
                    .labelled("read here")
                    .helped(field.path().matches(".*\\.\\d+") ? "a list is expected"
                            : "an object is expected, such as `{\"" + field.path().substring(
                                    field.path().lastIndexOf('.') + 1) + "\": …}`"));
        }
        return body.session.configuration().field(field.path()).map(node ->
                field.isCount() ? counted(field.path(), node, span)
                        : configured(field.path(), node, span));
    }

    private Meaning counted(String path, JsonNode node, Span span) {
        if (!node.isContainerNode()) {
            throw body.session.fail(Diagnostic.error("E0703", span,
                            "`" + path + "` in config.json is " + node + ", which has no items")
                    .labelled("counted here")
                    .helped("`count` takes a list or an object"));
        }
        return new Meaning.Whole(Dimension.of(node.size()));
    }

    /** What an item of the configuration means. */
    Meaning configured(String path, JsonNode node, Span span) {
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
        Meaning left = left(b, scope, element);
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

    /** The left side; if there is a fault in it, the right side is looked at for others. */
    private Meaning left(Expression.Binary b, Scope scope, boolean element) {
        try {
            return evaluate(b.left(), scope, element);
        } catch (Failure reported) {
            boolean guards = b.operator() == Expression.BinaryOperator.AND
                    || b.operator() == Expression.BinaryOperator.OR;
            if (!guards) {
                evaluate(b.right(), scope, element);
            }
            throw reported;
        }
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

    static String axes(int rank) {
        return rank == 0 ? "no axes" : rank == 1 ? "one axis" : rank + " axes";
    }

    /** One element: what an equation needs. */
    Scalar scalar(Meaning unsettled, Span span) {
        Meaning meaning = settle(unsettled, span);
        return switch (meaning) {
            case Meaning.Element e -> e.scalar();
            case Meaning.Whole w -> Scalar.extent(w.dimension().size());
            case Meaning.Real r -> Scalar.real(r.value());
            case Meaning.Truth t -> Scalar.truth(t.value());
            case Meaning.Unknown u -> u.isTruth() ? Scalar.truth(true) : Scalar.whole(0);
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
            return body.sizes.whole(t, span);
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
