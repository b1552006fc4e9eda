package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Optional;

/**
 * Lowers a choice among blocks that remember. Each has states of its own, which hold what entered
 * it, so the blocks are gone through in the order in which a choice sums them:
 *
 * <pre>
 *   sum[j] w[j] * blocks[e[j]](x)   ⇒   y = 0
 *                                       for n in 0..N {
 *                                           if any[j] e[j] == n {
 *                                               y += (sum[j] w[j] where e[j] == n) * blocks[n](x)
 *                                           }
 *                                       }
 * </pre>
 */
final class OneByOne {
    // No user can write these names.
    private static final String CHOSEN = "(chosen)";
    private static final String WEIGHTS = "(weights)";
    private static final String COUNT = "(blocks)";
    private static final String NUMBER = "(block)";
    private static final String CHOICE = "(choice)";
    private static final String SUM = "(routed)";

    private final Body body;

    OneByOne(Body body) {
        this.body = body;
    }

    /**
     * The sum of what the chosen blocks give.
     *
     * @param selection {@code i64[k]}
     * @param weights {@code f32[k]}
     */
    Meaning emit(
            Meaning.Blocks blocks, Value selection, Value weights, Expression.Call call,
            Scope scope) {
        Span span = call.span();
        List<Dimension> shape = List.of();
        for (Meaning.Stretch stretch : blocks.stretches()) {
            if (!(stretch.template() instanceof Template.None)) {
                shape = body.routes.matched(blocks, stretch, call, scope).results().getFirst();
            }
        }
        Dimension choices = new Dimension(
                selection.type().shape().getFirst(), selection.type().shape().getFirst());
        Scope inner = scope.inner();
        inner.define(CHOSEN, body.stored(selection, List.of(choices), span));
        inner.define(WEIGHTS, body.stored(weights, List.of(choices), span));
        inner.define(COUNT, new Meaning.Whole(blocks.count()));
        inner.define(SUM, body.stored(
                body.constant("routed", Scalars.zero(Format.F32), shape, span), shape, span));
        Expression isThis = new Expression.Binary(Expression.BinaryOperator.EQUAL,
                at(CHOSEN, CHOICE, span), name(NUMBER, span), span);
        List<Expression.Binding> choice =
                List.of(new Expression.Binding(CHOICE, Optional.empty(), span));
        Expression weight = new Expression.Reduction(Expression.Reducer.SUM, choice,
                at(WEIGHTS, CHOICE, span), Optional.of(isThis), span);
        Expression called = new Expression.Call(
                new Expression.Access(call.function(), List.of(place(NUMBER, span)),
                        Optional.empty(), span),
                call.arguments(), Optional.empty(), span);
        Statement add = new Statement.Assign(
                List.of(new Statement.Target(SUM, Optional.empty(), span)),
                Statement.Operator.ADD,
                new Expression.Binary(Expression.BinaryOperator.MULTIPLY, weight, called, span),
                span);
        Statement ifChosen = new Statement.If(
                new Expression.Reduction(
                        Expression.Reducer.ANY, choice, isThis, Optional.empty(), span),
                List.of(add), List.of(), span);
        body.control.loop(new Statement.For(Optional.empty(), NUMBER,
                new Expression.Range(new Expression.Literal(0, 0, true, span),
                        name(COUNT, span), span),
                List.of(ifChosen), span), inner);
        return inner.find(SUM).orElseThrow();
    }

    private static Expression name(String name, Span span) {
        return new Expression.Name(name, span);
    }

    private static Expression.Subscript place(String index, Span span) {
        return new Expression.Subscript(name(index, span), Optional.empty(), Optional.empty());
    }

    private static Expression at(String tensor, String index, Span span) {
        return new Expression.Access(
                name(tensor, span), List.of(place(index, span)), Optional.empty(), span);
    }
}
