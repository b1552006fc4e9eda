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
    /**
     * What is known of an axis of slots.
     *
     * @param keep how many of the last slots it keeps
     * @param inOrder whether a scan appends to it, so that nothing later is there yet
     */
    private record Held(Optional<Long> keep, boolean inOrder) {}

    private final Map<Size, Held> slots = new HashMap<>();
    private final Set<Value> compared = new HashSet<>();
    private final Set<Value> windowed = new HashSet<>();

    /** A value is all that a growing state holds. */
    void holds(Value all, Optional<Long> keep, boolean inOrder) {
        slots.put(all.type().shape().getFirst(), new Held(keep, inOrder));
    }

    /** Places that a comparison has chosen among are places that it allows. */
    void chosen(Value among, List<Value> places) {
        if (compared.contains(among)) {
            compared.addAll(places);
        }
        if (windowed.contains(among)) {
            windowed.addAll(places);
        }
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
     * @param scans whether it stands in a scan
     */
    Optional<String> read(Node.Compute node, Optional<Scalar> own, boolean scans) {
        List<Index> places = new ArrayList<>();
        boolean reduces = false;
        boolean inOrder = scans;
        long kept = Long.MAX_VALUE;
        for (Axis axis : Walk.axes(node)) {
            if (axis.upper() instanceof Scalar.Extent e && slots.containsKey(e.size())) {
                places.add(axis.index());
                reduces |= !node.axes().contains(axis);
                inOrder &= slots.get(e.size()).inOrder();
                kept = Math.min(kept, slots.get(e.size()).keep().orElse(Long.MAX_VALUE));
            }
        }
        for (Numbered load : numbered(node, places)) {
            if (load.place() instanceof Scalar.Variable v) {
                places.add(v.index());
                reduces = true;
                inOrder &= load.held().inOrder();
                kept = Math.min(kept, load.held().keep().orElse(Long.MAX_VALUE));
                continue;
            }
            boolean isThere = scans && load.held().inOrder()
                    || isAmong(load.place(), compared);
            boolean isKept = load.held().keep().isEmpty() || isAmong(load.place(), windowed);
            if (!isThere || !isKept) {
                return Optional.of("reads a slot of a state by its number, and which element that "
                        + "is, or whether it is there, depends on where the stream is cut "
                        + "(choose the slot by comparing positions)");
            }
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

    /** A slot that is read by its number rather than by going over all of them. */
    private record Numbered(Scalar place, Held held) {}

    private List<Numbered> numbered(Node.Compute node, List<Index> places) {
        List<Numbered> found = new ArrayList<>();
        Walk.scalars(node).forEach(s -> Walk.loads(s, load -> {
            List<Size> shape = load.source().type().shape();
            for (int axis = 0; axis < shape.size(); axis++) {
                Held held = slots.get(shape.get(axis));
                Scalar place = load.coordinates().get(axis);
                boolean goesOver = place instanceof Scalar.Variable v
                        && places.contains(v.index());
                // The first slot is the first element's, unless it has been dropped.
                boolean isFirst = place.equals(Scalar.whole(0)) && held != null
                        && held.keep().isEmpty();
                if (held != null && !goesOver && !isFirst) {
                    found.add(new Numbered(place, held));
                }
            }
        }));
        return found;
    }

    private static boolean isAmong(Scalar place, Set<Value> values) {
        return place instanceof Scalar.Load load && values.contains(load.source())
                || Walk.operands(place).stream().anyMatch(o -> isAmong(o, values));
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
