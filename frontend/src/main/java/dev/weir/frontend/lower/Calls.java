package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import java.util.Set;

/** Lowers calls: of operations, of functions that stand for an expression, of blocks. */
final class Calls {
    private static final Set<String> REDUCERS = Set.of("sum", "prod", "max", "min", "mean", "any",
            "all", "argmax", "logsumexp", "softmax", "cumsum", "cumprod", "cummax");

    private final Body body;
    private final Map<String, List<Span>> sites = new HashMap<>();

    Calls(Body body) {
        this.body = body;
    }

    Meaning call(Expression.Call c, Scope scope, boolean element) {
        if (c.using().isPresent()) {
            body.session.unsupported("E0905", c.using().get().span(), "`using`",
                    "let each call have a state of its own");
        }
        if (c.function() instanceof Expression.Member m
                && !(m.base() instanceof Expression.Name n && n.name().equals("config"))) {
            body.session.unsupported("E0910", c.function().span(), "a second method of a block",
                    "call `forward` by calling the block");
            body.evaluator.evaluate(m.base(), scope, false);
            c.arguments().forEach(a -> body.evaluator.evaluate(a.value(), scope, false));
            return new Meaning.Unknown();
        }
        Meaning function = body.evaluator.evaluate(c.function(), scope, false);
        return switch (function) {
            case Meaning.Builtin b -> builtin(b.name(), c, scope, element);
            case Meaning.FunctionReference f -> isElementary(f.declaration())
                    ? inline(f, c, scope, element) : tensorFunction(f, c, scope);
            case Meaning.Closure f -> closure(f, c, scope, element);
            case Meaning.AbstractFunction f -> abstractFunction(f, c, scope, element);
            case Meaning.Blocks b -> {
                if (b.isList()) {
                    throw body.session.fail(Diagnostic.error("E0303", c.span(),
                                    "`" + b.name() + "` is a list of blocks")
                            .with(b.span(), "declared here")
                            .helped("call one of them: `" + b.name() + "[i](…)`"));
                }
                yield block(b.stretches().getFirst(), Optional.empty(), c, scope);
            }
            case Meaning.Chosen chosen -> chosen(chosen, c, scope);
            case Meaning.Unknown u -> {
                c.arguments().forEach(a -> body.evaluator.evaluate(a.value(), scope, element));
                yield u;
            }
            default -> throw body.fail("E0208", c.function().span(),
                    "`" + c.function().span().text() + "` cannot be called");
        };
    }

    /** {@code contains(config.list, value)}: whether a list of the configuration has a value. */
    private Meaning contains(Expression.Call c, Scope scope) {
        if (c.arguments().size() != 2 || !(body.evaluator.evaluate(
                c.arguments().getFirst().value(), scope, false)
                instanceof Meaning.ConfigurationField field)) {
            throw body.session.fail(Diagnostic.error("E0209", c.span(),
                            "`contains` takes a list of the configuration and a value")
                    .helped("write `contains(config.name, value)`"));
        }
        Meaning wanted = body.evaluator.constant(c.arguments().get(1).value(), scope);
        if (wanted instanceof Meaning.Unknown || !body.session.configuration().isKnown()) {
            return new Meaning.Unknown();
        }
        boolean found = body.session.configuration().field(field.path()).stream()
                .flatMap(list -> StreamSupport.stream(list.spliterator(), false))
                .anyMatch(item -> item.asText().equals(switch (wanted) {
                    case Meaning.Whole w -> String.valueOf(
                            w.dimension().size().constant().orElse(Long.MIN_VALUE));
                    case Meaning.Text t -> t.value();
                    case Meaning.Truth t -> String.valueOf(t.value());
                    default -> throw body.fail("E0209", c.span(),
                            "`contains` compares whole numbers, texts and truth values");
                }));
        return new Meaning.Truth(found);
    }

    private Meaning builtin(String name, Expression.Call c, Scope scope, boolean element) {
        if (name.equals("contains")) {
            return contains(c, scope);
        }
        boolean overAxis = REDUCERS.contains(name) && c.arguments().size() == 1;
        List<Meaning> arguments = new ArrayList<>();
        for (Expression.Argument a : c.arguments()) {
            arguments.add(body.evaluator.settle(
                    body.evaluator.evaluate(a.value(), scope, element && !overAxis),
                    a.value().span()));
        }
        if (overAxis) {
            return body.reductions.overLastAxis(
                    Expression.Reducer.valueOf(name.toUpperCase(Locale.ROOT)),
                    body.evaluator.tensor(arguments.getFirst(), c.span()), c.span());
        }
        return body.operations.builtin(name, arguments, c.span(), element)
                .orElseThrow(() -> body.session.fail(Diagnostic.error("E0209", c.span(),
                        "`" + name + "` does not take " + c.arguments().size() + " arguments")));
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
        body.session.enter(span);
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

    private Meaning chosen(Meaning.Chosen chosen, Expression.Call c, Scope scope) {
        List<Meaning.Stretch> stretches = chosen.blocks().stretches();
        Scalar index = body.evaluator.scalar(chosen.index(), chosen.span());
        Optional<Long> known = Scalars.wholeConstant(index);
        if (known.isPresent() && !(chosen.index() instanceof Meaning.Unknown)) {
            for (Meaning.Stretch s : stretches) {
                int at = s.places().list().indexOf(known.get());
                if (at >= 0) {
                    return block(s, Optional.of(Scalar.whole(at)), c, scope);
                }
            }
        }
        if (body.bounds.dependsOnData(index)) {
            body.session.unsupported("E0403", chosen.span(), "a block chosen by data here",
                    "write `route`, or `sum[j] w[j] * blocks[e[j]](x)[d]`");
        }
        if (stretches.size() == 1 || body.session.isChecking()) {
            return block(stretches.getFirst(), Optional.of(index), c, scope);
        }
        return nested(stretches, 0, index, c, scope);
    }

    /** A list of unlike blocks at an index: nested branches on the index. */
    private Meaning nested(
            List<Meaning.Stretch> stretches, int at, Scalar index, Expression.Call c,
            Scope scope) {
        Meaning.Stretch stretch = stretches.get(at);
        Scalar local = stretch.places().number(index);
        if (at == stretches.size() - 1) {
            return block(stretch, Optional.of(local), c, scope);
        }
        Value condition = body.scalarValue("is_" + at,
                stretch.places().contains(index), c.span());
        body.openRegion();
        Meaning.Tensor then = single(block(stretch, Optional.of(local), c, scope), c.span());
        Region first_ = new Region(List.of(), body.closeRegion(), List.of(valueOf(then)));
        body.openRegion();
        Meaning.Tensor otherwise =
                single(nested(stretches, at + 1, index, c, scope), c.span());
        Region second = new Region(List.of(), body.closeRegion(), List.of(valueOf(otherwise)));
        Value result = body.newValue("chosen", then.format(), then.shape());
        body.emit(new Node.If(List.of(result), condition, first_, second, c.span()));
        return body.stored(result, then.shape(), c.span());
    }

    private Meaning.Tensor single(Meaning meaning, Span span) {
        if (meaning instanceof Meaning.Tensor t) {
            return t;
        }
        throw body.fail("E0910", span,
                "blocks of a mixed list with several results cannot be called at an index yet");
    }

    private static Value valueOf(Meaning.Tensor tensor) {
        return tensor.value().orElseThrow();
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

    private Meaning block(
            Meaning.Stretch stretch, Optional<Scalar> index, Expression.Call c, Scope scope) {
        Signatures.Shape shape = new Signatures(body).of(stretch.template())
                .orElseThrow(() -> body.fail("E0208", c.span(), "this block has no `forward`"));
        String text = c.function().span().text();
        Matching.Matched m = new Matching(body).match(
                text, shape.signature(), shape.scope().inner(), c, scope, false);
        boolean stateful = Templates.hasState(stretch.template());
        if (stateful && !m.lifted().isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0502", c.span(),
                            "`" + text + "` remembers, so it cannot be applied along the axis "
                                    + m.lifted().getFirst().describe())
                    .with(shape.signature().span(), "it is written for one step of it")
                    .helped("say the order: `scan t { … }`"));
        }
        if (body.session.isChecking()
                || !(stretch.template() instanceof Template.Concrete concrete)) {
            return results(m, shape.signature(), c.span());
        }
        List<Scalar> instances = new ArrayList<>(body.instanceScalars());
        Place place = stretch.place();
        if (stretch.indexed()) {
            instances.add(index.orElseThrow());
        }
        if (stateful) {
            place = placed(place, instances, index, c);
        }
        String name = new Instances(body.session).block(
                concrete, place, m.implicit(), body.frame.precision(), c.span());
        Meaning result = emitCall(name, instances, m, shape.signature(), c.span());
        traceResults(place, instances, shape.signature(), result);
        return result;
    }

    /** A state of its own for each loop around the call and each place that calls. */
    private Place placed(
            Place place, List<Scalar> instances, Optional<Scalar> index, Expression.Call c) {
        Place found = place;
        List<Span> known = sites.computeIfAbsent(place.path(), p -> new ArrayList<>());
        if (!known.contains(c.span())) {
            known.add(c.span());
        }
        int site = known.indexOf(c.span());
        if (site > 0) {
            found = found.then(new Place.Site(site + 1));
        }
        List<Body.Around> outermostFirst = new ArrayList<>(body.loops).reversed();
        outermostFirst.removeIf(Body.Around::scans);
        for (Body.Around loop : outermostFirst) {
            boolean chooses = index.filter(i -> Scalars.loads(i, loop.index())).isPresent();
            if (!chooses) {
                long count = loop.end().orElseThrow(() -> body.session.fail(
                        Diagnostic.error("E0504", c.span(), "a block that remembers is called in "
                                        + "a loop whose length is not known")
                                .with(loop.span(), "this loop")));
                found = found.then(new Place.Iteration(count));
                instances.add(Scalar.load(loop.index(), List.of()));
            }
        }
        return found;
    }

    private Meaning emitCall(
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

    private Meaning results(Matching.Matched m, Declaration.Signature signature, Span span) {
        List<Meaning> meanings = new ArrayList<>();
        for (int i = 0; i < signature.results().size(); i++) {
            Declaration.Formal formal = signature.results().get(i);
            meanings.add(body.stored(body.newValue(formal.name(),
                    Formats.declared(formal.type()), m.results().get(i)), m.results().get(i),
                    span));
        }
        return meanings.size() == 1 ? meanings.getFirst() : new Meaning.Several(meanings);
    }

    void traceResults(
            Place place, List<Scalar> instances, Declaration.Signature signature, Meaning result) {
        if (!body.session.isTracing()) {
            return;
        }
        List<Meaning> all = result instanceof Meaning.Several s ? s.items() : List.of(result);
        for (int i = 0; i < all.size(); i++) {
            String path = all.size() == 1 ? place.path()
                    : place.path() + "." + signature.results().get(i).name();
            body.emit(new Node.Trace(path, instances, valueOf((Meaning.Tensor) all.get(i))));
        }
    }
}
