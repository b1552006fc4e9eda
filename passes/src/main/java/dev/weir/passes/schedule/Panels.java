package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.passes.contract.Contraction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The panels in use of what is packed. Contractions side by side may read different instances of
 * one tensor, and each instance has a panel of its own.
 */
final class Panels {
    private final Map<Instance, Panel> panels = new HashMap<>();

    private record Instance(Value packed, List<Scalar> numbers) {}

    /**
     * A panel.
     *
     * @param packed of which it is a part
     * @param start of it there
     */
    record Panel(Value packed, Expression start) {}

    /** Adds the panel that a contraction uses, unless another one uses the same. */
    void add(Contraction contraction, Value packed, Supplier<Expression> start) {
        panels.computeIfAbsent(instance(contraction, packed),
                i -> new Panel(packed, start.get()));
    }

    Panel of(Contraction contraction, Value packed) {
        return panels.get(instance(contraction, packed));
    }

    private static Instance instance(Contraction contraction, Value packed) {
        return new Instance(packed, contraction.weights().instances());
    }
}
