package dev.weir.frontend.lower;

import dev.weir.frontend.lower.Bounds.Range;
import dev.weir.frontend.lower.Bounds.Verdict;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.HostScalars;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Decides whether coordinates stay inside an axis by looking at every point, where all ranges are
 * constant and the points are few: no reasoning about {@code |d - 2|} or {@code d % 3 * 2} is as
 * good.
 */
final class Points {
    private static final int MOST = 20_000;

    /** The range of an index or of a number that a loop counts. */
    private final Function<Scalar, Optional<Range>> ranges;
    private final Set<Scalar> parts = new LinkedHashSet<>();
    private final Map<Index, Scalar> indices = new HashMap<>();
    private final Map<Scalar, Long> numbers = new HashMap<>();
    private final HostScalars values = new HostScalars(
            load -> Optional.ofNullable(numbers.get(load)).orElseThrow(Undecided::new),
            size -> size.constant().orElseThrow(Undecided::new));

    private final Scalar coordinate;
    private final Scalar length;
    private final List<Scalar> conditions;
    private final Set<Scalar> used = new LinkedHashSet<>();
    private int points;
    private Verdict verdict = Verdict.PROVED;

    /** Too many points, or what only a run knows. */
    private static final class Undecided extends RuntimeException {
        private static final long serialVersionUID = 1;

        Undecided() {
            super(null, null, false, false);
        }
    }

    /**
     * @param conditions what holds wherever the coordinate is evaluated
     */
    Points(
            Function<Scalar, Optional<Range>> ranges,
            Scalar coordinate,
            Scalar length,
            List<Scalar> conditions) {
        this.ranges = ranges;
        this.coordinate = coordinate;
        this.length = length;
        this.conditions = conditions;
    }

    /** Whether {@code 0 <= coordinate < length}; empty if the points do not tell. */
    Optional<Verdict> verdict() {
        try {
            collect(coordinate);
            collect(length);
            visit(List.copyOf(parts), 0);
            return Optional.of(verdict);
        } catch (Undecided | ArithmeticException | Fault | IllegalStateException open) {
            return Optional.empty();
        }
    }

    /** The conditions without which some point would be outside. */
    Set<Scalar> used() {
        return used;
    }

    /** Adds what a scalar depends on, outer indices first. */
    private void collect(Scalar scalar) {
        Optional<Range> range = ranges.apply(scalar);
        if (range.isPresent() && !parts.contains(scalar)) {
            collect(range.get().lower());
            collect(range.get().upper());
            parts.add(scalar);
        } else if (range.isEmpty()) {
            Walk.operands(scalar).forEach(this::collect);
        }
    }

    private void visit(List<Scalar> open, int next) {
        if (next == open.size()) {
            judge();
            return;
        }
        Scalar part = open.get(next);
        Range range = ranges.apply(part).orElseThrow();
        long to = value(range.upper());
        for (long at = value(range.lower()); at < to; at++) {
            if (part instanceof Scalar.Variable variable) {
                indices.put(variable.index(), Scalar.whole(at));
            } else {
                numbers.put(part, at);
            }
            visit(open, next + 1);
        }
    }

    private long value(Scalar scalar) {
        // Only whole numbers are calculated here as a run does.
        if (Scalars.any(scalar, s -> s.format().isFloat())) {
            throw new Undecided();
        }
        return values.evaluate(Scalars.substitute(scalar, indices));
    }

    private void judge() {
        if (++points > MOST) {
            throw new Undecided();
        }
        long at = value(coordinate);
        if (at >= 0 && at < value(length)) {
            return;
        }
        List<Scalar> unknown = new ArrayList<>();
        for (Scalar condition : conditions) {
            try {
                if (value(condition) == 0) {
                    used.add(condition);
                    verdict = verdict == Verdict.PROVED ? Verdict.GUARDED : verdict;
                    return;
                }
            } catch (Undecided | ArithmeticException | Fault | IllegalStateException open) {
                unknown.add(condition);
            }
        }
        verdict = unknown.isEmpty() && verdict != Verdict.OPEN ? Verdict.REFUTED : Verdict.OPEN;
    }
}
