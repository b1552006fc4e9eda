package dev.weir.frontend.lower;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * What can be asked about a list of the configuration: {@code contains(config.list, value)}, {@code
 * count(config.list)} and {@code count(config.list, fn(item) -> condition)}. A value that is
 * computed, such as a loop's number, is compared with each item.
 */
final class ConfigurationLists {
    static final Set<String> NAMES = Set.of("contains", "count");

    private final Body body;

    ConfigurationLists(Body body) {
        this.body = body;
    }

    Meaning call(String name, Expression.Call c, Scope scope, boolean element) {
        boolean contains = name.equals("contains");
        int count = c.arguments().size();
        boolean fits = contains ? count == 2 : count == 1 || count == 2;
        if (!fits || !(body.evaluator.evaluate(c.arguments().getFirst().value(), scope, false)
                instanceof Meaning.ConfigurationField list) || list.isCount()) {
            throw body.session.fail(contains
                    ? Diagnostic.error("E0209", c.span(),
                                    "`contains` takes a list of the configuration and a value")
                            .helped("write `contains(config.name, value)`")
                    : Diagnostic.error("E0209", c.span(),
                                    "`count` takes a list of the configuration, and what to count")
                            .helped("write `count(config.name)`, or `count(config.name, fn(item) "
                                    + "-> item > 2)`"));
        }
        return count == 1 ? new Meaning.ConfigurationField(list.path(), true)
                : contains ? contains(list, c.arguments().get(1).value(), scope, element)
                : counted(list, c.arguments().get(1).value(), scope);
    }

    private List<JsonNode> items(Meaning.ConfigurationField list) {
        return body.session.configuration().field(list.path()).stream()
                .flatMap(node -> StreamSupport.stream(node.spliterator(), false)).toList();
    }

    private Meaning contains(
            Meaning.ConfigurationField list, Expression value, Scope scope, boolean element) {
        Meaning wanted = body.evaluator.settle(
                body.evaluator.evaluate(value, scope, element), value.span());
        if (wanted instanceof Meaning.Unknown || !body.session.configuration().isKnown()) {
            return new Meaning.Unknown();
        }
        Optional<String> known = switch (wanted) {
            case Meaning.Whole w -> w.dimension().size().constant().map(String::valueOf);
            case Meaning.Text t -> Optional.of(t.value());
            case Meaning.Truth t -> Optional.of(String.valueOf(t.value()));
            default -> Optional.empty();
        };
        if (known.isPresent()) {
            return new Meaning.Truth(
                    items(list).stream().anyMatch(item -> item.asText().equals(known.get())));
        }
        return body.operations.elementwise(List.of(wanted), value.span(), element,
                s -> oneOf(s.getFirst(), items(list), value.span()));
    }

    private Scalar oneOf(Scalar wanted, List<JsonNode> items, Span span) {
        if (wanted.format() != Format.I64) {
            throw body.fail("E0209", span,
                    "`contains` compares whole numbers, texts and truth values");
        }
        return items.stream().filter(i -> i.isIntegralNumber() && i.canConvertToLong())
                .map(i -> (Scalar) Scalar.apply(
                        Operation.EQUAL, wanted, Scalar.whole(i.longValue())))
                .reduce((a, b) -> Scalar.apply(Operation.OR, a, b))
                .orElse(Scalar.truth(false));
    }

    /** How many items there are for which a condition holds. */
    private Meaning counted(Meaning.ConfigurationField list, Expression condition, Scope scope) {
        Meaning function = body.evaluator.evaluate(condition, scope, false);
        if (!(function instanceof Meaning.Closure f) || f.lambda().names().size() != 1) {
            throw body.session.fail(Diagnostic.error("E0209", condition.span(),
                            "`count` asks something of each item")
                    .helped("write `count(config.name, fn(item) -> item > 2)`"));
        }
        if (!body.session.configuration().isKnown()) {
            holds(f, new Meaning.Unknown());
            return new Meaning.Unknown();
        }
        long known = 0;
        Optional<Scalar> computed = Optional.empty();
        for (JsonNode item : items(list)) {
            Meaning holds = holds(f,
                    body.evaluator.configured(list.path(), item, f.lambda().span()));
            if (holds instanceof Meaning.Truth t) {
                known += t.value() ? 1 : 0;
                continue;
            }
            Scalar one = body.evaluator.scalar(holds, f.lambda().body().span());
            if (one.format() != Format.BOOL) {
                throw body.session.fail(Diagnostic.error("E0401", f.lambda().body().span(),
                                "a condition is a truth value, here is a number")
                        .helped("compare it with something: `… > 0`"));
            }
            Scalar next = Scalar.apply(
                    Operation.SELECT, one, Scalar.whole(1), Scalar.whole(0));
            computed = Optional.of(computed.map(
                    sum -> (Scalar) Scalar.apply(Operation.ADD, sum, next)).orElse(next));
        }
        long all = known;
        return computed.<Meaning>map(sum -> new Meaning.Element(
                        Scalar.apply(Operation.ADD, sum, Scalar.whole(all))))
                .orElseGet(() -> new Meaning.Whole(Dimension.of(all)));
    }

    private Meaning holds(Meaning.Closure f, Meaning item) {
        Scope inner = f.scope().inner();
        inner.define(f.lambda().names().getFirst(), item);
        return body.evaluator.settle(
                body.evaluator.evaluate(f.lambda().body(), inner, true), f.lambda().span());
    }
}
