package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Fits arguments to a signature: binds the sizes that a call fixes, and finds the axes along which
 * the call is lifted, zipped by size name.
 */
final class Matching {
    /**
     * What a call comes to.
     *
     * @param implicit sizes that the arguments fixed, {@code T}
     * @param constants arguments that are constants of compilation
     * @param results each result's shape, lifted axes first
     */
    record Matched(
            List<Value> arguments,
            List<Node.Lift> lifts,
            List<Dimension> lifted,
            Map<String, Dimension> implicit,
            Map<String, Meaning> constants,
            List<List<Dimension>> results) {}

    private record Fitted(Meaning.Tensor tensor, List<Dimension> leading) {}

    private final Body body;

    Matching(Body body) {
        this.body = body;
    }

    Matched match(
            String name,
            Declaration.Signature signature,
            Scope sizes,
            Expression.Call c,
            Scope scope,
            boolean keepConstants) {
        List<Optional<Expression>> ordered =
                body.calls.ordered(name, signature, c.arguments(), c.span());
        List<Value> arguments = new ArrayList<>();
        List<List<Dimension>> leading = new ArrayList<>();
        Map<String, Meaning> constants = new LinkedHashMap<>();
        Map<String, Dimension> implicit = new LinkedHashMap<>();
        for (int i = 0; i < ordered.size(); i++) {
            Declaration.Formal formal = signature.formals().get(i);
            Span span = ordered.get(i).map(Expression::span).orElse(c.span());
            Meaning meaning = body.evaluator.settle(ordered.get(i).isPresent()
                    ? body.evaluator.evaluate(ordered.get(i).get(), scope, false)
                    : body.evaluator.constant(formal.value().orElseThrow(), sizes), span);
            boolean isConstant = meaning instanceof Meaning.Whole
                    || meaning instanceof Meaning.Real || meaning instanceof Meaning.Truth
                    || meaning instanceof Meaning.Unknown
                    || meaning instanceof Meaning.Closure
                    || meaning instanceof Meaning.FunctionReference;
            if (keepConstants && isConstant && formal.axes().isEmpty()) {
                constants.put(formal.name(), meaning);
                continue;
            }
            if (meaning instanceof Meaning.Several) {
                throw body.fail("E0308", span, "this gives several results, one is needed");
            }
            Fitted fitted = fit(name, body.evaluator.tensor(meaning, span), formal, sizes,
                    implicit, span);
            leading.add(fitted.leading());
            arguments.add(formatted(fitted.tensor(), formal, span));
        }
        List<Dimension> lifted = longest(leading);
        List<List<Boolean>> carried = new ArrayList<>();
        lifted.forEach(d -> carried.add(new ArrayList<>()));
        for (List<Dimension> own : leading) {
            List<Integer> places = Alignment.of(lifted, own).orElseThrow(() ->
                    body.session.fail(Diagnostic.error("E0310", c.span(),
                                    "the arguments of `" + name + "` have extra axes that do not "
                                            + "go together: " + Signatures.shape(lifted) + " and "
                                            + Signatures.shape(own))
                            .with(signature.span(), "it is written for less")
                            .helped("extra leading axes are matched by size")));
            for (int i = 0; i < lifted.size(); i++) {
                carried.get(i).add(places.contains(i));
            }
        }
        List<Node.Lift> lifts = new ArrayList<>();
        for (int i = 0; i < lifted.size(); i++) {
            lifts.add(new Node.Lift(lifted.get(i).size(), carried.get(i)));
        }
        List<List<Dimension>> results = new ArrayList<>();
        for (Declaration.Formal result : signature.results()) {
            List<Dimension> shape = new ArrayList<>(lifted);
            shape.addAll(body.evaluator.dimensions(result.axes(), sizes));
            results.add(shape);
        }
        return new Matched(arguments, lifts, lifted, implicit, constants, results);
    }

    private static List<Dimension> longest(List<List<Dimension>> leading) {
        List<Dimension> longest = List.of();
        for (List<Dimension> own : leading) {
            longest = own.size() > longest.size() ? own : longest;
        }
        return longest;
    }

    private Fitted fit(
            String name,
            Meaning.Tensor tensor,
            Declaration.Formal formal,
            Scope sizes,
            Map<String, Dimension> implicit,
            Span span) {
        int extra = tensor.rank() - formal.axes().size();
        if (extra < 0) {
            throw body.session.fail(Diagnostic.error("E0303", span,
                            "`" + name + "` needs " + Evaluator.axes(formal.axes().size())
                                    + " for `" + formal.name() + "`, here "
                                    + (tensor.rank() == 1 ? "is " : "are ")
                                    + Evaluator.axes(tensor.rank()))
                    .labelled("its axes are " + Signatures.shape(tensor.shape()))
                    .with(formal.span(), "declared here"));
        }
        for (int i = 0; i < formal.axes().size(); i++) {
            Dimension found = tensor.shape().get(extra + i);
            Expression axis = formal.axes().get(i);
            if (axis instanceof Expression.Name n && sizes.find(n.name()).isEmpty()) {
                sizes.define(n.name(), new Meaning.Whole(found));
                implicit.put(n.name(), found);
                continue;
            }
            Dimension wanted = body.evaluator.dimension(axis, sizes);
            if (wanted.differs(found)) {
                throw body.session.fail(Diagnostic.error("E0304", span,
                                "`" + name + "` needs " + wanted.describe() + " here, found "
                                        + found.describe())
                        .labelled("its axes are " + Signatures.shape(tensor.shape()))
                        .with(formal.span(), "`" + formal.span().text() + "` with "
                                + axis.span().text() + " = " + wanted.describe()));
            }
        }
        return new Fitted(tensor, tensor.shape().subList(0, extra));
    }

    private Value formatted(Meaning.Tensor tensor, Declaration.Formal formal, Span span) {
        Format wanted = Formats.declared(formal.type());
        Format found = tensor.format().compute();
        if (tensor.format() == wanted) {
            return body.materialise(tensor, formal.name(), span);
        }
        if (found != wanted && (!wanted.isFloat() || found == Format.BOOL)) {
            throw body.session.fail(Diagnostic.error("E0308", span,
                            "`" + formal.name() + "` is " + Formats.describe(wanted)
                                    + ", here is " + Formats.describe(found))
                    .with(formal.span(), "declared here"));
        }
        return body.materialise(new Meaning.Tensor(tensor.shape(), wanted,
                at -> Scalars.convert(tensor.reader().at(at), wanted), Optional.empty(), span),
                formal.name(), span);
    }
}
