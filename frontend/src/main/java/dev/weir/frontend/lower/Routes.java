package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Lowers calls of blocks chosen by data: {@code route x to blocks by top(k, p)}, and what that
 * abbreviates, {@code sum[j] w[j] * blocks[e[j]](x)[d]}.
 */
final class Routes {
    /** The parts of an explicit sum over chosen blocks. */
    record Pattern(
            String index,
            List<Expression> weights,
            Expression.Name blocks,
            Expression.Access selection,
            Expression.Call call,
            Expression.Access access) {}

    /** The number that {@code none} is. */
    static final long NO_BLOCK = -1;

    private final Body body;

    Routes(Body body) {
        this.body = body;
    }

    Meaning route(Expression.Route r, Scope scope) {
        Meaning.Blocks blocks = list(r.blocks(), scope);
        if (!r.selector().equals("top")) {
            throw body.session.fail(Diagnostic.error("E0403", r.span(),
                            "blocks are chosen by `top(count, scores)`, not by `" + r.selector()
                                    + "`"));
        }
        List<Expression> plain = new ArrayList<>();
        boolean normalize = false;
        Optional<Meaning.Tensor> weights = Optional.empty();
        for (Expression.Argument argument : r.arguments()) {
            String name = argument.name().orElse("");
            switch (name) {
                case "" -> plain.add(argument.value());
                case "normalize" -> normalize = body.evaluator.constant(argument.value(), scope)
                        instanceof Meaning.Truth t && t.value();
                case "weights" -> weights = Optional.of(tensor(argument.value(), scope));
                default -> throw body.session.fail(Diagnostic.error("E0209",
                                argument.value().span(), "`top` has no setting `" + name + "`")
                        .helped("it has `normalize` and `weights`"));
            }
        }
        if (plain.size() != 2) {
            throw body.session.fail(Diagnostic.error("E0209", r.span(),
                            "`top` takes a count and the scores")
                    .helped("write `top(K, p)`"));
        }
        Dimension count = body.evaluator.dimension(plain.get(0), scope);
        Meaning.Tensor scores = tensor(plain.get(1), scope);
        checkScores(scores, plain.get(1).span(), blocks);
        checkCount(count, blocks, plain.get(0).span());
        Value operand = body.materialise(scores, "scores", r.span());
        Value values = body.newValue("top", scores.format(), List.of(count));
        Value indices = body.newValue("chosen", Format.I64, List.of(count));
        body.emit(new Node.TopK(values, indices, operand, count.size().constant().orElse(1L),
                r.span()));
        Value picked = weights.map(w -> picked(w, indices, count, blocks, r.span()))
                .orElse(values);
        if (normalize) {
            picked = normalized(picked, count, r.span());
        }
        List<Expression.Argument> arguments = r.operands().stream()
                .map(e -> new Expression.Argument(Optional.empty(), e)).toList();
        Expression.Call call = new Expression.Call(
                r.blocks(), arguments, Optional.empty(), r.span());
        return emit(blocks, indices, picked, call, scope, false);
    }

    private Meaning.Blocks list(Expression e, Scope scope) {
        Meaning meaning = body.evaluator.evaluate(e, scope, false);
        if (meaning instanceof Meaning.Blocks b && b.isList()) {
            return b;
        }
        throw body.session.fail(Diagnostic.error("E0403", e.span(),
                        "`" + e.span().text() + "` is not a list of blocks")
                .helped("declare one: `" + e.span().text() + ": Block<…> * N`"));
    }

    private Meaning.Tensor tensor(Expression e, Scope scope) {
        return body.evaluator.tensor(body.evaluator.evaluate(e, scope, false), e.span());
    }

    private void checkScores(Meaning.Tensor scores, Span span, Meaning.Blocks blocks) {
        if (scores.rank() != 1) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            "a choice needs one score for each block, these scores have "
                                    + Evaluator.axes(scores.rank()))
                    .labelled("its axes are " + Signatures.shape(scores.shape()))
                    .helped("write the block for one token, and apply it to many"));
        }
        Dimension found = scores.shape().getFirst();
        if (found.differs(blocks.count())) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            "there are " + found.describe() + " scores for "
                                    + blocks.count().describe() + " blocks")
                    .with(blocks.span(), "the blocks"));
        }
    }

    private void checkCount(Dimension count, Meaning.Blocks blocks, Span span) {
        Optional<Long> k = count.size().constant();
        Optional<Long> n = blocks.count().size().constant();
        if (k.isPresent() && (k.get() < 1 || n.isPresent() && k.get() > n.get())) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            k.get() + " of " + blocks.count().describe()
                                    + " blocks cannot be chosen")
                    .with(blocks.span(), "the blocks"));
        }
    }

    private Value picked(
            Meaning.Tensor weights, Value chosen, Dimension count, Meaning.Blocks blocks,
            Span span) {
        checkScores(weights, span, blocks);
        Value source = body.materialise(weights, "weights", span);
        Index j = body.index("j", count);
        // What top gives are indices of the scores, of which there are as many as weights.
        Scalar weight = Scalar.load(source,
                List.of(Scalar.load(chosen, List.of(Scalar.variable(j)))));
        return body.compute("weights", List.of(j), Optional.empty(),
                Scalars.convert(weight, Format.F32), span);
    }

    private Value normalized(Value values, Dimension count, Span span) {
        Index i = body.index("j", count);
        Value sum = body.compute("sum", List.of(), Optional.of(new Reduction(
                        Reduction.Kind.SUM, List.of(body.axis(i)), Optional.empty())),
                Scalar.load(values, List.of(Scalar.variable(i))), span);
        Index j = body.index("j", count);
        return body.compute("weights", List.of(j), Optional.empty(),
                Scalar.apply(Operation.DIVIDE,
                        Scalar.load(values, List.of(Scalar.variable(j))),
                        Scalar.load(sum, List.of())), span);
    }

    /** @param orNone whether a choice may be the number of blocks, which stands for none of them */
    private Meaning emit(
            Meaning.Blocks blocks, Value selection, Value weights, Expression.Call call,
            Scope scope, boolean orNone) {
        Span span = call.span();
        boolean remembers = blocks.stretches().stream()
                .anyMatch(stretch -> Templates.hasState(stretch.template()));
        if (remembers && !body.session.isChecking()) {
            return new OneByOne(body).emit(blocks, selection, weights, call, scope);
        }
        List<Node.Alternative> alternatives = new ArrayList<>();
        List<Dimension> shape = List.of();
        List<Value> arguments = List.of();
        boolean known = false;
        for (Meaning.Stretch stretch : blocks.stretches()) {
            if (stretch.template() instanceof Template.None) {
                stretch.places().stretches().forEach(s -> alternatives.add(
                        Node.Alternative.none(s.first(), s.count())));
                continue;
            }
            Matching.Matched m = matched(blocks, stretch, call, scope);
            List<Dimension> own = m.results().getFirst();
            if (!known) {
                known = true;
                shape = own;
                arguments = m.arguments();
            }
            if (!body.session.isChecking()
                    && stretch.template() instanceof Template.Concrete concrete) {
                String name = new Instances(body.session).block(concrete,
                        BlockCalls.FORWARD, stretch.place(),
                        m.implicit(), body.frame.precision(), span);
                stretch.places().stretches().forEach(s -> alternatives.add(new Node.Alternative(
                        name, s.first(), s.count(), stretch.indexed(), s.start())));
            }
        }
        if (!known) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            "`" + blocks.name() + "` holds no block that could be chosen")
                    .with(blocks.span(), "declared here"));
        }
        if (orNone) {
            alternatives.add(Node.Alternative.none(
                    blocks.count().size().constant().orElse(0L), 1));
        }
        alternatives.sort(Comparator.comparingLong(Node.Alternative::first));
        Value result = body.newValue("routed", Format.F32, shape);
        body.emit(new Node.Route(result, selection, weights, alternatives,
                body.instanceScalars(), arguments,
                Place.join(body.frame.place().path(), blocks.name()), span));
        return body.stored(result, shape, span);
    }

    /** The call of one of the blocks, which are called alike. */
    Matching.Matched matched(
            Meaning.Blocks blocks, Meaning.Stretch stretch, Expression.Call call, Scope scope) {
        Signatures.Shape signature = new Signatures(body).of(stretch.template())
                .orElseThrow(() -> body.fail("E0208", call.span(), "a block has no `forward`"));
        Matching.Matched m = new Matching(body).match(blocks.name(), signature.signature(),
                signature.scope().inner(), call, scope, false);
        checkRoutable(m, signature.signature(), call.span());
        return m;
    }

    private void checkRoutable(
            Matching.Matched m, Declaration.Signature signature, Span span) {
        if (signature.results().size() != 1) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            "blocks that are chosen give one result")
                    .with(signature.span(), "this one gives " + signature.results().size()));
        }
        if (!m.lifted().isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0403", span,
                            "the choice is made once, but its argument has the extra axis "
                                    + m.lifted().getFirst().describe())
                    .with(signature.span(), "the blocks are written for less")
                    .helped("write this block for one token too"));
        }
    }

    /** Lowers {@code sum[j] w[j] * blocks[e[j]](x)[d]}, if that is what this is. */
    Optional<Meaning> explicit(Expression.Reduction r, Scope scope) {
        Optional<Pattern> found = pattern(r).filter(p ->
                scope.find(p.blocks().name()).orElse(null) instanceof Meaning.Blocks);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Pattern p = found.get();
        Meaning.Blocks blocks = list(p.blocks(), scope);
        Meaning.Tensor selection = tensor(p.selection().base(), scope);
        if (selection.rank() != 1 || !selection.format().isInteger()) {
            throw body.fail("E0403", p.selection().span(),
                    "blocks are chosen by a vector of whole numbers");
        }
        Scope inner = scope.inner();
        Index j = body.ranges.introduce(p.index(), r.span(), r.bindings().getFirst().range(),
                List.of(r.body()), inner);
        Scalar weight = Scalar.real(1);
        for (Expression factor : p.weights()) {
            Scalar next = Scalars.convert(body.evaluator.scalar(
                    body.evaluator.evaluate(factor, inner, true), factor.span()), Format.F32);
            weight = weight.equals(Scalar.real(1)) ? next
                    : Scalar.apply(Operation.MULTIPLY, weight, next);
        }
        if (Scalars.indices(weight).stream().anyMatch(i -> !i.equals(j))) {
            throw body.fail("E0403", r.span(),
                    "the weight of a chosen block depends on `" + p.index() + "` only");
        }
        Value weights = body.compute("weights", List.of(j), Optional.empty(), weight, r.span());
        boolean proved = isProved(selection, blocks);
        Value chosen = body.materialise(
                proved ? selection : orNone(selection, blocks), "chosen", r.span());
        Meaning.Tensor result = (Meaning.Tensor) emit(blocks, chosen, weights,
                new Expression.Call(p.blocks(), p.call().arguments(), Optional.empty(),
                        p.call().span()), scope, !proved);
        Scope known = scope.inner();
        String name = "routed result";
        known.define(name, result);
        return Optional.of(body.evaluator.evaluate(new Expression.Access(
                new Expression.Name(name, p.call().span()), p.access().subscripts(),
                p.access().fallback(), p.access().span()), known, true));
    }

    /** One block chosen by data is a choice of one, whose weight is 1. */
    Meaning one(Meaning.Chosen chosen, Scalar index, Expression.Call call, Scope scope) {
        Span span = call.span();
        Dimension one = Dimension.of(1);
        Meaning.Tensor selection = new Meaning.Tensor(
                List.of(one), Format.I64, at -> index, Optional.empty(), chosen.span());
        boolean proved = isProved(selection, chosen.blocks());
        Value picked = body.materialise(
                proved ? selection : orNone(selection, chosen.blocks()), "chosen", span);
        Value weights = body.constant("weights", Scalar.real(1), List.of(one), span);
        Expression blocks = call.function() instanceof Expression.Access a
                ? a.base() : call.function();
        return emit(chosen.blocks(), picked, weights, new Expression.Call(
                blocks, call.arguments(), Optional.empty(), span), scope, !proved);
    }

    private boolean isProved(Meaning.Tensor selection, Meaning.Blocks blocks) {
        Scalar any = selection.reader().at(List.of(
                Scalar.variable(body.index("j", selection.shape().getFirst()))));
        return body.bounds.inside(any, blocks.count().size()) == Bounds.Verdict.PROVED;
    }

    /** The choices, checked when the program runs; {@code none} becomes the number of blocks. */
    private static Meaning.Tensor orNone(Meaning.Tensor selection, Meaning.Blocks blocks) {
        Scalar count = Scalar.extent(blocks.count().size());
        return new Meaning.Tensor(selection.shape(), selection.format(), at -> {
            Scalar chosen = selection.reader().at(at);
            Scalar known = Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.EQUAL, chosen, Scalar.whole(NO_BLOCK)),
                    Scalar.whole(0), chosen);
            return Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.EQUAL, chosen, Scalar.whole(NO_BLOCK)), count,
                    Accesses.within(known, blocks.count(), 0, blocks.name()));
        }, Optional.empty(), selection.span());
    }

    Optional<Pattern> pattern(Expression.Reduction r) {
        if (r.reducer() != Expression.Reducer.SUM || r.bindings().size() != 1
                || r.filter().isPresent()) {
            return Optional.empty();
        }
        String index = r.bindings().getFirst().name();
        List<Expression> factors = new ArrayList<>();
        factors(r.body(), factors);
        for (Expression factor : factors) {
            if (factor instanceof Expression.Access access
                    && access.base() instanceof Expression.Call call
                    && call.function() instanceof Expression.Access chosen
                    && chosen.base() instanceof Expression.Name blocks
                    && chosen.subscripts().size() == 1
                    && chosen.subscripts().getFirst().from() instanceof Expression.Access e
                    && e.subscripts().size() == 1
                    && e.subscripts().getFirst().from() instanceof Expression.Name j
                    && j.name().equals(index)) {
                factors.remove(factor);
                return Optional.of(new Pattern(index, factors, blocks, e, call, access));
            }
        }
        return Optional.empty();
    }

    private static void factors(Expression e, List<Expression> factors) {
        if (e instanceof Expression.Binary b
                && b.operator() == Expression.BinaryOperator.MULTIPLY) {
            factors(b.left(), factors);
            factors(b.right(), factors);
        } else {
            factors.add(e);
        }
    }
}
