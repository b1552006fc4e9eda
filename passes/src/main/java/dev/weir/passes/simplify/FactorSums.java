package dev.weir.passes.simplify;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Divides a normalised sum once instead of every term, so that terms need not wait for the divisor.
 *
 * <pre>
 *   e[s] = c[s] ? exp(x[s] - m) : 0;  m = max[s where c[s]] x[s];  l = sum[s] e[s]
 *   p[s] = c[s] ? e[s] / l : 0;       z = sum[s] p[s] · v[s]
 *       ⇒  n = sum[s] e[s] · v[s];    z = l = 0 ? 0 : n / l
 * </pre>
 *
 * <p>Fires only if m and l are the maximum and the sum over the terms that z sums ({@link
 * Normalised}). Then the largest e is 1, so l is 0 just where no term takes part, and z is 0
 * there as written. Where p stands behind no condition, z is 0 only for an empty range of s. Of
 * any other quotient nothing is known: a divisor of 0 gives infinities or NaN in each term, which
 * the quotient of the sums need not give.
 */
public final class FactorSums {
    private final Identifiers identifiers;
    private final Map<Value, Node.Compute> computes = new HashMap<>();

    private FactorSums(Identifiers identifiers) {
        this.identifiers = identifiers;
    }

    public static TensorProgram run(TensorProgram program) {
        FactorSums factor = new FactorSums(Identifiers.behind(program));
        return Rewrite.computes(program, factor::replace);
    }

    private void replace(Node.Compute compute, List<Node> out) {
        Optional<Quotient> quotient = quotient(compute);
        if (quotient.isPresent()) {
            factored(compute, quotient.get(), out);
        } else {
            out.add(compute);
        }
        computes.put(compute.result(), compute);
    }

    /** A term {@code numerator / divisor · other}; when the sum is 0 for want of terms. */
    private record Quotient(
            Scalar numerator, Scalar divisor, Scalar withoutTerms, Optional<Scalar> other) {}

    private Optional<Quotient> quotient(Node.Compute sum) {
        if (sum.reduction().isEmpty()
                || sum.reduction().get().kind() != Reduction.Kind.SUM
                || sum.body().format() != Format.F32) {
            return Optional.empty();
        }
        List<Axis> summed = sum.reduction().get().axes();
        if (sum.body() instanceof Scalar.Apply product
                && product.operation() == Operation.MULTIPLY) {
            Scalar left = product.operands().get(0);
            Scalar right = product.operands().get(1);
            return quotient(left, Optional.of(right), summed)
                    .or(() -> quotient(right, Optional.of(left), summed));
        }
        return quotient(sum.body(), Optional.empty(), summed);
    }

    private Optional<Quotient> quotient(
            Scalar factor, Optional<Scalar> other, List<Axis> axes) {
        List<Index> summed = axes.stream().map(Axis::index).toList();
        Scalar body = factor;
        if (factor instanceof Scalar.Load load
                && load.bounds() == Scalar.Bounds.PROVED
                && computes.get(load.source()) instanceof Node.Compute compute
                && compute.reduction().isEmpty()
                && compute.result().type().format() == Format.F32) {
            body = Substitution.apply(
                    compute.body(), Substitution.at(compute.axes(), load.coordinates()));
        }
        Optional<Scalar> condition = Optional.empty();
        if (body instanceof Scalar.Apply select
                && select.operation() == Operation.SELECT
                && isZero(select.operands().get(2))) {
            condition = Optional.of(select.operands().get(0));
            body = select.operands().get(1);
        }
        if (!(body instanceof Scalar.Apply division)
                || division.operation() != Operation.DIVIDE
                || Walk.mentions(division.operands().get(1), summed)) {
            return Optional.empty();
        }
        Scalar numerator = division.operands().get(0);
        Scalar divisor = division.operands().get(1);
        return new Normalised(computes, axes)
                .withoutTerms(numerator, divisor, condition)
                .map(without -> new Quotient(numerator, divisor, without, other));
    }

    private static boolean isZero(Scalar scalar) {
        return scalar instanceof Scalar.Real real && real.value() == 0;
    }

    private void factored(Node.Compute sum, Quotient quotient, List<Node> out) {
        Value numerators = identifiers.value(sum.result().name(), new dev.weir.ir.type.TensorType(
                Format.F32, sum.result().type().shape()));
        Scalar term = quotient.other()
                .map(o -> Scalar.apply(Operation.MULTIPLY, quotient.numerator(), o))
                .orElse(quotient.numerator());
        Node.Compute numerator = new Node.Compute(
                numerators, sum.axes(), sum.reduction(), term, sum.span());
        out.add(numerator);
        computes.put(numerators, numerator);
        List<Axis> axes = new ArrayList<>();
        Map<Index, Scalar> renaming = new HashMap<>();
        for (Axis axis : sum.axes()) {
            Index index = identifiers.index(axis.index().name());
            axes.add(new Axis(index,
                    Substitution.apply(axis.lower(), renaming),
                    Substitution.apply(axis.upper(), renaming)));
            renaming.put(axis.index(), Scalar.variable(index));
        }
        Scalar divisor = Substitution.apply(quotient.divisor(), renaming);
        Scalar whole = Scalar.load(
                numerators, axes.stream().map(a -> Scalar.variable(a.index())).toList());
        out.add(new Node.Compute(
                sum.result(), axes, Optional.empty(),
                Scalar.apply(Operation.SELECT,
                        Substitution.apply(quotient.withoutTerms(), renaming),
                        new Scalar.Real(Format.F32, 0),
                        Scalar.apply(Operation.DIVIDE, whole, divisor)),
                Span.NONE));
    }
}
