package dev.weir.frontend.lower;

import dev.weir.frontend.Configuration;
import dev.weir.frontend.NamedShape;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Diagnostic.NamedSize;
import dev.weir.ir.type.Size;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds where sizes have their values from, and adds it to messages that name sizes.
 *
 * <pre>
 *   sizes: D = 64 from config.json: hidden_size
 *          F = 160 from `2 * D + 32` in `Layer`, D = 64 from config.json: hidden_size
 * </pre>
 */
final class SizeOrigins {
    /** What a literal that stands as the default of a generic is. */
    static final String DEFAULT = "by default";

    private static final int LONGEST = 60;
    /** Code in a message: {@code `…`}, axes {@code […]}, and {@code F = …}. */
    private static final Pattern CODE =
            Pattern.compile("`[^`]*`|\\[[^\\]]*\\]|\\b[A-Z]\\w* = ");
    private static final Pattern NAME = Pattern.compile("(?<![\\w.\"])[A-Za-z_]\\w*");

    private final Body body;

    SizeOrigins(Body body) {
        this.body = body;
    }

    /**
     * Where a value is from that an expression gives.
     *
     * @param stated what is said of a number that just stands there
     */
    SizeOrigin of(Expression e, Scope scope, String stated) {
        if (e instanceof Expression.Literal) {
            return new SizeOrigin(stated);
        }
        if (e instanceof Expression.Name n && scope.origin(n.name()).isPresent()) {
            return scope.origin(n.name()).get();
        }
        Configuration configuration = body.session.configuration();
        Optional<String> field = body.evaluator.field(e, scope);
        if (field.filter(f -> configuration.field(f).isPresent()).isPresent()) {
            return new SizeOrigin("from config.json: " + field.get());
        }
        if (e instanceof Expression.Binary b && b.operator() == Expression.BinaryOperator.OR
                && b.right() instanceof Expression.Literal) {
            return new SizeOrigin("from the fallback `or " + b.right().span().text()
                    + "`: config.json has no " + String.join(", ", fields(b.left(), scope)));
        }
        StringBuilder text = new StringBuilder("from `" + shortened(e.span().text()) + "`");
        text.append(stated.startsWith("stated") ? stated.substring("stated".length())
                : stated.equals(DEFAULT) ? "" : ", " + stated);
        fields(e, scope).forEach(path -> configuration.field(path).ifPresent(value ->
                text.append(", ").append(path).append(" = ").append(value)
                        .append(" in config.json")));
        Set<String> names = new LinkedHashSet<>();
        Trees.names(e, names);
        return new SizeOrigin(text.toString(), named(names, scope));
    }

    /** The fields of the configuration that an expression mentions. */
    Set<String> fields(Expression e, Scope scope) {
        Set<String> fields = new LinkedHashSet<>();
        Optional<String> own = e instanceof Expression.Binary
                ? Optional.empty() : body.evaluator.field(e, scope);
        own.ifPresentOrElse(fields::add,
                () -> Trees.children(e).forEach(c -> fields.addAll(fields(c, scope))));
        return fields;
    }

    /** The fields that an expression mentions and the configuration has, with their values. */
    List<String> present(Expression e, Scope scope) {
        return fields(e, scope).stream().flatMap(path -> body.session.configuration().field(path)
                .map(value -> "`" + path + "` in config.json is " + value).stream()).toList();
    }

    private static String shortened(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() > LONGEST ? line.substring(0, LONGEST) + "…" : line;
    }

    /** Where a size is from, seen in a scope in whose names it is written. */
    static Optional<SizeOrigin> of(Dimension size, Scope scope) {
        if (size.named() instanceof Size.Symbol name) {
            return scope.origin(name.name());
        }
        List<NamedSize> parts = named(size.named().symbols(), scope);
        return parts.isEmpty() ? Optional.empty() : Optional.of(
                new SizeOrigin("from `" + Polynomial.of(size.named()) + "`", parts));
    }

    private static List<NamedSize> named(Collection<String> names, Scope scope) {
        return names.stream().flatMap(name -> named(name, scope).stream()).toList();
    }

    private static Optional<NamedSize> named(String name, Scope scope) {
        return scope.number(name).flatMap(value -> scope.origin(name)
                .map(origin -> new NamedSize(name, value, origin.whole())));
    }

    /**
     * A message with the values and origins of the sizes that it names, and of those of the same
     * block that they are computed from.
     */
    static Diagnostic told(Diagnostic d, Scope scope) {
        StringBuilder texts = new StringBuilder(d.message()).append('\n').append(d.label());
        d.related().forEach(r -> texts.append('\n').append(r.label()));
        Map<String, NamedSize> sizes = new LinkedHashMap<>();
        Matcher code = CODE.matcher(texts);
        while (code.find()) {
            NAME.matcher(code.group()).results().forEach(n -> add(n.group(), scope, sizes));
        }
        return sizes.isEmpty() ? d : d.withSizes(List.copyOf(sizes.values()));
    }

    /** A shape with the values and origins of the sizes that it names. */
    static NamedShape shape(List<Dimension> shape, Scope scope) {
        Map<String, NamedSize> sizes = new LinkedHashMap<>();
        shape.forEach(d -> d.named().symbols().forEach(name -> add(name, scope, sizes)));
        return new NamedShape(Signatures.shape(shape), List.copyOf(sizes.values()));
    }

    private static void add(String name, Scope scope, Map<String, NamedSize> sizes) {
        Optional<NamedSize> size = named(name, scope);
        if (size.isEmpty() || sizes.containsKey(name)) {
            return;
        }
        SizeOrigin origin = scope.origin(name).orElseThrow();
        List<NamedSize> own = origin.parts().stream()
                .filter(p -> named(p.name(), scope).equals(Optional.of(p))).toList();
        sizes.put(name, new NamedSize(name, size.get().value(), origin.with(
                origin.parts().stream().filter(p -> !own.contains(p)).toList())));
        own.forEach(p -> add(p.name(), scope, sizes));
    }
}
