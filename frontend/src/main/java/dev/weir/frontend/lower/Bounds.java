package dev.weir.frontend.lower;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Decides whether coordinates stay inside an axis: intervals of affine expressions, with the
 * conditions that guard an expression added as facts.
 */
final class Bounds {
    /** From {@code lower} up to but not including {@code upper}. */
    record Range(Scalar lower, Scalar upper) {}

    enum Verdict {
        PROVED,
        /** Proved where the conditions around hold. */
        GUARDED,
        /** Proved if sizes that only a run knows are not 0. */
        UNLESS_EMPTY,
        REFUTED,
        OPEN
    }

    private final Map<Index, Range> indices = new HashMap<>();
    private final Map<Integer, Range> loopValues = new HashMap<>();
    /** Tables of numbers that are equal wherever both can be read; the earlier one. */
    private final Map<Integer, Value> same = new HashMap<>();
    /** Values of which not every number below the limit has to occur. */
    private final Set<Integer> tables = new HashSet<>();
    private final Deque<Scalar> guards = new ArrayDeque<>();
    /** What holds of run-time sizes, as numbers that are never negative. */
    private final Set<Linear> sizes = new LinkedHashSet<>();
    /** What holds in the region that is being lowered, outside of which nothing in it runs. */
    private final Deque<Scalar> assumed = new ArrayDeque<>();
    /** Conditions without which a coordinate would not be proved. */
    private final Set<Scalar> used = new HashSet<>();
    /** What has been bounded on the way to it. */
    private final Set<Scalar> bounded = new HashSet<>();
    /** Whether the bound that was computed last is reached by some indices. */
    private boolean exact;
    /** Whether ends of ranges are written with the earliest of equal tables. */
    private boolean byEarliest;
    /** Whether what was bounded last divides by sizes, which are then taken to be more than 0. */
    private boolean divided;

    void limit(Index index, Scalar lower, Scalar upper) {
        indices.put(index, new Range(lower, upper));
    }

    /** The elements of a table that data gives keep to a range. */
    void limitTable(Value table, Scalar lower, Scalar upper) {
        limit(table, lower, upper);
        tables.add(table.id());
    }

    /** A table has the numbers of an earlier one. */
    void same(Value table, Value earlier) {
        same.put(table.id(), same.getOrDefault(earlier.id(), earlier));
    }

    /** Whether what is lowered next may not be evaluated everywhere. */
    boolean isGuarded() {
        return guards.stream().anyMatch(guard -> !guard.equals(Scalar.truth(true)));
    }

    /** A size never exceeds another one. */
    void know(Size smaller, Size larger) {
        sizes.add(Linear.of(larger).plus(Linear.of(smaller), -1));
    }

    void limit(Value loopIndex, Scalar lower, Scalar upper) {
        loopValues.put(loopIndex.id(), new Range(lower, upper));
    }

    /** A condition that holds wherever what is lowered next is evaluated. */
    void push(Scalar guard) {
        guards.push(guard);
    }

    void pop() {
        guards.pop();
    }

    /** How many conditions are around. */
    int depth() {
        return guards.size();
    }

    /** Leaves the conditions of a statement that failed. */
    void closeTo(int depth) {
        while (guards.size() > depth) {
            guards.pop();
        }
    }

    /** Lowers a region that is run only where a condition holds. */
    <T> T assuming(Scalar condition, Supplier<T> lowering) {
        assumed.push(condition);
        try {
            return lowering.get();
        } finally {
            assumed.pop();
        }
    }

    /**
     * The condition outside of which expressions may not be evaluated: what proofs have used, or
     * all that is around if the expressions may fault by their data.
     */
    Optional<Scalar> needed(List<Scalar> expressions) {
        boolean mayFault = expressions.stream().anyMatch(e -> Scalars.any(e, s ->
                s instanceof Scalar.Load l && l.bounds() == Scalar.Bounds.CHECKED
                        || s instanceof Scalar.Within
                        || s instanceof Scalar.Apply a && dividesByData(a)));
        List<Scalar> outermostFirst = new ArrayList<>(guards).reversed();
        return outermostFirst.stream()
                .filter(g -> (mayFault || used.contains(g)) && !g.equals(Scalar.truth(true)))
                .distinct()
                .reduce((a, b) -> Scalar.apply(Operation.AND, a, b));
    }

    private static boolean dividesByData(Scalar.Apply a) {
        boolean divides = a.operation() == Operation.DIVIDE
                || a.operation() == Operation.REMAINDER;
        return divides && a.operands().getFirst().format().isInteger()
                && Scalars.wholeConstant(a.operands().get(1)).filter(d -> d != 0).isEmpty();
    }

    boolean dependsOnData(Scalar scalar) {
        return Scalars.any(scalar, s -> s instanceof Scalar.Load l
                && !loopValues.containsKey(l.source().id()) || s instanceof Scalar.Convert);
    }

    /** Whether the range of some index of a coordinate depends on data. */
    boolean hasRangesByData(Scalar coordinate) {
        return Scalars.indices(coordinate).stream().map(indices::get)
                .anyMatch(r -> r != null && (byData(r.lower()) || byData(r.upper())));
    }

    private static boolean byData(Scalar bound) {
        return Scalars.any(bound, s -> s instanceof Scalar.Load);
    }

    /** Whether {@code 0 <= coordinate < size}. */
    Verdict inside(Scalar coordinate, Size size) {
        return inside(coordinate, Scalar.extent(size));
    }

    /** Whether {@code 0 <= coordinate < length}. */
    Verdict inside(Scalar coordinate, Scalar length) {
        Verdict verdict = byReasoning(coordinate, length);
        if (verdict == Verdict.PROVED || verdict == Verdict.GUARDED) {
            return verdict;
        }
        Points points = new Points(this::range, coordinate, length, around());
        Optional<Verdict> seen = points.verdict();
        used.addAll(points.used());
        boolean isExact = !Scalars.any(coordinate, this::isTable)
                && !Scalars.any(length, this::isTable);
        return seen.map(s -> s == Verdict.REFUTED && !isExact ? Verdict.OPEN : s).orElse(verdict);
    }

    private Verdict byReasoning(Scalar coordinate, Scalar length) {
        Verdict verdict = compare(coordinate, length);
        if (verdict == Verdict.PROVED || same.isEmpty()) {
            return verdict;
        }
        byEarliest = true;
        try {
            Verdict other = compare(coordinate, earliest(length));
            return other == Verdict.PROVED ? other : verdict;
        } finally {
            byEarliest = false;
        }
    }

    /** All conditions around what is lowered. */
    private List<Scalar> around() {
        List<Scalar> around = new ArrayList<>(guards);
        around.addAll(assumed);
        return around;
    }

    /** An expression in which a table stands for those that are equal to it. */
    private Scalar earliest(Scalar scalar) {
        Scalar mapped = Walk.map(scalar, this::earliest);
        return mapped instanceof Scalar.Load l && same.containsKey(l.source().id())
                ? new Scalar.Load(same.get(l.source().id()), l.coordinates(), l.bounds(),
                        l.otherwise())
                : mapped;
    }

    private Linear end(Range range) {
        return Linear.of(byEarliest ? earliest(range.upper()) : range.upper());
    }

    private Verdict compare(Scalar coordinate, Scalar length) {
        Verdict lower;
        Verdict upper;
        try {
            lower = notNegative(Linear.of(coordinate));
            upper = notNegative(Linear.of(length).plus(Linear.of(coordinate), -1).plus(-1));
        } catch (ArithmeticException tooLarge) {
            return Verdict.OPEN;
        }
        if (lower == Verdict.REFUTED || upper == Verdict.REFUTED) {
            return Verdict.REFUTED;
        }
        return lower.compareTo(upper) > 0 ? lower : upper;
    }

    /** One more than the largest value of a number that is never negative, if that is constant. */
    Optional<Long> count(Scalar number) {
        try {
            return counted(number);
        } catch (ArithmeticException tooLarge) {
            return Optional.empty();
        }
    }

    private Optional<Long> counted(Scalar number) {
        Linear linear = Linear.of(number);
        return notNegative(linear) != Verdict.PROVED ? Optional.empty()
                : highest(linear, 0).filter(h -> h.factors().isEmpty())
                        .map(h -> h.constant() + 1);
    }

    private Verdict notNegative(Linear linear) {
        return notNegative(linear, 0);
    }

    private Verdict notNegative(Linear linear, int depth) {
        Verdict verdict = asItIs(linear);
        if (verdict == Verdict.PROVED || depth > 3) {
            return verdict;
        }
        for (var entry : linear.factors().entrySet()) {
            if (!(entry.getKey() instanceof Scalar.Apply part)) {
                continue;
            }
            long factor = entry.getValue();
            boolean isMaximum = part.operation() == Operation.MAXIMUM;
            if (isMaximum || part.operation() == Operation.MINIMUM) {
                List<Verdict> each = part.operands().stream().map(o -> notNegative(
                        linear.without(part).plus(Linear.of(o), factor), depth + 1)).toList();
                // A maximum is at least each of its operands, and at most the larger one.
                Verdict all = isMaximum == factor > 0
                        ? Collections.min(each) : Collections.max(each);
                return each.contains(Verdict.REFUTED) && all.compareTo(Verdict.REFUTED) >= 0
                        ? Verdict.OPEN : all;
            }
            // A remainder is never more than what is divided.
            if (part.operation() == Operation.REMAINDER && factor < 0) {
                Linear divided = Linear.of(part.operands().getFirst());
                if (asItIs(divided) == Verdict.PROVED) {
                    Verdict other = notNegative(
                            linear.without(part).plus(divided, factor), depth + 1);
                    return other == Verdict.REFUTED ? Verdict.OPEN
                            : other.compareTo(verdict) < 0 ? other : verdict;
                }
            }
        }
        return verdict;
    }

    private Verdict asItIs(Linear linear) {
        divided = false;
        Optional<Linear> low = lowest(linear, 0);
        if (isProved(low, false) || bySizes(low, 0)) {
            return divided ? Verdict.UNLESS_EMPTY : Verdict.PROVED;
        }
        if (isProved(low)) {
            return Verdict.UNLESS_EMPTY;
        }
        List<Scalar> around = around();
        Optional<Verdict> guarded = guarded(linear, around);
        if (guarded.isPresent()) {
            return guarded.get();
        }
        exact = true;
        bounded.clear();
        Optional<Linear> worst = lowest(linear, 0);
        boolean refuted = exact && around.isEmpty() && worst.isPresent()
                && isProved(Optional.of(worst.get().times(-1).plus(-1)));
        return refuted ? Verdict.REFUTED : Verdict.OPEN;
    }

    /** Whether what is known of run-time sizes shows that something is never negative. */
    private boolean bySizes(Optional<Linear> low, int depth) {
        if (low.isEmpty() || depth > 3) {
            return false;
        }
        for (Linear known : sizes) {
            boolean helps = low.get().factors().entrySet().stream().anyMatch(e ->
                    e.getValue() < 0 && known.factors().getOrDefault(e.getKey(), 0L) < 0);
            if (!helps) {
                continue;
            }
            Optional<Linear> rest = Optional.of(low.get().plus(known, -1));
            if (isProved(rest, false) || bySizes(rest, depth + 1)) {
                return true;
            }
        }
        return false;
    }

    /** Whether something is not negative because of one condition around, or of two. */
    private Optional<Verdict> guarded(Linear linear, List<Scalar> around) {
        for (int i = 0; i < around.size(); i++) {
            for (Linear fact : facts(around.get(i))) {
                for (long times : multiples(linear, fact)) {
                    Linear rest = linear.plus(fact, -times);
                    divided = false;
                    Optional<Linear> low = lowest(rest, 0);
                    if (isProved(low)) {
                        used.add(around.get(i));
                        return Optional.of(isProved(low, false) && !divided
                                ? Verdict.GUARDED : Verdict.UNLESS_EMPTY);
                    }
                    Optional<Verdict> both = guarded(rest, around.subList(i + 1, around.size()));
                    if (both.isPresent()) {
                        used.add(around.get(i));
                        return both;
                    }
                }
            }
        }
        return Optional.empty();
    }

    /** How many times a fact may have to be used: so often that a part of both cancels. */
    private static Set<Long> multiples(Linear linear, Linear fact) {
        Set<Long> multiples = new LinkedHashSet<>(Set.of(1L));
        fact.factors().forEach((part, factor) -> {
            long wanted = linear.factors().getOrDefault(part, 0L);
            if (factor != 0 && wanted / factor > 1 && wanted % factor == 0) {
                multiples.add(wanted / factor);
            }
        });
        return multiples;
    }

    /** Whether two conditions cannot hold together, or one cannot hold at all. */
    boolean excludes(Scalar condition) {
        List<Linear> facts;
        try {
            facts = facts(condition);
        } catch (ArithmeticException tooLarge) {
            return false;
        }
        for (Linear fact : facts) {
            for (Linear other : facts) {
                Linear sum = fact.plus(other, 1);
                if (sum.factors().isEmpty() && sum.constant() < 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether what is left, in run-time sizes only, is never negative. */
    private static boolean isProved(Optional<Linear> rest) {
        return isProved(rest, true);
    }

    private static boolean isProved(Optional<Linear> rest, boolean assumesSome) {
        if (rest.isEmpty()) {
            return false;
        }
        long least = rest.get().constant();
        for (var entry : rest.get().factors().entrySet()) {
            if (entry.getValue() < 0 || !(entry.getKey() instanceof Scalar.Extent extent)) {
                return false;
            }
            // Streams and generics have at least one element; slots and entrants may be none.
            boolean some = assumesSome && extent.size() instanceof Size.Symbol s
                    && !isPossiblyEmpty(s.name());
            least += some ? entry.getValue() : 0;
        }
        return least >= 0;
    }

    private static boolean isPossiblyEmpty(String symbol) {
        return symbol.startsWith("S") || symbol.startsWith("E");
    }

    /** The least value over all indices, as far as it can be told. */
    private Optional<Linear> lowest(Linear linear, int depth) {
        if (depth > 24) {
            return Optional.empty();
        }
        Optional<Scalar> next = next(linear.factors().keySet());
        if (next.isEmpty()) {
            return Optional.of(withoutQuotients(linear));
        }
        Scalar part = next.get();
        // A range that depends on another index may be empty, and no place is the worst for two.
        exact &= bounded.add(part)
                && range(part).map(r -> Scalars.indices(r.lower()).isEmpty()
                        && Scalars.indices(r.upper()).isEmpty()).orElse(true);
        long factor = linear.factors().get(part);
        Optional<Linear> bound = factor > 0 ? least(part, depth) : greatest(part, depth);
        return bound.flatMap(b -> lowest(linear.without(part).plus(b, factor), depth + 1));
    }

    /**
     * What is to be bounded next: indices first, as their bounds may cancel with what would be
     * bounded by itself, and of them one on which no other one's range depends.
     */
    private Optional<Scalar> next(Set<Scalar> parts) {
        List<Scalar> open = parts.stream().filter(p -> !(p instanceof Scalar.Extent)).toList();
        List<Scalar> variables =
                open.stream().filter(p -> p instanceof Scalar.Variable).toList();
        return variables.stream()
                .filter(v -> variables.stream().noneMatch(o -> o != v && dependsOn(o, v)))
                .findFirst()
                .or(() -> variables.stream().findFirst())
                .or(() -> open.stream().findFirst());
    }

    private boolean dependsOn(Scalar index, Scalar outer) {
        return range(index).map(r -> Scalars.any(r.lower(), s -> s.equals(outer))
                || Scalars.any(r.upper(), s -> s.equals(outer))).orElse(false);
    }

    /**
     * The same or less, with {@code n} in the place of {@code c} times the whole part of {@code n /
     * c}, as remainders of sizes have it, where that may cancel with something.
     */
    private static Linear withoutQuotients(Linear linear) {
        for (var entry : linear.factors().entrySet()) {
            if (!(entry.getKey() instanceof Scalar.Extent extent)
                    || !(extent.size() instanceof Size.Quotient quotient)
                    || !(quotient.right() instanceof Size.Constant(long divisor))
                    || divisor <= 0 || entry.getValue() % divisor != 0) {
                continue;
            }
            long times = entry.getValue() / divisor;
            Linear whole = Linear.of(quotient.left());
            boolean cancels = whole.factors().entrySet().stream().anyMatch(e -> Long.signum(times)
                    * e.getValue() * linear.factors().getOrDefault(e.getKey(), 0L) < 0);
            if (cancels) {
                Linear bound = times > 0 ? whole.plus(1 - divisor) : whole;
                return withoutQuotients(linear.without(entry.getKey()).plus(bound, times));
            }
        }
        return linear;
    }

    private Optional<Linear> highest(Linear linear, int depth) {
        return lowest(linear.times(-1), depth).map(l -> l.times(-1));
    }

    private Optional<Range> range(Scalar part) {
        return switch (part) {
            case Scalar.Variable v -> Optional.ofNullable(indices.get(v.index()));
            case Scalar.Load l -> Optional.ofNullable(loopValues.get(l.source().id()));
            default -> Optional.empty();
        };
    }

    /** What the bits that a number keeps are at most: {@code bit_and(i, 3)}. */
    private static Optional<Long> mask(Scalar part) {
        return part instanceof Scalar.Apply a && a.operation() == Operation.BIT_AND
                ? Scalars.wholeConstant(a.operands().get(1)).filter(m -> m >= 0)
                        .or(() -> Scalars.wholeConstant(a.operands().get(0)).filter(m -> m >= 0))
                : Optional.empty();
    }

    private Optional<Linear> least(Scalar part, int depth) {
        if (mask(part).isPresent()) {
            exact = false;
            return Optional.of(Linear.constant(0));
        }
        Optional<Range> range = range(part);
        if (range.isPresent()) {
            exact &= !isTable(part);
            return Optional.of(Linear.of(range.get().lower()));
        }
        if (isRemainderBySize(part)) {
            return Optional.of(Linear.constant(0));
        }
        if (part instanceof Scalar.Apply a && divisor(a) > 0) {
            Optional<Linear> low = lowest(Linear.of(a.operands().getFirst()), depth + 1);
            if (a.operation() == Operation.REMAINDER) {
                return Optional.of(Linear.constant(0));
            }
            Optional<Linear> quotient = low.flatMap(l -> l.dividedBy(divisor(a)));
            if (quotient.isPresent()) {
                return quotient;
            }
            exact = false;
            return isProved(low) ? Optional.of(Linear.constant(0)) : Optional.empty();
        }
        return Optional.empty();
    }

    private Optional<Linear> greatest(Scalar part, int depth) {
        Optional<Long> mask = mask(part);
        if (mask.isPresent()) {
            exact = false;
            return Optional.of(Linear.constant(mask.get()));
        }
        Optional<Range> range = range(part);
        if (range.isPresent()) {
            exact &= !isTable(part);
            return Optional.of(end(range.get()).plus(-1));
        }
        if (isRemainderBySize(part)) {
            divided = true;
            exact = false;
            return Optional.of(Linear.of(((Scalar.Apply) part).operands().get(1)).plus(-1));
        }
        if (part instanceof Scalar.Apply a && divisor(a) > 0) {
            if (a.operation() == Operation.REMAINDER) {
                return Optional.of(Linear.constant(divisor(a) - 1));
            }
            Linear inner = Linear.of(a.operands().getFirst());
            Optional<Linear> high = highest(inner, depth + 1);
            Optional<Linear> quotient = high.flatMap(h -> h.dividedBy(divisor(a)));
            if (quotient.isPresent()) {
                return quotient;
            }
            exact = false;
            return isProved(lowest(inner, depth + 1)) ? high : Optional.empty();
        }
        return Optional.empty();
    }

    private boolean isTable(Scalar part) {
        return part instanceof Scalar.Load l && tables.contains(l.source().id());
    }

    private static boolean isRemainderBySize(Scalar part) {
        return part instanceof Scalar.Apply a && a.operation() == Operation.REMAINDER
                && a.operands().get(1) instanceof Scalar.Extent;
    }

    private static long divisor(Scalar.Apply a) {
        boolean divides = a.operation() == Operation.DIVIDE
                || a.operation() == Operation.REMAINDER;
        return divides ? Scalars.wholeConstant(a.operands().get(1)).orElse(0L) : 0;
    }

    /** What a condition says, as expressions that are not negative where it holds. */
    private List<Linear> facts(Scalar guard) {
        if (guard instanceof Scalar.Apply not && not.operation() == Operation.NOT) {
            return factsOfOpposite(not.operands().getFirst());
        }
        if (!(guard instanceof Scalar.Apply a) || a.operands().size() != 2) {
            return List.of();
        }
        Scalar left = a.operands().get(0);
        Scalar right = a.operands().get(1);
        if (a.operation() == Operation.AND) {
            List<Linear> both = new ArrayList<>(facts(left));
            both.addAll(facts(right));
            return both;
        }
        if (!left.format().isInteger()) {
            return List.of();
        }
        Linear forward = Linear.of(right).plus(Linear.of(left), -1);
        return switch (a.operation()) {
            case LESS_EQUAL -> List.of(forward);
            case LESS -> List.of(forward.plus(-1));
            case GREATER_EQUAL -> List.of(forward.times(-1));
            case GREATER -> List.of(forward.times(-1).plus(-1));
            case EQUAL -> List.of(forward, forward.times(-1));
            case NOT_EQUAL -> apart(left, right);
            default -> List.of();
        };
    }

    /** What it says that a condition does not hold. */
    private List<Linear> factsOfOpposite(Scalar condition) {
        if (!(condition instanceof Scalar.Apply a) || a.operands().size() != 2) {
            return List.of();
        }
        Scalar left = a.operands().get(0);
        Scalar right = a.operands().get(1);
        return switch (a.operation()) {
            case OR -> {
                List<Linear> both = new ArrayList<>(factsOfOpposite(left));
                both.addAll(factsOfOpposite(right));
                yield both;
            }
            case LESS -> facts(Scalar.apply(Operation.GREATER_EQUAL, left, right));
            case LESS_EQUAL -> facts(Scalar.apply(Operation.GREATER, left, right));
            case GREATER -> facts(Scalar.apply(Operation.LESS_EQUAL, left, right));
            case GREATER_EQUAL -> facts(Scalar.apply(Operation.LESS, left, right));
            case EQUAL -> left.format().isInteger() ? apart(left, right) : List.of();
            default -> List.of();
        };
    }

    /** Two whole numbers that differ, where one cannot be less than the other. */
    private List<Linear> apart(Scalar left, Scalar right) {
        Linear difference = Linear.of(left).plus(Linear.of(right), -1);
        if (isProved(lowest(difference, 0), false)) {
            return List.of(difference.plus(-1));
        }
        Linear opposite = difference.times(-1);
        return isProved(lowest(opposite, 0), false)
                ? List.of(opposite.plus(-1)) : List.of();
    }
}
