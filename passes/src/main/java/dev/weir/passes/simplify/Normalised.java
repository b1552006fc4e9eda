package dev.weir.passes.simplify;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Substitution;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Recognises quotients {@code e / l} with {@code e = c ? exp(x - m) : 0}, where m is the maximum of
 * x and l the sum of e over the given axes, both where c holds. The condition may be missing.
 *
 * <p>The definitions are compared as expressions, so it does not matter how the program named
 * them, or whether a condition stands in a filter or in the body.
 */
final class Normalised {
    private final Map<Value, Node.Compute> computes;
    private final List<Axis> axes;

    /**
     * @param computes the definitions that may be looked through
     * @param axes the axes that the quotients are summed over
     */
    Normalised(Map<Value, Node.Compute> computes, List<Axis> axes) {
        this.computes = computes;
        this.axes = axes;
    }

    /** A value that is 0, or takes no part in a reduction, where the condition does not hold. */
    private record Term(Scalar value, Optional<Scalar> condition) {}

    /**
     * When the sum of such quotients is 0 because it has no terms.
     *
     * @param condition behind which the quotient stands; it is 0 otherwise
     * @return a condition; empty if the quotient is not of this kind
     */
    Optional<Scalar> withoutTerms(
            Scalar numerator, Scalar divisor, Optional<Scalar> condition) {
        Optional<Term> found = term(numerator, divisor);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        Optional<Scalar> own = found.get().condition;
        if (own.isEmpty() || own.equals(condition)) {
            // The largest term is 1, so a sum of 0 has none.
            return Optional.of(Scalar.apply(
                    Operation.EQUAL, divisor, new Scalar.Real(Format.F32, 0)));
        }
        // 0 / 0 wherever there is a place for a term that takes no part: only no places give 0.
        List<Index> indices = axes.stream().map(Axis::index).toList();
        return condition.isPresent() || axes.stream().anyMatch(
                a -> Walk.mentions(a.lower(), indices) || Walk.mentions(a.upper(), indices))
                ? Optional.empty()
                : axes.stream()
                        .map(a -> Scalar.apply(
                                Operation.GREATER_EQUAL, a.lower(), a.upper()))
                        .reduce((a, b) -> Scalar.apply(Operation.OR, a, b));
    }

    /** The term with its own condition, if the quotient is of the kind. */
    private Optional<Term> term(Scalar numerator, Scalar divisor) {
        Term term = term(numerator, 0);
        if (!(term.value instanceof Scalar.Apply exponential)
                || exponential.operation() != Operation.EXPONENTIAL
                || !(exponential.operands().getFirst() instanceof Scalar.Apply difference)
                || difference.operation() != Operation.SUBTRACT) {
            return Optional.empty();
        }
        Optional<Term> largest =
                reduced(difference.operands().get(1), Reduction.Kind.MAXIMUM,
                        Double.NEGATIVE_INFINITY);
        Optional<Term> summed = reduced(divisor, Reduction.Kind.SUM, 0);
        Term x = new Term(resolved(difference.operands().get(0)), term.condition);
        return largest.isPresent()
                && x.equals(new Term(resolved(largest.get().value), largest.get().condition))
                && summed.isPresent()
                && term.equals(summed.get())
                ? Optional.of(term)
                : Optional.empty();
    }

    /** What a reduction over just these axes reduces, written with their indices. */
    private Optional<Term> reduced(Scalar scalar, Reduction.Kind kind, double neutral) {
        if (!(scalar instanceof Scalar.Load load)
                || !(computes.get(load.source()) instanceof Node.Compute compute)
                || compute.reduction().isEmpty()) {
            return Optional.empty();
        }
        Reduction reduction = compute.reduction().get();
        if (reduction.kind() != kind || reduction.axes().size() != axes.size()) {
            return Optional.empty();
        }
        Map<Index, Scalar> renaming =
                new HashMap<>(Substitution.at(compute.axes(), load.coordinates()));
        for (int i = 0; i < axes.size(); i++) {
            Axis axis = reduction.axes().get(i);
            if (!Substitution.apply(axis.lower(), renaming).equals(axes.get(i).lower())
                    || !Substitution.apply(axis.upper(), renaming).equals(axes.get(i).upper())) {
                return Optional.empty();
            }
            renaming.put(axis.index(), Scalar.variable(axes.get(i).index()));
        }
        Term term = term(Substitution.apply(compute.body(), renaming), neutral);
        if (reduction.filter().isEmpty()) {
            return Optional.of(term);
        }
        Scalar filter = Substitution.apply(reduction.filter().get(), renaming);
        return term.condition.isEmpty() || term.condition.get().equals(filter)
                ? Optional.of(new Term(term.value, Optional.of(filter)))
                : Optional.empty();
    }

    /** Looks through definitions without a reduction, and splits a condition off. */
    private Term term(Scalar scalar, double neutral) {
        Scalar body = resolved(scalar);
        if (body instanceof Scalar.Apply select
                && select.operation() == Operation.SELECT
                && select.operands().get(2) instanceof Scalar.Real real
                && real.value() == neutral) {
            return new Term(
                    resolved(select.operands().get(1)), Optional.of(select.operands().get(0)));
        }
        return new Term(body, Optional.empty());
    }

    /** The definition of an element whose definition is an expression. */
    private Scalar resolved(Scalar scalar) {
        return scalar instanceof Scalar.Load load
                && load.bounds() == Scalar.Bounds.PROVED
                && computes.get(load.source()) instanceof Node.Compute compute
                && compute.reduction().isEmpty()
                ? resolved(Substitution.apply(
                        compute.body(), Substitution.at(compute.axes(), load.coordinates())))
                : scalar;
    }
}
