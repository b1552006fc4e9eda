package dev.weir.frontend.lower;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** Small questions about scalar expressions. */
final class Scalars {
    private Scalars() {}

    /** The indices that an expression uses, in order of appearance. */
    static Set<Index> indices(Scalar scalar) {
        Set<Index> found = new LinkedHashSet<>();
        collect(scalar, found);
        return found;
    }

    private static void collect(Scalar scalar, Set<Index> found) {
        switch (scalar) {
            case Scalar.Real r -> { }
            case Scalar.Whole w -> { }
            case Scalar.Extent e -> { }
            case Scalar.Variable v -> found.add(v.index());
            case Scalar.Load l -> {
                l.coordinates().forEach(c -> collect(c, found));
                l.otherwise().ifPresent(o -> collect(o, found));
            }
            case Scalar.Apply a -> a.operands().forEach(o -> collect(o, found));
            case Scalar.Convert c -> collect(c.operand(), found);
            case Scalar.Round r -> collect(r.operand(), found);
            case Scalar.Within w -> {
                collect(w.index(), found);
                collect(w.extent(), found);
            }
        }
    }

    static boolean any(Scalar scalar, Predicate<Scalar> wanted) {
        return wanted.test(scalar) || switch (scalar) {
            case Scalar.Real r -> false;
            case Scalar.Whole w -> false;
            case Scalar.Extent e -> false;
            case Scalar.Variable v -> false;
            case Scalar.Load l -> l.coordinates().stream().anyMatch(c -> any(c, wanted))
                    || l.otherwise().stream().anyMatch(c -> any(c, wanted));
            case Scalar.Apply a -> a.operands().stream().anyMatch(o -> any(o, wanted));
            case Scalar.Convert c -> any(c.operand(), wanted);
            case Scalar.Round r -> any(r.operand(), wanted);
            case Scalar.Within w -> any(w.index(), wanted) || any(w.extent(), wanted);
        };
    }

    static Scalar substitute(Scalar scalar, Map<Index, Scalar> by) {
        return switch (scalar) {
            case Scalar.Real r -> r;
            case Scalar.Whole w -> w;
            case Scalar.Extent e -> e;
            case Scalar.Variable v -> by.getOrDefault(v.index(), v);
            case Scalar.Load l -> new Scalar.Load(l.source(), substitute(l.coordinates(), by),
                    l.bounds(), l.otherwise().map(o -> substitute(o, by)));
            case Scalar.Apply a -> new Scalar.Apply(a.operation(), substitute(a.operands(), by));
            case Scalar.Convert c -> new Scalar.Convert(c.format(), substitute(c.operand(), by));
            case Scalar.Round r -> new Scalar.Round(r.stored(), substitute(r.operand(), by));
            case Scalar.Within w -> new Scalar.Within(
                    substitute(w.index(), by), substitute(w.extent(), by), w.place());
        };
    }

    private static List<Scalar> substitute(List<Scalar> scalars, Map<Index, Scalar> by) {
        return scalars.stream().map(s -> substitute(s, by)).toList();
    }

    static boolean isConstant(Scalar scalar) {
        return scalar instanceof Scalar.Real || scalar instanceof Scalar.Whole;
    }

    static Optional<Long> wholeConstant(Scalar scalar) {
        return scalar instanceof Scalar.Whole w ? Optional.of(w.value()) : Optional.empty();
    }

    /** The scalar in another compute format. */
    static Scalar convert(Scalar scalar, Format wanted) {
        Format format = wanted.compute();
        if (scalar.format() == format) {
            return scalar;
        }
        return switch (scalar) {
            case Scalar.Whole w when format.isFloat() -> new Scalar.Real(format, w.value());
            case Scalar.Real r when format.isFloat() -> new Scalar.Real(format, r.value());
            default -> new Scalar.Convert(format, scalar);
        };
    }

    static Scalar zero(Format format) {
        return format.compute().isFloat()
                ? new Scalar.Real(format.compute(), 0) : new Scalar.Whole(format, 0);
    }

    /**
     * A coordinate that is inside only where a condition around it holds: neither a bare index nor
     * another form that could be read at all places of its indices.
     */
    static Scalar guarded(Scalar coordinate) {
        return Scalar.apply(Operation.ADD, coordinate, Scalar.whole(0));
    }

    static Scalar not(Scalar scalar) {
        return Scalar.apply(Operation.NOT, scalar);
    }
}
