package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** Lowers calls: of operations, of functions that stand for an expression, of blocks. */
final class Calls {
    private static final Set<String> REDUCERS = Set.of("sum", "prod", "max", "min", "mean", "any",
            "all", "argmax", "logsumexp", "softmax", "cumsum", "cumprod", "cummax");

    private final Body body;

    Calls(Body body) {
        this.body = body;
    }

    Meaning call(Expression.Call c, Scope scope, boolean element) {
        Meaning function = body.evaluator.evaluate(c.function(), scope, false);
        if (c.using().isPresent() && !(function instanceof Meaning.Blocks
                || function instanceof Meaning.Chosen || function instanceof Meaning.Method
                || function instanceof Meaning.Unknown)) {
            throw body.session.fail(Diagnostic.error("E0508", c.using().get().span(),
                            "`using` names the state of a block, and `"
                                    + c.function().span().text() + "` is none")
                    .helped("leave it out"));
        }
        return switch (function) {
            case Meaning.Builtin b -> builtin(b.name(), c, scope, element);
            case Meaning.FunctionReference f -> isElementary(f.declaration())
                    ? inline(f, c, scope, element) : tensorFunction(f, c, scope);
            case Meaning.Closure f -> closure(f, c, scope, element);
            case Meaning.AbstractFunction f -> abstractFunction(f, c, scope, element);
            case Meaning.Blocks b -> body.blockCalls.call(b, BlockCalls.FORWARD, c, scope);
            case Meaning.Chosen chosen -> body.blockCalls.call(
                    chosen, BlockCalls.FORWARD, c, scope);
            case Meaning.Method m -> body.blockCalls.call(m.owner(), m.name(), c, scope);
            case Meaning.Unknown u -> {
                c.arguments().forEach(a -> body.evaluator.evaluate(a.value(), scope, element));
                yield u;
            }
            default -> throw body.fail("E0208", c.function().span(),
                    "`" + c.function().span().text() + "` cannot be called");
        };
    }

    private Meaning builtin(String name, Expression.Call c, Scope scope, boolean element) {
        if (ConfigurationLists.NAMES.contains(name)) {
            return new ConfigurationLists(body).call(name, c, scope, element);
        }
        boolean overAxis = REDUCERS.contains(name) && c.arguments().size() == 1;
        boolean whole = overAxis || Orders.NAMES.contains(name);
        List<Meaning> arguments = new ArrayList<>();
        for (Expression.Argument a : c.arguments()) {
            arguments.add(body.evaluator.settle(
                    body.evaluator.evaluate(a.value(), scope, element && !whole),
                    a.value().span()));
        }
        if (overAxis) {
            return body.reductions.overLastAxis(
                    Expression.Reducer.valueOf(name.toUpperCase(Locale.ROOT)),
                    body.evaluator.tensor(arguments.getFirst(), c.span()), c.span());
        }
        if (Orders.NAMES.contains(name)) {
            return new Orders(body).order(name, arguments, c.span());
        }
        return body.operations.builtin(name, arguments, c.span(), element)
                .orElseThrow(() -> body.session.fail(Diagnostic.error("E0209", c.span(),
                        "`" + name + "` does not take " + c.arguments().size() + " arguments")
                        .helped(REDUCERS.contains(name)
                                ? "`" + name + "(x)` goes along the last axis, `" + name
                                        + "[i] x[i]` along the axis of an index"
                                : "`weir explain-error E0209` tells more")));
    }

    /** Whether a function is about elements and stands for one expression. */
    private static boolean isElementary(Declaration.Function f) {
        return f.body().expression().isPresent()
                && f.signature().results().size() == 1
                && f.signature().results().getFirst().axes().isEmpty()
                && f.signature().formals().stream().allMatch(x -> x.axes().isEmpty());
    }

    /** The argument expressions in the order of the formals; empty where a default stands. */
    List<Optional<Expression>> ordered(
            String name, Declaration.Signature signature, List<Expression.Argument> given,
            Span span) {
        List<Optional<Expression>> ordered = new ArrayList<>();
        signature.formals().forEach(f -> ordered.add(Optional.empty()));
        int position = 0;
        for (Expression.Argument argument : given) {
            int at = position;
            if (argument.name().isPresent()) {
                at = -1;
                for (int i = 0; i < ordered.size(); i++) {
                    at = signature.formals().get(i).name().equals(argument.name().get()) ? i : at;
                }
            } else {
                position++;
            }
            if (at < 0 || at >= ordered.size() || ordered.get(at).isPresent()) {
                throw wrongArguments(name, signature, given.size(), span);
            }
            ordered.set(at, Optional.of(argument.value()));
        }
        for (int i = 0; i < ordered.size(); i++) {
            if (ordered.get(i).isEmpty() && signature.formals().get(i).value().isEmpty()) {
                throw wrongArguments(name, signature, given.size(), span);
            }
        }
        return ordered;
    }

    private Failure wrongArguments(
            String name, Declaration.Signature signature, int given, Span span) {
        List<String> names = signature.formals().stream()
                .map(Declaration.Formal::name).toList();
        return body.session.fail(Diagnostic.error("E0209", span,
                        "`" + name + "` takes " + names.size()
                                + (names.size() == 1 ? " argument" : " arguments") + ", here "
                                + (given == 1 ? "is 1" : "are " + given))
                .with(signature.span(), "it takes (" + String.join(", ", names) + ")"));
    }

    private Meaning inline(
            Meaning.FunctionReference f, Expression.Call c, Scope scope, boolean element) {
        Declaration.Signature signature = f.declaration().signature();
        List<Optional<Expression>> ordered =
                ordered(f.declaration().name(), signature, c.arguments(), c.span());
        Scope inside = Scope.of(f.symbol().module());
        List<Meaning> arguments = new ArrayList<>();
        for (int i = 0; i < ordered.size(); i++) {
            Declaration.Formal formal = signature.formals().get(i);
            Meaning meaning = ordered.get(i).isPresent()
                    ? body.evaluator.evaluate(ordered.get(i).get(), scope, element)
                    : body.evaluator.constant(formal.value().orElseThrow(), inside);
            arguments.add(typed(body.evaluator.settle(meaning, c.span()), formal,
                    ordered.get(i).map(Expression::span).orElse(c.span())));
        }
        List<String> names = signature.formals().stream().map(Declaration.Formal::name).toList();
        return expand(names, arguments, f.declaration().body().expression().orElseThrow(), inside,
                signature.results().getFirst(), c.span(), element);
    }

    private Meaning closure(Meaning.Closure f, Expression.Call c, Scope scope, boolean element) {
        if (f.lambda().names().size() != c.arguments().size()) {
            throw body.session.fail(Diagnostic.error("E0209", c.span(),
                            "this function takes " + f.lambda().names().size()
                                    + " arguments, here are " + c.arguments().size())
                    .with(f.lambda().span(), "defined here"));
        }
        List<Meaning> arguments = c.arguments().stream()
                .map(a -> body.evaluator.settle(
                        body.evaluator.evaluate(a.value(), scope, element), a.value().span()))
                .toList();
        return expand(f.lambda().names(), arguments, f.lambda().body(), f.scope(), null, c.span(),
                element);
    }

    private Meaning abstractFunction(
            Meaning.AbstractFunction f, Expression.Call c, Scope scope, boolean element) {
        List<Optional<Expression>> ordered =
                ordered("the function", f.signature(), c.arguments(), c.span());
        List<Meaning> arguments = new ArrayList<>();
        for (int i = 0; i < ordered.size(); i++) {
            if (ordered.get(i).isPresent()) {
                Expression e = ordered.get(i).get();
                arguments.add(typed(body.evaluator.settle(
                        body.evaluator.evaluate(e, scope, element), e.span()),
                        f.signature().formals().get(i), e.span()));
            }
        }
        Format format = Formats.declared(f.signature().results().getFirst().type());
        return body.operations.elementwise(
                arguments, c.span(), element, s -> Scalars.zero(format));
    }

    private Meaning typed(Meaning argument, Declaration.Formal formal, Span span) {
        Format wanted = Formats.declared(formal.type());
        if (!(argument instanceof Meaning.Element e)) {
            return argument;
        }
        return new Meaning.Element(converted(e.scalar(), wanted, formal, span));
    }

    private Scalar converted(Scalar scalar, Format wanted, Declaration.Formal formal, Span span) {
        boolean fits = scalar.format() == wanted.compute()
                || wanted.isFloat() && scalar.format() != Format.BOOL;
        if (!fits) {
            throw body.session.fail(Diagnostic.error("E0308", span,
                            "`" + formal.name() + "` is " + Formats.describe(wanted) + ", here is "
                                    + Formats.describe(scalar.format()))
                    .with(formal.span(), "declared here"));
        }
        return Scalars.convert(scalar, wanted);
    }

    private Meaning expand(
            List<String> names,
            List<Meaning> arguments,
            Expression expression,
            Scope outside,
            Declaration.Formal result,
            Span span,
            boolean element) {
        List<Integer> tensors = new ArrayList<>();
        for (int i = 0; i < arguments.size(); i++) {
            if (arguments.get(i) instanceof Meaning.Tensor t && t.rank() > 0) {
                tensors.add(i);
            }
        }
        if (tensors.isEmpty()) {
            return typedResult(expansion(names, arguments, expression, outside, span), result);
        }
        return body.operations.elementwise(
                tensors.stream().map(arguments::get).toList(), span, element, elements -> {
                    List<Meaning> bound = new ArrayList<>(arguments);
                    for (int i = 0; i < tensors.size(); i++) {
                        bound.set(tensors.get(i), new Meaning.Element(elements.get(i)));
                    }
                    return body.evaluator.scalar(typedResult(
                            expansion(names, bound, expression, outside, span), result), span);
                });
    }

    private Meaning expansion(
            List<String> names, List<Meaning> arguments, Expression e, Scope outside, Span span) {
        Scope inner = outside.inner();
        for (int i = 0; i < names.size(); i++) {
            inner.define(names.get(i), arguments.get(i));
        }
        body.session.expand(span);
        try {
            return body.evaluator.settle(body.evaluator.evaluate(e, inner, true), span);
        } finally {
            body.session.leave();
        }
    }

    private Meaning typedResult(Meaning meaning, Declaration.Formal result) {
        return result != null && meaning instanceof Meaning.Element
                ? typed(meaning, result, result.span()) : meaning;
    }

    private Meaning tensorFunction(Meaning.FunctionReference f, Expression.Call c, Scope scope) {
        Declaration.Function function = f.declaration();
        Scope signatureScope = Scope.of(f.symbol().module());
        Matching matching = new Matching(body);
        Matching.Matched m = matching.match(function.name(), function.signature(), signatureScope,
                c, scope, true);
        if (body.session.isChecking()) {
            return results(m, function.signature(), c.span());
        }
        String name = new Instances(body.session).function(
                f.symbol(), function, m.implicit(), m.constants(), body.frame.precision(),
                c.span());
        return emitCall(name, List.of(), m, function.signature(), c.span());
    }

    Meaning emitCall(
            String name,
            List<Scalar> instances,
            Matching.Matched m,
            Declaration.Signature signature,
            Span span) {
        List<Value> values = new ArrayList<>();
        List<Meaning> meanings = new ArrayList<>();
        for (int i = 0; i < signature.results().size(); i++) {
            Declaration.Formal formal = signature.results().get(i);
            Value value = body.session.value(formal.name(), new TensorType(
                    Formats.declared(formal.type()),
                    m.results().get(i).stream().map(Dimension::size).toList()));
            values.add(value);
            meanings.add(body.stored(value, m.results().get(i), span));
        }
        body.emit(new Node.Call(values, name, instances, m.arguments(), m.lifts(), span));
        return meanings.size() == 1 ? meanings.getFirst() : new Meaning.Several(meanings);
    }

    Meaning results(Matching.Matched m, Declaration.Signature signature, Span span) {
        List<Meaning> meanings = new ArrayList<>();
        for (int i = 0; i < signature.results().size(); i++) {
            Declaration.Formal formal = signature.results().get(i);
            meanings.add(body.stored(body.newValue(formal.name(),
                    Formats.declared(formal.type()), m.results().get(i)), m.results().get(i),
                    span));
        }
        return meanings.size() == 1 ? meanings.getFirst() : new Meaning.Several(meanings);
    }
}
