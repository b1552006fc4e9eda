package dev.weir.frontend.stream;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Looks at what equations read of growing states. A state holds what all elements of the step have
 * appended, later ones too: an equation that goes over its slots has to compare them with its own
 * element ({@code where at[s] <= pos[t]}), or read something that has been compared.
 */
final class History {
    private final Set<Size> slots = new HashSet<>();
    private final Set<Value> compared = new HashSet<>();

    /** A value is all that a growing state holds. */
    void holds(Value all) {
        slots.add(all.type().shape().getFirst());
    }

    /** An axis of a function's argument is an axis of slots if the caller's is. */
    void passed(Size outer, Size inner) {
        if (slots.contains(outer)) {
            slots.add(inner);
        }
    }

    /**
     * What is wrong with an equation.
     *
     * @param own the place of the element that it is about
     * @param inOrder inside a scan, where nothing later has been appended
     */
    Optional<String> read(Node.Compute node, Optional<Scalar> own, boolean inOrder) {
        List<Index> places = new ArrayList<>();
        boolean reduces = false;
        for (Axis axis : Walk.axes(node)) {
            if (axis.upper() instanceof Scalar.Extent e && slots.contains(e.size())) {
                places.add(axis.index());
                reduces |= !node.axes().contains(axis);
            }
        }
        if (places.isEmpty()) {
            return Optional.empty();
        }
        List<Scalar> parts = new ArrayList<>(List.of(node.body()));
        node.reduction().flatMap(Reduction::filter).ifPresent(parts::add);
        boolean isCompared = parts.stream().anyMatch(p -> compares(p, places, own));
        if (isCompared) {
            compared.add(node.result());
        }
        return !reduces || isCompared || inOrder ? Optional.empty() : Optional.of(
                "reads all that a state holds, also what later elements of the step append "
                        + "(compare positions: `where at[s] <= pos[t]`)");
    }

    private boolean compares(Scalar scalar, List<Index> places, Optional<Scalar> own) {
        if (scalar instanceof Scalar.Load load && compared.contains(load.source())) {
            return true;
        }
        if (scalar instanceof Scalar.Apply apply && isComparison(apply.operation())) {
            Scalar left = apply.operands().get(0);
            Scalar right = apply.operands().get(1);
            boolean found = Walk.mentions(left, places) && isAbout(right, own)
                    || Walk.mentions(right, places) && isAbout(left, own);
            if (found) {
                return true;
            }
        }
        return Walk.operands(scalar).stream().anyMatch(o -> compares(o, places, own));
    }

    private static boolean isComparison(Operation operation) {
        return switch (operation) {
            case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL -> true;
            default -> false;
        };
    }

    /** Whether an expression reads something at the place of the equation's own element. */
    private static boolean isAbout(Scalar scalar, Optional<Scalar> own) {
        return own.isPresent() && (scalar.equals(own.get())
                || Walk.operands(scalar).stream().anyMatch(o -> isAbout(o, own)));
    }
}
