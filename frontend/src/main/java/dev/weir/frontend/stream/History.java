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
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Looks at what equations read of growing states. A state holds what all elements of the step have
 * appended, later ones too: an equation that goes over its slots has to compare them with its own
 * element ({@code where at[s] <= pos[t]}), or read something that has been compared.
 */
final class History {
    /** The axes of slots, and how many of the last slots each keeps. */
    private final Map<Size, Optional<Long>> slots = new HashMap<>();
    private final Set<Value> compared = new HashSet<>();
    private final Set<Value> windowed = new HashSet<>();

    /** A value is all that a growing state holds. */
    void holds(Value all, Optional<Long> keep) {
        slots.put(all.type().shape().getFirst(), keep);
    }

    /** An axis of a function's argument is an axis of slots if the caller's is. */
    void passed(Size outer, Size inner) {
        if (slots.containsKey(outer)) {
            slots.put(inner, slots.get(outer));
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
        long kept = Long.MAX_VALUE;
        for (Axis axis : Walk.axes(node)) {
            if (axis.upper() instanceof Scalar.Extent e && slots.containsKey(e.size())) {
                places.add(axis.index());
                reduces |= !node.axes().contains(axis);
                kept = Math.min(kept, slots.get(e.size()).orElse(Long.MAX_VALUE));
            }
        }
        if (places.isEmpty()) {
            return Optional.empty();
        }
        List<Scalar> parts = new ArrayList<>(List.of(node.body()));
        node.reduction().flatMap(Reduction::filter).ifPresent(parts::add);
        boolean isCompared = parts.stream().anyMatch(p -> compares(p, places, own));
        long limit = kept;
        boolean isWindowed = limit == Long.MAX_VALUE
                || parts.stream().anyMatch(p -> windows(p, places, own, limit));
        if (isCompared) {
            compared.add(node.result());
        }
        if (isWindowed) {
            windowed.add(node.result());
        }
        if (!reduces || inOrder || isCompared && isWindowed) {
            return Optional.empty();
        }
        return Optional.of(!isCompared
                ? "reads all that a state holds, also what later elements of the step append "
                        + "(compare positions: `where at[s] <= pos[t]`)"
                : "reads what a state may have dropped, which keeps the last " + limit
                        + " (compare positions: `where pos[t] - at[s] < " + limit + "`)");
    }

    /** Whether an expression counts only where the slot is one of the last before the element. */
    private boolean windows(
            Scalar scalar, List<Index> places, Optional<Scalar> own, long limit) {
        if (scalar instanceof Scalar.Load load && windowed.contains(load.source())) {
            return true;
        }
        if (scalar instanceof Scalar.Apply apply) {
            Scalar left = apply.operands().getFirst();
            Optional<Scalar> behind = switch (apply.operation()) {
                case LESS, LESS_EQUAL -> Optional.of(Scalar.apply(
                        Operation.SUBTRACT, apply.operands().get(1), left));
                case GREATER, GREATER_EQUAL -> Optional.of(Scalar.apply(
                        Operation.SUBTRACT, left, apply.operands().get(1)));
                default -> Optional.empty();
            };
            boolean strict = apply.operation() == Operation.LESS
                    || apply.operation() == Operation.GREATER;
            if (behind.isPresent()) {
                return Difference.of(behind.get()).filter(d ->
                        d.constant() + (strict ? 0 : 1) <= limit
                                && Walk.mentions(d.plus(), places) && isAbout(d.minus(), own))
                        .isPresent();
            }
            if (apply.operation() == Operation.OR || apply.operation() == Operation.NOT) {
                return false;
            }
        }
        return Walk.operands(scalar).stream().anyMatch(o -> windows(o, places, own, limit));
    }

    /** {@code plus - minus + constant}, of whole numbers. */
    private record Difference(Scalar plus, Scalar minus, long constant) {

        static Optional<Difference> of(Scalar scalar) {
            List<Scalar> plus = new ArrayList<>();
            List<Scalar> minus = new ArrayList<>();
            long constant = collect(scalar, true, plus, minus);
            return plus.size() == 1 && minus.size() == 1
                    ? Optional.of(new Difference(plus.getFirst(), minus.getFirst(), constant))
                    : Optional.empty();
        }

        private static long collect(
                Scalar scalar, boolean positive, List<Scalar> plus, List<Scalar> minus) {
            if (scalar instanceof Scalar.Whole w) {
                return positive ? w.value() : -w.value();
            }
            if (scalar instanceof Scalar.Apply a && a.format().isInteger()
                    && (a.operation() == Operation.ADD || a.operation() == Operation.SUBTRACT)) {
                return collect(a.operands().get(0), positive, plus, minus)
                        + collect(a.operands().get(1),
                                positive == (a.operation() == Operation.ADD), plus, minus);
            }
            (positive ? plus : minus).add(scalar);
            return 0;
        }
    }

    private boolean compares(Scalar scalar, List<Index> places, Optional<Scalar> own) {
        if (scalar instanceof Scalar.Load load && compared.contains(load.source())) {
            return true;
        }
        if (scalar instanceof Scalar.Apply apply && isComparison(apply.operation())) {
            Scalar left = apply.operands().get(0);
            Scalar right = apply.operands().get(1);
            boolean found = Walk.mentions(left, places) && isAbout(right, own)
                    || Walk.mentions(right, places) && isAbout(left, own)
                    || Difference.of(left).filter(d -> isBetween(d, places, own)).isPresent()
                    || Difference.of(right).filter(d -> isBetween(d, places, own)).isPresent();
            if (found) {
                return true;
            }
        }
        return Walk.operands(scalar).stream().anyMatch(o -> compares(o, places, own));
    }

    private static boolean isBetween(
            Difference difference, List<Index> places, Optional<Scalar> own) {
        return Walk.mentions(difference.plus(), places) && isAbout(difference.minus(), own)
                || Walk.mentions(difference.minus(), places)
                        && isAbout(difference.plus(), own);
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
