package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Parameter.Part;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Rounds what quantised weights are multiplied with, where {@code precision} says so for
 * activations. A row is what is summed along the axis along which the weights have their scales.
 *
 * <pre>
 *   sum[k] w[f, k] · x[t, k]   =   sum[k] w[f, k] · (code[t, k] · scale[t, k / group])
 * </pre>
 *
 * <p>Sums with a condition, and over ranges that are no whole constant axis, stay as they are.
 */
final class Factors {
    private final Body body;

    Factors(Body body) {
        this.body = body;
    }

    /** The term of a reduction with its factors rounded, if that is wanted and it has weights. */
    Scalar rounded(Reduction reduction, Scalar term, Span span) {
        Optional<Quantisation> wanted = body.frame.precision().factors();
        if (wanted.isEmpty() || body.session.isChecking()
                || reduction.kind() != Reduction.Kind.SUM || reduction.filter().isPresent()
                || term.format() != Format.F32) {
            return term;
        }
        List<Scalar> weights = new ArrayList<>();
        List<Scalar> summed = new ArrayList<>();
        List<Scalar> others = new ArrayList<>();
        List<Index> reduced = reduction.axes().stream().map(Axis::index).toList();
        for (Scalar factor : Walk.factors(term)) {
            (body.session.isWeight(factor) ? weights
                    : Walk.mentions(factor, reduced) ? summed : others).add(factor);
        }
        Optional<Index> along = along(weights, reduced);
        if (along.isEmpty() || summed.isEmpty()) {
            return term;
        }
        Scalar row = product(summed);
        List<Index> indices = new ArrayList<>(Scalars.indices(row));
        if (!indices.remove(along.get())
                || !isWhole(along.get()) || !indices.stream().allMatch(this::isWhole)) {
            return term;
        }
        body.session.useRounding();
        indices.add(along.get());
        List<Scalar> all = new ArrayList<>(
                List.of(product(weights), coded(row, indices, wanted.get(), span)));
        all.addAll(others);
        return product(all);
    }

    private static Scalar product(List<Scalar> factors) {
        return factors.stream().reduce((a, b) -> Scalar.apply(Operation.MULTIPLY, a, b))
                .orElseThrow();
    }

    /** The one summed index along which the codes of all weights lie side by side. */
    private static Optional<Index> along(List<Scalar> weights, List<Index> reduced) {
        Set<Index> found = new LinkedHashSet<>();
        for (Scalar weight : weights) {
            Walk.loads(weight, load -> {
                if (load.source().type().format() == Format.I8) {
                    found.addAll(Scalars.indices(load.coordinates().getLast()));
                }
            });
        }
        return found.size() == 1 && reduced.containsAll(found)
                ? Optional.of(found.iterator().next()) : Optional.empty();
    }

    /** Whether an index runs over an axis from its beginning to its end. */
    private boolean isWhole(Index index) {
        Axis axis = body.axis(index);
        return axis.lower().equals(Scalar.whole(0))
                && axis.upper().equals(Scalar.extent(body.extent(index).size()))
                && body.extent(index).jagged().isEmpty();
    }

    /** The elements of a row as codes and scales, at its indices, the last along the row. */
    private Scalar coded(Scalar row, List<Index> indices, Quantisation wanted, Span span) {
        List<Dimension> shape = indices.stream().map(body::extent).toList();
        List<Scalar> here = indices.stream().map(Scalar::variable).toList();
        Meaning.Tensor rows = row instanceof Scalar.Load load && load.coordinates().equals(here)
                && load.bounds() == Scalar.Bounds.PROVED
                ? body.stored(load.source(), shape, span)
                : new Meaning.Tensor(shape, Format.F32, coordinates -> {
                    Map<Index, Scalar> by = new HashMap<>();
                    for (int i = 0; i < coordinates.size(); i++) {
                        by.put(indices.get(i), coordinates.get(i));
                    }
                    return Scalars.substitute(row, by);
                }, Optional.empty(), span);
        Rounding rounding = new Rounding(body, wanted, rows, Format.F32, "factor", span);
        Value codes = rounding.part(Part.Kind.CODES);
        Value scales = rounding.part(Part.Kind.SCALES);
        return new Quantised(wanted, shape.getLast().size().constant().orElseThrow(),
                part -> part.orElseThrow().kind() == Part.Kind.CODES ? codes : scales)
                .at(List.of(), here);
    }
}
