package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads what {@code precision { … }} says in a block. */
final class Encodings {
    private static final String THERE =
            "f32, bf16, f16, f8e4m3, f8e5m2, int8, int4 and int2 are there";

    private final Session session;
    private final Scope scope;
    private final Body constants;

    /** With what a block's sizes and settings are. */
    Encodings(Session session, Scope scope, Body constants) {
        this.session = session;
        this.scope = scope;
        this.constants = constants;
    }

    /** What a block says, over what the blocks around it said. */
    Precision of(Declaration.Block block, Precision around) {
        Map<String, Encoding> groups = new HashMap<>();
        List<Precision.Selected> selected = new ArrayList<>();
        for (Declaration.Precision p : block.precisions()) {
            Map<String, Span> seen = new HashMap<>();
            for (Declaration.PrecisionItem item : p.items()) {
                String selector = text(item.selector());
                Span before = seen.putIfAbsent(selector, item.span());
                if (before != null) {
                    session.report(Diagnostic.error("E0201", item.span(),
                                    "`" + item.selector().span().text() + "` is there twice")
                            .with(before, "first said here"));
                }
                Optional<Encoding> encoding = encoding(item)
                        .filter(e -> fits(selector, e, item));
                if (Precision.GROUPS.contains(selector)) {
                    encoding.ifPresent(e -> groups.put(selector, e));
                    encoding.filter(e -> selector.equals("activations"))
                            .flatMap(Encoding::quantisation)
                            .ifPresent(q -> session.wantRounding(item.span(), q.toString()));
                } else {
                    encoding.ifPresent(e -> session.selectors().put(
                            item.span(), item.selector().span().text()));
                    Selector members = Selector.of(item.selector(), constants, scope);
                    int first = members.parts().getFirst().name().equals("*") ? 1 : 0;
                    encoding.ifPresent(e -> selected.add(new Precision.Selected(new Selector(
                            members.parts().subList(first, members.parts().size())),
                            e, item.span())));
                }
            }
        }
        return around.with(groups, selected);
    }

    private static String text(Declaration.Selector selector) {
        String text = selector.span().text();
        return text.startsWith("*.") ? text.substring(2) : text;
    }

    private Optional<Encoding> encoding(Declaration.PrecisionItem item) {
        Expression wanted = item.format();
        if (wanted instanceof Expression.Call call
                && call.function() instanceof Expression.Name name) {
            return quantisation(call, name.name());
        }
        Meaning meaning = wanted instanceof Expression.Name name
                ? new Meaning.Text(name.name())
                : constants.evaluator.constant(lastIsFormat(wanted), scope);
        if (!(meaning instanceof Meaning.Text text)) {
            return Optional.empty();
        }
        return named(text.value(), wanted.span());
    }

    private Optional<Encoding> named(String word, Span span) {
        Optional<Encoding> quantised = Encoding.quantised(word);
        if (quantised.isPresent()) {
            return quantised;
        }
        Optional<Format> format = Formats.named(word);
        if (format.isEmpty() && Formats.isPlanned(word)) {
            session.report(unsupported(span, "format `" + word + "`", THERE));
        } else if (format.isEmpty()) {
            session.report(Diagnostic.error("E0601", span, "there is no format `" + word + "`")
                    .helped(THERE));
        }
        return format.map(Encoding::of);
    }

    /** {@code int4(group: 128, zero_point: true)}. */
    private Optional<Encoding> quantisation(Expression.Call call, String word) {
        Optional<Integer> bits = Quantisation.bits(word);
        if (bits.isEmpty()) {
            if (named(word, call.span()).isPresent()) {
                session.report(Diagnostic.error("E0604", call.span(),
                                "`" + word + "` has no settings")
                        .helped("int8, int4 and int2 have `group` and `zero_point`"));
            }
            return Optional.empty();
        }
        OptionalLong group = OptionalLong.empty();
        boolean zeroPoint = false;
        for (Expression.Argument argument : call.arguments()) {
            Meaning value = constants.evaluator.constant(argument.value(), scope);
            String name = argument.name().orElse("group");
            boolean isOpen = value instanceof Meaning.Unknown
                    || value instanceof Meaning.Whole size
                            && size.dimension().size().constant().isEmpty();
            if (isOpen) {
                continue;
            }
            if (name.equals("group") && value instanceof Meaning.Whole whole
                    && whole.dimension().size().constant().filter(g -> g > 0).isPresent()) {
                group = OptionalLong.of(whole.dimension().size().constant().get());
            } else if (name.equals("zero_point") && value instanceof Meaning.Truth truth) {
                zeroPoint = truth.value();
            } else {
                boolean isKnown = name.equals("group") || name.equals("zero_point");
                session.report(Diagnostic.error("E0604", argument.value().span(), isKnown
                                ? "`" + name + "` of `" + word + "` is "
                                        + (name.equals("group")
                                                ? "how many neighbours share a scale, at least 1"
                                                : "true or false")
                                : "`" + word + "` has no setting `" + name + "`")
                        .helped("write `" + word + "(group: 32)`, or `" + word
                                + "(group: 32, zero_point: true)`"));
                return Optional.empty();
            }
        }
        return Optional.of(Encoding.of(new Quantisation(bits.get(), group, zeroPoint)));
    }

    /** Whether what a selector names can be kept so; otherwise that has been said. */
    private boolean fits(String selector, Encoding encoding, Declaration.PrecisionItem item) {
        if (!encoding.format().isFloat()) {
            session.report(Diagnostic.error("E0605", item.span(),
                            "`" + item.selector().span().text() + "` are numbers with fractions, "
                                    + "which `" + encoding.word() + "` cannot hold")
                    .helped(THERE + "; what is whole or true by nature is declared so: `state "
                            + "at[S]: int`"));
            return false;
        }
        boolean wide = selector.equals("compute") || selector.equals("accumulate");
        if (wide && !encoding.equals(Encoding.of(Format.F32))) {
            session.report(unsupported(item.span(),
                    "`" + selector + ": " + encoding.word() + "`", "calculation happens in f32"));
        } else if (selector.equals("activations") && encoding.quantisation()
                .filter(q -> q.zeroPoint() || q.bits() != 8).isPresent()) {
            session.report(unsupported(item.span(),
                    "`" + selector + ": " + encoding.word() + "`",
                    "activations can be `int8` or `int8(group: 32)`; of floats, f16, bf16, "
                            + "f8e4m3 and f8e5m2 are small"));
            return false;
        }
        return !wide;
    }

    /** What is said of a format that the language has, and nothing can be kept in yet. */
    static Diagnostic unsupported(Span span, String what, String help) {
        return Diagnostic.error("E0602", span, what + " cannot be compiled yet").helped(help);
    }

    /** In {@code config.dtype or f32} the last name is a format, not a value. */
    private static Expression lastIsFormat(Expression e) {
        return switch (e) {
            case Expression.Binary b when b.operator() == Expression.BinaryOperator.OR ->
                    new Expression.Binary(b.operator(), b.left(), lastIsFormat(b.right()),
                            b.span());
            case Expression.Name n -> new Expression.Text(n.name(), n.span());
            default -> e;
        };
    }
}
