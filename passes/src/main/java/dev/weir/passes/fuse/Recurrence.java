package dev.weir.passes.fuse;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.contract.Contraction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A loop in which every point of some leading axes (a sequence, a head, a channel) goes on by
 * itself: what a round reads of earlier rounds, it reads at its own point. Then one kernel can run
 * all rounds of a point one after the other, and what they hand on stays in the nearest cache.
 *
 * <pre>
 *   for t { s[b, h, k, v] = g[t, h, k] · s[b, h, k, v] + …;  o[t, h, v] = sum[k] q[t, h, k] · s… }
 *       ⇒  for each b, h:  for t { … }
 * </pre>
 *
 * @param rows how the rows of a round follow from its number, if not all take part in each
 * @param shape the extents of the leading axes: how many points there are
 * @param nodes what a round does, in order: computes, scatters into what is carried, new contents
 *     of states
 * @param tallies what counts the rounds
 * @param carried for each value that the loop hands on, how a round changes it
 */
public record Recurrence(
        Node.Loop loop,
        Optional<Rows> rows,
        List<Size> shape,
        List<Node> nodes,
        List<Node.Tally> tallies,
        List<Carried> carried) {

    /**
     * The rows of a round: those for which it has not come to the end.
     *
     * @param entrants {@code i64[count]}: the numbers of the rows that take part
     * @param all how many rows there are
     * @param row stands for a row's number in {@code end}
     * @param end the first round in which a row does not take part
     */
    public record Rows(Value entrants, Size.Symbol count, Size all, Index row, Scalar end) {}

    /** How a round changes what it was handed. */
    public sealed interface Carried {
        /** Some elements are replaced; a point does so at its own elements only. */
        record Scattered(Node.Scatter scatter) implements Carried {}

        /** Every point makes its part anew. */
        record Replaced(Node.Compute compute) implements Carried {}

        /** Not at all. */
        record Kept() implements Carried {}
    }

    /** The recurrence that a loop is, if it is one. */
    public static Optional<Recurrence> of(Node.Loop loop, Facts facts) {
        if (!facts.isOn(ScheduleStep.RECURRENCES) || loop.active().isPresent()) {
            return Optional.empty();
        }
        return new Finder(loop, facts).find();
    }

    /** The computes that have points, in order. */
    public List<Node.Compute> computes() {
        return nodes.stream()
                .filter(n -> n instanceof Node.Compute c && c.result().type().rank() > 0)
                .map(n -> (Node.Compute) n).toList();
    }

    /** How many leading axes the points have. */
    public int prefix() {
        return shape.size();
    }

    /**
     * Whether a compute may change memory as it goes: nobody wants what was there, but the element
     * that is being replaced.
     *
     * @param last what puts the new content there, if that is before the end of the round
     * @param isOld recognises what reads the old content
     * @param own the coordinates of the compute's own element in that memory
     */
    public boolean inPlace(
            Node.Compute compute,
            Optional<Node.WriteRows> last,
            Predicate<Scalar.Load> isOld,
            List<Scalar> own) {
        List<Node> behind = nodes.subList(
                nodes.indexOf(compute) + 1, last.map(nodes::indexOf).orElse(nodes.size()));
        return compute.reduction().isEmpty()
                && loads(compute).stream().allMatch(
                        l -> !isOld.test(l) || l.coordinates().equals(own))
                && behind.stream().noneMatch(n -> loads(n).stream().anyMatch(isOld));
    }

    static List<Scalar.Load> loads(Node node) {
        List<Scalar.Load> loads = new ArrayList<>();
        Walk.scalars(node).forEach(s -> Walk.loads(s, loads::add));
        return loads;
    }

    /** Looks at the body of one loop. */
    private static final class Finder {
        private final Node.Loop loop;
        private final Region body;
        private final Facts facts;
        private final List<Node> steps = new ArrayList<>();
        private final List<Node.Tally> tallies = new ArrayList<>();
        private final Map<Value, Node> defined = new HashMap<>();
        private final Map<String, Node.WriteRows> written = new HashMap<>();
        private final List<Carried> carried = new ArrayList<>();
        private Optional<Rows> rows = Optional.empty();

        Finder(Node.Loop loop, Facts facts) {
            this.loop = loop;
            this.body = loop.body();
            this.facts = facts;
        }

        Optional<Recurrence> find() {
            if (!body.nodes().stream().allMatch(this::take)
                    || steps.stream().noneMatch(this::hasPoints)
                    || !isCarried()
                    || !isOrdered()) {
                return Optional.empty();
            }
            int widest = steps.stream().filter(this::hasPoints)
                    .mapToInt(n -> Walk.axes(n).size() - reduced(n)).min().orElseThrow();
            for (int prefix = widest; prefix > 0; prefix--) {
                Optional<List<Size>> shape = shape(prefix);
                if (shape.isPresent()) {
                    return Optional.of(new Recurrence(
                            loop, rows, shape.get(), List.copyOf(steps), List.copyOf(tallies),
                            List.copyOf(carried)));
                }
            }
            return Optional.empty();
        }

        private static int reduced(Node node) {
            return node instanceof Node.Compute c
                    ? c.reduction().map(r -> r.axes().size()).orElse(0) : 0;
        }

        private boolean hasPoints(Node node) {
            return node instanceof Node.Scatter
                    || node instanceof Node.Compute c && c.result().type().rank() > 0;
        }

        // -------------------------------------------------------------- what the body is made of

        private boolean take(Node node) {
            switch (node) {
                case Node.Tally t -> {
                    tallies.add(t);
                    return t.kind() == Node.TallyKind.ITERATION
                            && t.instances().stream().noneMatch(this::changes);
                }
                case Node.Selection s -> {
                    return rows.isEmpty() && isRows(s);
                }
                case Node.Compute c -> {
                    if (Contraction.of(c, facts).isPresent()) {
                        return false;
                    }
                    steps.add(c);
                    defined.put(c.result(), c);
                    return true;
                }
                case Node.Scatter s -> {
                    steps.add(s);
                    defined.put(s.result(), s);
                    return true;
                }
                case Node.WriteRows w -> {
                    steps.add(w);
                    return rows.isPresent()
                            && w.segment().equals(rows.get().entrants())
                            && defined.get(w.rows()) instanceof Node.Compute
                            && w.instances().stream().noneMatch(this::changes)
                            && written.put(w.state(), w) == null;
                }
                default -> {
                    return false;
                }
            }
        }

        /** Whether an expression may be another in each round. */
        private boolean changes(Scalar scalar) {
            boolean[] found = {false};
            Walk.loads(scalar, l -> found[0] |= l.source().equals(loop.index())
                    || defined.containsKey(l.source())
                    || body.arguments().contains(l.source()));
            return found[0];
        }

        /** Takes {@code t < end[b]} for what says which rows a round has. */
        private boolean isRows(Node.Selection selection) {
            if (!(defined.get(selection.condition()) instanceof Node.Compute still)
                    || still.reduction().isPresent()
                    || !(still.body() instanceof Scalar.Apply less)
                    || less.operation() != Operation.LESS
                    || !less.operands().get(0).equals(Scalar.load(loop.index(), List.of()))
                    || changes(less.operands().get(1))
                    || !still.axes().getFirst().covers(
                            still.result().type().shape().getFirst())) {
                return false;
            }
            rows = Optional.of(new Rows(
                    selection.indices(), selection.count(),
                    still.result().type().shape().getFirst(),
                    still.axes().getFirst().index(), less.operands().get(1)));
            steps.remove(still);
            return true;
        }

        /** How each value that the loop hands on changes, as far as it is known how. */
        private boolean isCarried() {
            Set<Value> seen = new HashSet<>();
            for (int i = 0; i < body.results().size(); i++) {
                Value result = body.results().get(i);
                Value argument = body.arguments().get(i);
                if (result.equals(argument)) {
                    carried.add(new Carried.Kept());
                } else if (!seen.add(result)) {
                    return false;
                } else if (defined.get(result) instanceof Node.Scatter scatter
                        && scatter.base().equals(argument)) {
                    carried.add(new Carried.Scattered(scatter));
                } else if (defined.get(result) instanceof Node.Compute compute
                        && rows.isEmpty() && compute.result().type().rank() > 0) {
                    carried.add(new Carried.Replaced(compute));
                } else {
                    return false;
                }
            }
            return steps.stream().allMatch(n -> !(n instanceof Node.Scatter s)
                    || carried.contains(new Carried.Scattered(s))
                            && steps.stream().noneMatch(o -> Walk.reads(o).contains(s.result())));
        }

        /** Whether nobody reads what a scatter changes after it has changed it. */
        private boolean isOrdered() {
            Set<Value> changed = new HashSet<>();
            for (Node node : steps) {
                if (loads(node).stream().anyMatch(l -> changed.contains(l.source()))) {
                    return false;
                }
                if (node instanceof Node.Scatter scatter) {
                    changed.add(scatter.base());
                }
            }
            return true;
        }

        // -------------------------------------------------------------- points

        /** The extents of so many leading axes, if they are points of the recurrence. */
        private Optional<List<Size>> shape(int prefix) {
            List<List<Size>> shapes = steps.stream().filter(this::hasPoints)
                    .map(n -> leading(n, prefix)).distinct().toList();
            if (shapes.size() != 1
                    || rows.map(r -> !r.count().equals(shapes.getFirst().getFirst()))
                            .orElse(false)
                    || !steps.stream().allMatch(n -> isLocal(n, prefix))) {
                return Optional.empty();
            }
            List<Size> shape = new ArrayList<>(shapes.getFirst());
            rows.ifPresent(r -> shape.set(0, r.all()));
            return Optional.of(List.copyOf(shape));
        }

        /** The extents of a node's first axes. */
        private static List<Size> leading(Node node, int prefix) {
            return node instanceof Node.Scatter scatter
                    ? scatter.axes().subList(0, prefix).stream().map(Finder::extent).toList()
                    : node.results().getFirst().type().shape().subList(0, prefix);
        }

        private static Size extent(Axis axis) {
            return switch (axis.upper()) {
                case Scalar.Extent e -> e.size();
                case Scalar.Whole w -> Size.of(w.value());
                default -> Size.symbol("|" + axis.index() + "|");
            };
        }

        /** Whether a node keeps to its own point, in what it reads and in what it changes. */
        private boolean isLocal(Node node, int prefix) {
            switch (node) {
                case Node.Compute c when c.result().type().rank() == 0 -> {
                    // The same for all points: of the round's number only.
                    return c.reduction().isEmpty() && loads(c).stream().noneMatch(l ->
                            body.arguments().contains(l.source())
                                    || writtenState(l).isPresent()
                                    || isRowTable(l)
                                    || defined.containsKey(l.source())
                                            && l.source().type().rank() > 0);
                }
                case Node.Compute c -> {
                    List<Size> shape = c.result().type().shape();
                    long room = 1;
                    for (int i = 0; i < shape.size(); i++) {
                        if (i < prefix && !c.axes().get(i).covers(shape.get(i))
                                || i >= prefix && !shape.get(i).isConstant()) {
                            return false;
                        }
                        room *= i < prefix ? 1 : shape.get(i).constant().orElseThrow();
                    }
                    return room <= Cluster.LARGEST_LOCAL && isLocal(loads(c), c.axes(), prefix);
                }
                case Node.Scatter s -> {
                    return s.axes().subList(0, prefix).stream()
                                    .allMatch(a -> a.lower().equals(Scalar.whole(0)))
                            && isLocal(loads(s), s.axes(), prefix)
                            && isApart(s, prefix)
                            && loads(s).stream().noneMatch(l -> l.source().equals(s.base())
                                    && !l.coordinates().equals(s.target()));
                }
                default -> {
                    return true;
                }
            }
        }

        private boolean isRowTable(Scalar.Load load) {
            return rows.isPresent() && load.source().equals(rows.get().entrants());
        }

        private Optional<Node.WriteRows> writtenState(Scalar.Load load) {
            return facts.state(load.source()).flatMap(
                    s -> Optional.ofNullable(written.get(s.name())));
        }

        private boolean isLocal(List<Scalar.Load> loads, List<Axis> axes, int prefix) {
            return loads.stream().allMatch(l -> isLocal(l, axes, prefix));
        }

        private boolean isLocal(Scalar.Load load, List<Axis> axes, int prefix) {
            List<Scalar> at = load.coordinates();
            if (isRowTable(load)) {
                return isOwn(at, axes, 0, 1);
            }
            if (body.nodes().stream().anyMatch(n -> n instanceof Node.Selection s
                    && s.condition().equals(load.source()))) {
                return false;
            }
            if (defined.containsKey(load.source())) {
                return load.source().type().rank() == 0 || isOwn(at, axes, 0, prefix);
            }
            Optional<Node.WriteRows> write = writtenState(load);
            if (write.isPresent()) {
                int instances = write.get().instances().size();
                return at.subList(0, instances).equals(write.get().instances())
                        && at.get(instances).equals(row(axes.getFirst()))
                        && isOwn(at.subList(instances, at.size()), axes, 1, prefix);
            }
            int i = body.arguments().indexOf(load.source());
            if (i < 0) {
                return true;
            }
            return switch (carried.get(i)) {
                case Carried.Kept k -> true;
                case Carried.Replaced r -> isOwn(at, axes, 0, prefix);
                case Carried.Scattered s -> isWholeRow(s.scatter())
                        && at.getFirst().equals(row(axes.getFirst()))
                        && isOwn(at, axes, 1, prefix);
            };
        }

        /** Whether coordinates from one on are the leading indices themselves. */
        private static boolean isOwn(List<Scalar> at, List<Axis> axes, int from, int to) {
            if (at.size() < to || axes.size() < to) {
                return false;
            }
            for (int i = from; i < to; i++) {
                if (!at.get(i).equals(Scalar.variable(axes.get(i).index()))) {
                    return false;
                }
            }
            return true;
        }

        /** The number of the present row. */
        private Scalar row(Axis first) {
            Scalar present = Scalar.variable(first.index());
            return rows.<Scalar>map(r -> Scalar.load(r.entrants(), List.of(present)))
                    .orElse(present);
        }

        /** Whether a scatter replaces the elements of its row one for one. */
        private boolean isWholeRow(Node.Scatter scatter) {
            return scatter.target().size() == scatter.axes().size()
                    && scatter.target().getFirst().equals(row(scatter.axes().getFirst()))
                    && isOwn(scatter.target(), scatter.axes(), 1, scatter.axes().size());
        }

        /** Whether two points never change the same element, in whatever rounds. */
        private boolean isApart(Node.Scatter scatter, int prefix) {
            return isOfRow(scatter.target().getFirst(), scatter.axes().getFirst())
                    && scatter.axes().subList(1, prefix).stream().allMatch(a ->
                            scatter.target().contains(Scalar.variable(a.index())));
        }

        /** Whether a place along the first axis belongs to the present row and to no other. */
        private boolean isOfRow(Scalar place, Axis first) {
            if (place.equals(row(first))) {
                return true;
            }
            if (!(place instanceof Scalar.Apply sum) || sum.operation() != Operation.ADD) {
                return false;
            }
            Scalar begin = sum.operands().get(0);
            Scalar behind = sum.operands().get(1);
            if (rows.isEmpty()) {
                // The beginning of its sequence, and how far behind that it stands.
                return behind.equals(Scalar.apply(
                        Operation.SUBTRACT, row(first), begin));
            }
            Value offsets = facts.program().frames().orElseThrow().offsets();
            return begin.equals(Scalar.load(offsets, List.of(row(first))))
                    && behind.equals(Scalar.load(loop.index(), List.of()))
                    && isLengthOf(offsets);
        }

        /** Whether rows end where the stretches of a table of offsets do. */
        private boolean isLengthOf(Value offsets) {
            Scalar row = Scalar.variable(rows.orElseThrow().row());
            return rows.get().all().equals(facts.sequences())
                    && rows.get().end().equals(Scalar.apply(Operation.SUBTRACT,
                            Scalar.load(offsets, List.of(Scalar.apply(
                                    Operation.ADD, row, Scalar.whole(1)))),
                            Scalar.load(offsets, List.of(row))));
        }
    }
}
