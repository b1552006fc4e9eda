package dev.weir.passes.analysis;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Replaces indices in expressions. */
public final class Substitution {
    private Substitution() {}

    public static Scalar apply(Scalar scalar, Map<Index, Scalar> replacements) {
        if (scalar instanceof Scalar.Variable variable) {
            return replacements.getOrDefault(variable.index(), scalar);
        }
        return Walk.map(scalar, operand -> apply(operand, replacements));
    }

    /** What replaces the indices of {@code axes} when a value is read at {@code coordinates}. */
    public static Map<Index, Scalar> at(List<Axis> axes, List<Scalar> coordinates) {
        Map<Index, Scalar> replacements = new HashMap<>();
        for (int i = 0; i < axes.size(); i++) {
            replacements.put(axes.get(i).index(), coordinates.get(i));
        }
        return replacements;
    }

    /** What makes the indices of {@code from} those of {@code to}, place by place. */
    public static Map<Index, Scalar> renaming(List<Axis> from, List<Axis> to) {
        Map<Index, Scalar> replacements = new HashMap<>();
        for (int i = 0; i < Math.min(from.size(), to.size()); i++) {
            replacements.put(from.get(i).index(), Scalar.variable(to.get(i).index()));
        }
        return replacements;
    }
}
