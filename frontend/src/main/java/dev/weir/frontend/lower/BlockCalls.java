package dev.weir.frontend.lower;

import dev.weir.frontend.resolve.Names;
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
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Lowers calls of blocks: which instance runs, and which state it works on. */
final class BlockCalls {
    static final String FORWARD = "forward";

    private final Body body;
    private final Map<String, List<Span>> sites = new HashMap<>();

    BlockCalls(Body body) {
        this.body = body;
    }

    /**
     * A call, of one of the methods of a block.
     *
     * @param index by which the block is chosen from a list
     * @param among the blocks that could be called here
     */
    private record Use(
            Expression.Call call, String method, Scope scope, Optional<Scalar> index,
            List<Meaning.Stretch> among) {
        Span span() {
            return call.span();
        }
    }

    /** Calls a block, or one that has been chosen from a list. */
    Meaning call(Meaning owner, String method, Expression.Call c, Scope scope) {
        return switch (owner) {
            case Meaning.Blocks b -> block(single(b, c.span()), Optional.empty(),
                    new Use(c, method, scope, Optional.empty(), b.stretches()));
            case Meaning.Chosen chosen -> {
                Scalar index = body.evaluator.scalar(chosen.index(), chosen.span());
                yield chosen(chosen, index, new Use(c, method, scope, Optional.of(index),
                        chosen.blocks().stretches()));
            }
            default -> throw new IllegalStateException("no block: " + owner);
        };
    }

    /** The one block that a member is, if it is not a list. */
    Meaning.Stretch single(Meaning.Blocks blocks, Span span) {
        if (blocks.isList()) {
            throw body.session.fail(Diagnostic.error("E0303", span,
                            "`" + blocks.name() + "` is a list of blocks")
                    .with(blocks.span(), "declared here")
                    .helped("choose one of them: `" + blocks.name() + "[i]`"));
        }
        return blocks.stretches().getFirst();
    }

    private Meaning chosen(Meaning.Chosen chosen, Scalar index, Use use) {
        List<Meaning.Stretch> stretches = chosen.blocks().stretches();
        Optional<Long> known = Scalars.wholeConstant(index);
        if (known.isPresent() && !(chosen.index() instanceof Meaning.Unknown)) {
            for (Meaning.Stretch s : stretches) {
                int at = s.places().list().indexOf(known.get());
                if (at >= 0) {
                    return block(s, Optional.of(Scalar.whole(at)), use);
                }
            }
        }
        if (!Scalars.indices(index).isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0403", chosen.span(),
                            "here another block would be called for each element of an equation")
                    .labelled("depends on an index of the equation")
                    .helped("choose by a loop's number, or write the choice out: `sum[j] w[j] * "
                            + chosen.blocks().name() + "[e[j]](x)[d]`"));
        }
        if (!body.session.isChecking() && !body.isCounted(index)) {
            if (!use.method().equals(FORWARD) || use.call().using().isPresent()) {
                body.session.unsupported("E0403", chosen.span(),
                        "another method, or `using`, of a block that is chosen by data",
                        "call `forward` of it");
            }
            return body.routes.one(chosen, index, use.call(), use.scope());
        }
        if (stretches.size() == 1) {
            return block(stretches.getFirst(), Optional.of(index), use);
        }
        return nested(stretches, 0, index, use);
    }

    /** A list of unlike blocks at an index: nested branches on the index. */
    private Meaning nested(
            List<Meaning.Stretch> stretches, int at, Scalar index, Use use) {
        Meaning.Stretch stretch = stretches.get(at);
        Scalar local = stretch.places().number(index);
        if (at == stretches.size() - 1) {
            return block(stretch, Optional.of(local), use);
        }
        Value condition = body.scalarValue("is_" + at,
                stretch.places().contains(index), use.span());
        body.openRegion();
        List<Meaning> then = all(block(stretch, Optional.of(local), use));
        Region first = new Region(List.of(), body.closeRegion(), values(then));
        body.openRegion();
        List<Meaning> otherwise = all(nested(stretches, at + 1, index, use));
        Region second = new Region(List.of(), body.closeRegion(), values(otherwise));
        if (then.size() != otherwise.size()) {
            throw body.session.fail(Diagnostic.error("E0205", use.span(),
                            "the blocks of this list do not give equally many values: "
                                    + then.size() + " and " + otherwise.size())
                    .helped("give them the same results"));
        }
        List<Value> results = new ArrayList<>();
        List<Meaning> meanings = new ArrayList<>();
        for (int i = 0; i < then.size(); i++) {
            Meaning.Tensor one = (Meaning.Tensor) then.get(i);
            body.control.checkSame("result " + i, one, (Meaning.Tensor) otherwise.get(i),
                    use.span(), "one block", "another");
            Value result = body.newValue("chosen", one.format(), one.shape());
            results.add(result);
            meanings.add(body.stored(result, one.shape(), use.span()));
        }
        body.emit(new Node.If(results, condition, first, second, use.span()));
        return meanings.size() == 1 ? meanings.getFirst() : new Meaning.Several(meanings);
    }

    private static List<Meaning> all(Meaning meaning) {
        return meaning instanceof Meaning.Several s ? s.items() : List.of(meaning);
    }

    private static List<Value> values(List<Meaning> meanings) {
        return meanings.stream().map(m -> ((Meaning.Tensor) m).value().orElseThrow()).toList();
    }

    /** What {@code none} gives: zeros, in the shapes of the blocks beside it. */
    private Meaning nothing(Use use) {
        Template other = use.among().stream().map(Meaning.Stretch::template)
                .filter(t -> !(t instanceof Template.None)).findFirst()
                .orElseThrow(() -> body.session.fail(Diagnostic.error("E0208", use.span(),
                                "`none` gives what the blocks beside it give, and here is none")
                        .helped("put a block into the list")));
        Signatures.Shape shape = new Signatures(body).of(other, use.method())
                .orElseThrow(() -> noMethod(other, use));
        Matching.Matched m = new Matching(body).match(use.call().function().span().text(),
                shape.signature(), shape.scope().inner(), use.call(), use.scope(), false);
        List<Meaning> results = new ArrayList<>();
        for (int i = 0; i < m.results().size(); i++) {
            Format format = Formats.declared(shape.signature().results().get(i).type());
            List<Dimension> axes = m.results().get(i);
            results.add(body.stored(body.constant(
                    "none", Scalars.zero(format), axes, use.span()), axes, use.span()));
        }
        return results.size() == 1 ? results.getFirst() : new Meaning.Several(results);
    }

    private Meaning block(Meaning.Stretch stretch, Optional<Scalar> index, Use use) {
        if (stretch.template() instanceof Template.None) {
            return nothing(use);
        }
        Signatures.Shape shape = new Signatures(body).of(stretch.template(), use.method())
                .orElseThrow(() -> noMethod(stretch.template(), use));
        String text = use.call().function().span().text();
        Matching.Matched m = new Matching(body).match(
                text, shape.signature(), shape.scope().inner(), use.call(), use.scope(), false);
        boolean stateful = Templates.hasState(stretch.template());
        if (stateful && !m.lifted().isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0502", use.span(),
                            "`" + text + "` remembers, so it cannot be applied along the axis "
                                    + m.lifted().getFirst().describe())
                    .with(shape.signature().span(), "it is written for one step of it")
                    .helped("say the order: `scan t { … }`"));
        }
        List<Scalar> instances = new ArrayList<>(body.instanceScalars());
        if (stretch.indexed()) {
            instances.add(index.orElseThrow());
        }
        Place place = stretch.place();
        if (use.call().using().isPresent()) {
            place = shared(stretch, instances, use);
        } else if (stateful && !body.session.isChecking()) {
            place = placed(place, instances, use);
        }
        if (body.session.isChecking()
                || !(stretch.template() instanceof Template.Concrete concrete)) {
            return body.calls.results(m, shape.signature(), use.span());
        }
        if (body.session.variant().isDropped(stretch.place())) {
            return withoutBlock(concrete, m, use);
        }
        String name = new Instances(body.session).block(concrete, use.method(), place,
                m.implicit(), body.frame.precision(), use.span());
        Meaning result = body.calls.emitCall(
                name, instances, m, shape.signature(), use.span());
        traceResults(use.method().equals(FORWARD) ? place.path()
                : Place.join(place.path(), use.method()), instances, shape.signature(), result);
        return result;
    }

    /** What a call gives whose block a derived model leaves out. */
    private Meaning withoutBlock(Template.Concrete block, Matching.Matched m, Use use) {
        List<Meaning> results = new ArrayList<>();
        Declaration.Method method = block.declaration().method(use.method()).orElseThrow();
        for (int i = 0; i < m.results().size(); i++) {
            List<Dimension> shape = m.results().get(i);
            Format format = Formats.declared(method.signature().results().get(i).type());
            boolean handsOn = i == 0 && Residual.goesThrough(method)
                    && m.arguments().getFirst().type().equals(new TensorType(
                            format, shape.stream().map(Dimension::size).toList()));
            Value value = handsOn ? m.arguments().getFirst()
                    : body.constant("dropped", Scalars.zero(format), shape, use.span());
            results.add(body.stored(value, shape, use.span()));
        }
        return results.size() == 1 ? results.getFirst() : new Meaning.Several(results);
    }

    private Failure noMethod(Template template, Use use) {
        Diagnostic missing = Diagnostic.error("E0208", use.span(),
                "this block has no `" + use.method() + "`");
        return body.session.fail(template instanceof Template.Concrete c
                ? missing.with(c.declaration().span(), "it has "
                        + c.declaration().methods().stream().map(x -> "`" + x.name() + "`")
                                .collect(Collectors.joining(", ")))
                : missing.helped("a block that is a generic has `forward` only"));
    }

    /**
     * A state of its own for each loop around the call and each place that calls; the first calls
     * of different methods share one, so do the second ones, and so on.
     */
    private Place placed(Place place, List<Scalar> instances, Use use) {
        Place found = place;
        Span call = use.span();
        List<Span> known = sites.computeIfAbsent(
                place.path() + " " + use.method(), p -> new ArrayList<>());
        if (!known.contains(call)) {
            known.add(call);
        }
        int site = known.indexOf(call);
        if (site > 0) {
            found = found.then(new Place.Site(site + 1));
        }
        List<Body.Around> outermostFirst = new ArrayList<>(body.loops).reversed();
        outermostFirst.removeIf(Body.Around::scans);
        for (Body.Around loop : outermostFirst) {
            boolean chooses = use.index().filter(i -> tellsApart(i, loop.index())).isPresent();
            if (!chooses) {
                long count = loop.end().orElseThrow(() -> body.session.fail(
                        Diagnostic.error("E0504", call, "a block that remembers is called in "
                                        + "a loop whose length is not known")
                                .with(loop.span(), "this loop")));
                found = found.then(new Place.Iteration(count));
                instances.add(Scalar.load(loop.index(), List.of()));
            }
        }
        return found;
    }

    /** Whether an index is another one in each round of a loop. */
    private static boolean tellsApart(Scalar index, Value round) {
        try {
            Map<Scalar, Long> factors = Linear.of(index).factors();
            return factors.size() == 1
                    && factors.getOrDefault(Scalar.load(round, List.of()), 0L) != 0;
        } catch (ArithmeticException tooLarge) {
            return false;
        }
    }

    /** The state that {@code using} names, of the block that calls. */
    private Place shared(Meaning.Stretch stretch, List<Scalar> instances, Use use) {
        Expression using = use.call().using().orElseThrow();
        if (stretch.template() instanceof Template.Concrete
                && !Templates.hasState(stretch.template())) {
            throw body.session.fail(Diagnostic.error("E0508", using.span(),
                            "`using` names a state, and this block remembers nothing")
                    .with(((Template.Concrete) stretch.template()).declaration().span(),
                            "declared without `state`")
                    .helped("leave it out"));
        }
        Expression base = using instanceof Expression.Access a ? a.base() : using;
        String name = ((Expression.Name) base).name();
        Place place = stretch.place().then(
                new Place.Shared(name, body.frame.place().steps().size()));
        if (using instanceof Expression.Access a) {
            for (Expression.Subscript subscript : a.subscripts()) {
                Scalar index = body.evaluator.scalar(body.evaluator.evaluate(
                        subscript.from(), use.scope(), true), using.span());
                Optional<Long> count = body.bounds.count(index);
                if (count.isEmpty() && !body.session.isChecking()) {
                    throw body.session.fail(Diagnostic.error("E0508", using.span(),
                                    "how many states `" + name + "` has must be known, and `"
                                            + subscript.from().span().text()
                                            + "` has no range that is")
                            .helped("use numbers of loops, and constants"));
                }
                place = place.then(new Place.Iteration(count.orElse(1L)));
                instances.add(index);
            }
        }
        return place;
    }

    private void traceResults(
            String path, List<Scalar> instances, Declaration.Signature signature,
            Meaning result) {
        if (!body.session.isTracing()) {
            return;
        }
        List<Meaning> all = all(result);
        for (int i = 0; i < all.size(); i++) {
            String one = all.size() == 1 ? path
                    : path + "." + signature.results().get(i).name();
            body.emit(new Node.Trace(
                    one, instances, ((Meaning.Tensor) all.get(i)).value().orElseThrow()));
        }
    }

    /**
     * A member of a block: a parameter, a size, or a block in it.
     *
     * @param owner a block, or one chosen from a list
     */
    Meaning member(Meaning owner, String name, Span span) {
        Meaning.Stretch stretch;
        List<Scalar> instances = new ArrayList<>(body.instanceScalars());
        if (owner instanceof Meaning.Chosen chosen) {
            if (chosen.blocks().stretches().size() > 1) {
                throw body.session.fail(Diagnostic.error("E0910", span,
                                "members of a list of unlike blocks cannot be used")
                        .with(chosen.blocks().span(), "declared here")
                        .helped("keep the blocks of one kind in a list of their own"));
            }
            stretch = chosen.blocks().stretches().getFirst();
            instances.add(body.evaluator.scalar(chosen.index(), chosen.span()));
        } else {
            stretch = single((Meaning.Blocks) owner, span);
        }
        if (!(stretch.template() instanceof Template.Concrete concrete)) {
            throw body.session.fail(Diagnostic.error("E0208", span,
                            "this block is a generic, whose members are not known")
                    .helped("use a block of a known kind"));
        }
        if (concrete.declaration().method(name).isPresent()) {
            return new Meaning.Method(owner, name);
        }
        Frame frame = Frame.ofBlock(
                body.session, concrete, stretch.place(), body.frame.precision());
        Meaning found = frame.scope().find(name).orElse(null);
        boolean chosen = owner instanceof Meaning.Chosen;
        return switch (found) {
            case Meaning.ParameterReference p -> frame.parameter(p.declaration(), body, instances);
            case Meaning.Whole w -> w;
            case Meaning.Real r -> r;
            case Meaning.Truth t -> t;
            case Meaning.Blocks b when !chosen -> b;
            case Meaning.Blocks b -> throw body.fail("E0910", span,
                    "blocks inside a block of a list cannot be used from outside");
            case Meaning.StateReference s -> throw body.session.fail(
                    Diagnostic.error("E0208", span, "`" + name + "` is what another block "
                                    + "remembers")
                            .with(s.declaration().span(), "declared here")
                            .helped("give that block a method that tells it"));
            case null, default -> throw noMember(concrete.declaration(), name, span);
        };
    }

    private Failure noMember(Declaration.Block block, String name, Span span) {
        List<String> members = new ArrayList<>();
        block.methods().forEach(m -> members.add(m.name()));
        block.parameters().forEach(p -> members.add(p.name()));
        block.instances().forEach(i -> members.add(i.name()));
        block.generics().forEach(g -> members.add(g.name()));
        return body.session.fail(Diagnostic.error("E0203", span,
                        "`" + block.name() + "` has no member `" + name + "`")
                .with(block.span(), "declared here")
                .helped(Names.suggest(name, members).map(s -> "did you mean `" + s + "`?")
                        .orElse("it has " + members.stream().map(m -> "`" + m + "`")
                                .collect(Collectors.joining(", ")))));
    }
}
