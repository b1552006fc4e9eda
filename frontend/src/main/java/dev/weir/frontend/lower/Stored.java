package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Where the elements of a parameter stand in a stored tensor that is laid out otherwise.
 *
 * <pre>
 *   param gate[f: F, d: D] = stored("gate_up_proj")[instance, d, 2 * f]
 * </pre>
 *
 * <p>{@code instance} is the number of this block in the innermost list that it is an element of.
 * An equation that uses it reads one tensor for all elements of the list, so that the list's index
 * is not part of the name.
 */
final class Stored {
    private static final String INSTANCE = "instance";

    private final String name;
    private final boolean isStacked;
    private final Parameter.Layout layout;

    /**
     * @param instances how many axes of the parameter's value choose an instance
     * @param shape of one instance
     */
    Stored(Body body, Declaration.Parameter declared, int instances, List<Dimension> shape) {
        Expression binding = declared.binding().orElseThrow();
        if (!(binding instanceof Expression.Access access)
                || !(access.base() instanceof Expression.Call call)
                || !(call.function() instanceof Expression.Name function)
                || !function.name().equals("stored")
                || call.arguments().size() != 1
                || !(call.arguments().getFirst().value() instanceof Expression.Text text)
                || access.fallback().isPresent()) {
            throw body.session.fail(Diagnostic.error("E0911", binding.span(),
                            "a parameter's equation says where its elements are stored")
                    .labelled("this does not")
                    .helped("write `param w[f: F, d: D] = stored(\"name\")[d, f]`"));
        }
        Scope scope = body.frame.scope().inner();
        List<Index> indices = new ArrayList<>();
        for (int i = 0; i < instances; i++) {
            indices.add(body.session.index(INSTANCE));
        }
        for (int axis = 0; axis < shape.size(); axis++) {
            String name = declared.indices().get(axis).orElse("_");
            Index index = body.index(name, shape.get(axis));
            indices.add(index);
            scope.define(name, new Meaning.IndexVariable(index, declared.span()));
        }
        Index instance = instances > 0
                ? indices.get(instances - 1) : body.session.index(INSTANCE);
        scope.define(INSTANCE, new Meaning.IndexVariable(instance, declared.span()));
        List<Scalar> coordinates = new ArrayList<>();
        boolean stacked = false;
        for (Expression.Subscript subscript : access.subscripts()) {
            Scalar at = body.evaluator.scalar(
                    body.evaluator.evaluate(subscript.from(), scope, true),
                    subscript.from().span());
            boolean fits = subscript.to().isEmpty() && subscript.range().isEmpty()
                    && (Parameter.Layout.admits(at)
                            || body.session.isChecking() && at.format().isInteger());
            if (!fits) {
                throw body.session.fail(Diagnostic.error("E0911", subscript.from().span(),
                                "a stored place is a whole number made of the parameter's indices")
                        .labelled("this is not")
                        .helped("use indices, sizes, + - * / and %"));
            }
            stacked |= Scalars.indices(at).contains(instance);
            Scalar place = body.frame.place().positions().place(Scalar.variable(instance))
                    .orElseThrow(() -> body.session.fail(Diagnostic.error(
                            "E0911", subscript.from().span(),
                            "blocks at these places of a list cannot be stored as one tensor")
                            .labelled("their distances differ")));
            coordinates.add(Scalars.substitute(at, Map.of(instance, place)));
        }
        if (stacked && instances == 0 && !body.session.isChecking()) {
            throw body.session.fail(Diagnostic.error("E0911", binding.span(),
                            "`instance` is the number of a block in a list")
                    .labelled("this block is not an element of one")
                    .helped("leave it out"));
        }
        this.name = text.value();
        this.isStacked = stacked;
        this.layout = new Parameter.Layout(indices, coordinates);
    }

    Parameter.Layout layout() {
        return layout;
    }

    /** The names under which the tensor may be stored, for a block at a place. */
    List<String> names(Place place) {
        return (isStacked ? place.stacked() : place).storedAs(List.of(name)).stored();
    }
}
