package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Lowers what brings the last axis of a tensor into order: {@code top(K, x)} gives the K largest
 * elements, largest first, and where they stand; {@code sort(x)} and {@code argsort(x)} go from the
 * smallest to the largest. Equal elements stay in their order; NaN comes last.
 */
final class Orders {
    static final Set<String> NAMES = Set.of("top", "sort", "argsort");

    private final Body body;

    Orders(Body body) {
        this.body = body;
    }

    Meaning order(String name, List<Meaning> arguments, Span span) {
        boolean top = name.equals("top");
        if (arguments.size() != (top ? 2 : 1)) {
            throw body.session.fail(Diagnostic.error("E0209", span,
                            "`" + name + "` takes " + (top ? "a count and a tensor" : "a tensor"))
                    .helped(top ? "write `top(K, x)`" : "write `" + name + "(x)`"));
        }
        Meaning.Tensor tensor = body.evaluator.tensor(arguments.getLast(), span);
        if (tensor.rank() == 0 || !tensor.format().isFloat()) {
            throw body.session.fail(Diagnostic.error("E0314", span,
                            "`" + name + "` orders the last axis of a tensor of floats, here is "
                                    + Formats.describe(tensor.format())
                                    + Signatures.shape(tensor.shape()))
                    .with(tensor.span(), "this is where it comes from"));
        }
        Dimension axis = tensor.shape().getLast();
        boolean open = body.session.isChecking();
        if (axis.size().constant().isEmpty() && !open) {
            throw body.session.fail(Diagnostic.error("E0314", span,
                            "`" + name + "` orders an axis whose size is known when the model is "
                                    + "compiled; " + axis.describe() + " is not")
                    .with(tensor.span(), "axes " + Signatures.shape(tensor.shape())));
        }
        if (!top) {
            return ascending(name, tensor, axis, span);
        }
        if (!(arguments.getFirst() instanceof Meaning.Whole)
                && !(arguments.getFirst() instanceof Meaning.Unknown)) {
            throw body.session.fail(Diagnostic.error("E0314", span,
                            "how many `top` takes is known when the model is compiled, here it "
                                    + "is computed")
                    .helped("take as many as are ever needed, and leave out those behind the "
                            + "number: `top(K, x)`, `… where k < n`"));
        }
        Dimension count = arguments.getFirst() instanceof Meaning.Whole w
                ? w.dimension() : axis;
        Optional<Long> wanted = count.size().constant();
        Optional<Long> there = axis.size().constant();
        if (wanted.isPresent() && (wanted.get() < 1
                || there.filter(n -> n < wanted.get()).isPresent())) {
            throw body.session.fail(Diagnostic.error("E0314", span,
                            "`top` cannot take " + wanted.get() + " elements of "
                                    + axis.describe())
                    .with(tensor.span(), "axes " + Signatures.shape(tensor.shape())));
        }
        List<Value> both = top(tensor, count, span);
        List<Dimension> shape = shape(tensor, count);
        return new Meaning.Several(List.of(
                body.stored(both.get(0), shape, span), body.stored(both.get(1), shape, span)));
    }

    private Meaning ascending(String name, Meaning.Tensor tensor, Dimension axis, Span span) {
        Meaning.Tensor negative = negated(tensor, span);
        List<Value> both = top(negative, axis, span);
        return name.equals("argsort")
                ? body.stored(both.get(1), tensor.shape(), span)
                : negated(body.stored(both.get(0), tensor.shape(), span), span);
    }

    private Meaning.Tensor negated(Meaning.Tensor tensor, Span span) {
        return new Meaning.Tensor(tensor.shape(), tensor.format(), at ->
                Scalar.apply(Operation.NEGATE, tensor.reader().at(at)), Optional.empty(), span);
    }

    private List<Value> top(Meaning.Tensor tensor, Dimension count, Span span) {
        Value operand = body.materialise(tensor, "operand", span);
        List<Dimension> shape = shape(tensor, count);
        Value values = body.newValue("top", operand.type().format(), shape);
        Value indices = body.newValue("places", Format.I64, shape);
        body.emit(new Node.TopK(
                values, indices, operand, count.size().constant().orElse(1L), span));
        // The places stand inside the axis, which nothing has to check again.
        body.bounds.limit(indices, Scalar.whole(0),
                Scalar.extent(tensor.shape().getLast().size()));
        return List.of(values, indices);
    }

    private static List<Dimension> shape(Meaning.Tensor tensor, Dimension count) {
        List<Dimension> shape = new ArrayList<>(tensor.shape());
        shape.set(shape.size() - 1, count);
        return shape;
    }
}
