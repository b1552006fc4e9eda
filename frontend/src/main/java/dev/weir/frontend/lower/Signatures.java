package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What blocks take and give, with sizes that only a call fixes ({@code T}) left open. */
final class Signatures {
    private static final String OPEN = "?";

    /** A signature, and the scope in which its sizes mean something. */
    record Shape(Declaration.Signature signature, Scope scope, Signatures signatures) {
        List<List<Dimension>> all() {
            return signatures.shapes(signature, scope.inner());
        }
    }

    private final Body body;

    Signatures(Body body) {
        this.body = body;
    }

    /** The signature of a block's {@code forward}, in the sizes of who bound its generics. */
    Optional<Shape> of(Template template) {
        return of(template, "forward");
    }

    Optional<Shape> of(Template template, String method) {
        return switch (template) {
            case Template.Abstract a -> Optional.of(new Shape(a.signature(), a.scope(), this));
            case Template.None n -> Optional.empty();
            case Template.Concrete c -> c.declaration().method(method).map(m -> {
                Scope scope = Scope.of(c.module());
                c.bindings().forEach(scope::define);
                return new Shape(m.signature(), scope, this);
            });
        };
    }

    /** The shapes of all arguments, then all results; unknown names are open sizes. */
    List<List<Dimension>> shapes(Declaration.Signature signature, Scope scope) {
        List<List<Dimension>> all = new ArrayList<>();
        List<Declaration.Formal> formals = new ArrayList<>(signature.formals());
        formals.addAll(signature.results());
        for (Declaration.Formal formal : formals) {
            for (Expression axis : formal.axes()) {
                openNames(axis, scope);
            }
            all.add(body.evaluator.dimensions(formal.axes(), scope));
        }
        return all;
    }

    private static void openNames(Expression axis, Scope scope) {
        switch (axis) {
            case Expression.Name n -> {
                if (scope.find(n.name()).isEmpty()) {
                    scope.define(n.name(), new Meaning.Whole(new Dimension(
                            Size.symbol(OPEN + n.name()), Size.symbol(n.name()))));
                }
            }
            case Expression.Binary b -> {
                openNames(b.left(), scope);
                openNames(b.right(), scope);
            }
            default -> { }
        }
    }

    static boolean isImplicit(Dimension dimension) {
        return dimension.size().symbols().stream().anyMatch(s -> s.startsWith(OPEN));
    }

    static String describe(List<List<Dimension>> shapes) {
        return shapes.stream().map(Signatures::shape).collect(Collectors.joining(", "));
    }

    static String shape(List<Dimension> shape) {
        return shape.stream().map(d -> Polynomial.of(d.named()).toString())
                .collect(Collectors.joining(", ", "[", "]"));
    }
}
