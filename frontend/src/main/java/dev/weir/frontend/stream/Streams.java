package dev.weir.frontend.stream;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Decides whether a model's stream can be taken in several steps.
 *
 * <p>What is computed for each element of the stream from that element alone can, and so can what
 * reads earlier elements through a growing state. A look back by a constant, {@code x[t - j] or 0},
 * can if the last elements of {@code x} are remembered, which {@link Tails} adds. Anything else
 * depends on where the stream is cut, and the equation that does it is named.
 */
public final class Streams {
    /** Rounds of a loop whose states can have room from the start. */
    private static final long MOST_ROUNDS = 1 << 16;

    /** The place of an element of a stream that a function does not see. */
    private static final Scalar NOWHERE = Scalar.whole(-1);

    private final TensorProgram program;
    private final Map<String, Set<Size>> seen = new HashMap<>();
    private final Map<Value, Tail> tails = new LinkedHashMap<>();
    /** Values that are defined where a state can be made for each activation. */
    private final Set<Value> remembering = new HashSet<>();
    private final Set<String> written = new HashSet<>();
    /** The growing states to which something is appended, and those to which it has been. */
    private final Set<String> growing = new HashSet<>();
    private final Set<String> grown = new HashSet<>();
    private final History history = new History();
    /** What scans have left that is not about elements: it depends on where the stream is cut. */
    private final Set<Value> left = new HashSet<>();
    /** The indices of the scans that carry such values, which have to be remembered. */
    private final Set<Value> carrying = new HashSet<>();
    private Optional<String> obstacle = Optional.empty();

    private Streams(TensorProgram program) {
        this.program = program;
    }

    /**
     * The program with a state for each value of which it reads earlier elements, or with the
     * reason why its stream is taken as a whole.
     *
     * @param program not lifted
     */
    public static TensorProgram run(TensorProgram program) {
        return run(program, Set.of());
    }

    /**
     * As {@link #run(TensorProgram)}, beside other entries.
     *
     * @param taken the names of their states: each entry has a stream of its own, and what it
     *              remembers of that
     */
    public static TensorProgram run(TensorProgram program, Set<String> taken) {
        if (program.stream().isEmpty()) {
            return program;
        }
        StreamAxis stream = program.stream().get();
        Streams streams = new Streams(program);
        Walk.nodes(program, node -> {
            if (node instanceof Node.Write write) {
                streams.written.add(write.state());
            }
            if (node instanceof Node.Append append) {
                streams.growing.add(append.state());
            }
        });
        streams.function(program.entry(), Set.of(stream.size()), true, false);
        Changes.second(program).ifPresent(n -> streams.refuse(n,
                "changes a state that the same step changes elsewhere too"));
        if (streams.obstacle.isPresent()) {
            return program.withStream(new StreamAxis(stream.size(), streams.obstacle));
        }
        return streams.tails.isEmpty() && streams.carrying.isEmpty() ? program
                : Tails.run(program, streams.tails, streams.carrying, taken);
    }

    /** Where the walk stands. */
    private final class Place {
        /** The run-time sizes that are streams: the function's own, and entrants of its gates. */
        private final Set<Size> streams;
        /** Whether a state can be made here for each activation. */
        private final boolean remembers;
        /** Inside a scan: the place of its present element. */
        private final Optional<Scalar> scanned;
        /** Inside a scan: what its iterations hand on. */
        private final Set<Value> carried;
        /**
         * In a loop that ends when nobody is left: who is still in it. Rounds are left out where
         * that holds for nobody, and so are the states of this round, unless they are behind just
         * this condition.
         */
        private final Optional<Value> active;

        Place(Set<Size> streams, boolean remembers, Optional<Scalar> scanned, Set<Value> carried) {
            this(streams, remembers, scanned, carried, Optional.empty());
        }

        private Place(
                Set<Size> streams, boolean remembers, Optional<Scalar> scanned,
                Set<Value> carried, Optional<Value> active) {
            this.streams = streams;
            this.remembers = remembers;
            this.scanned = scanned;
            this.carried = carried;
            this.active = active;
        }

        /** The rounds of a loop. */
        Place rounds(Node.Loop loop, boolean counted) {
            Optional<Value> left = loop.active().filter(a -> counted && remembers)
                    .map(a -> loop.body().arguments().get(a));
            return new Place(streams, remembers && counted && left.isEmpty(), scanned, carried,
                    left);
        }

        /** Where a condition holds. */
        Place behind(Value condition) {
            return active.equals(Optional.of(condition))
                    ? new Place(streams, true, scanned, carried) : this;
        }

        boolean isStream(Size size) {
            return streams.contains(size);
        }

        boolean mentions(Size size) {
            return switch (size) {
                case Size.Constant c -> false;
                case Size.Symbol s -> isStream(s);
                case Size.Sum s -> mentions(s.left()) || mentions(s.right());
                case Size.Product p -> mentions(p.left()) || mentions(p.right());
                case Size.Quotient q -> mentions(q.left()) || mentions(q.right());
            };
        }

        boolean hasStream(Value value) {
            return value.type().shape().stream().anyMatch(this::mentions);
        }

        Place also(Size entrants) {
            Set<Size> more = new HashSet<>(streams);
            more.add(entrants);
            return new Place(more, remembers, scanned, carried, active);
        }
    }

    private void refuse(Node node, String reason) {
        if (obstacle.isEmpty()) {
            obstacle = Optional.of(describe(node) + " " + reason);
        }
    }

    /** The equation as the user wrote it, and where. */
    private static String describe(Node node) {
        Span span = node.span();
        if (span.equals(Span.NONE)) {
            return node.results().isEmpty() ? "a node" : "`" + node.results().getFirst().name()
                    + "`";
        }
        String text = span.text().strip().replaceAll("\\s+", " ");
        String shown = text.length() > 90 ? text.substring(0, 87) + "..." : text;
        return "`" + shown + "` (" + span.location() + ")";
    }

    private void function(
            Function function, Set<Size> streams, boolean remembers, boolean scans) {
        Set<Size> before = seen.put(function.name(), streams);
        int known = tails.size();
        // A block that a scan calls for each element sees nothing of the stream.
        region(function.body(), new Place(streams, remembers,
                scans ? Optional.of(NOWHERE) : Optional.empty(), Set.of()));
        boolean remembered = tails.size() > known || tails.keySet().stream()
                .anyMatch(v -> owns(function, v));
        if (before != null && !before.equals(streams) && remembered) {
            obstacle = obstacle.or(() -> Optional.of("`" + function.name()
                    + "` looks back along the stream in one call and along another axis in the "
                    + "next"));
        }
    }

    private static boolean owns(Function function, Value value) {
        boolean[] found = {function.body().arguments().contains(value)};
        Walk.nodes(function.body(), node -> {
            found[0] |= node.results().contains(value);
            Walk.regions(node).forEach(r -> found[0] |= r.arguments().contains(value));
        });
        return found[0];
    }

    private void region(Region region, Place place) {
        know(region.arguments(), place);
        for (Node node : region.nodes()) {
            node(node, place);
            know(node.results(), place);
        }
    }

    private void know(List<Value> values, Place place) {
        if (place.remembers) {
            remembering.addAll(values);
        }
    }

    private void node(Node node, Place place) {
        for (Value operand : Walk.operands(node)) {
            if (left.contains(operand)) {
                refuse(node, "uses `" + operand.name() + "`, which a scan has left once a step");
            }
        }
        switch (node) {
            case Node.Compute n -> {
                Optional<Scalar> own = own(n, n.result(), n.axes(), place);
                equation(n, own, place);
                history.read(n, own, place.scanned.isPresent())
                        .ifPresent(reason -> refuse(n, reason));
            }
            case Node.Scatter n -> scatter(n, place);
            case Node.TopK n -> {
                history.chosen(n.operand(), n.results());
                if (place.mentions(n.operand().type().shape().getLast())) {
                    refuse(n, "chooses among all elements of the stream");
                }
            }
            case Node.Call n -> call(n, place);
            case Node.Route n -> n.alternatives().stream().filter(a -> !a.isNone())
                    .forEach(a -> callee(program.function(a.function()), n.arguments(), List.of(),
                            place, false));
            case Node.If n -> {
                region(n.then(), place.behind(n.condition()));
                region(n.otherwise(), place);
            }
            case Node.Gate n -> {
                boolean gatesStream = place.isStream(n.condition().type().shape().getFirst());
                if (gatesStream && place.scanned.isPresent()) {
                    refuse(n, "goes over the whole stream inside a `scan`");
                }
                Place entered = place.behind(n.condition());
                region(n.body(), gatesStream ? entered.also(n.entrants()) : entered);
            }
            case Node.Loop n -> loop(n, place);
            case Node.Append n -> {
                history.holds(n.result(), program.state(n.state()).keep(),
                        place.scanned.isPresent());
                grown.add(n.state());
                boolean rows = place.isStream(n.rows().type().shape().getFirst());
                if (rows == place.scanned.isPresent()) {
                    refuse(n, rows ? "goes over the whole stream inside a `scan`"
                            : "appends to a state once a step, not for each element");
                }
            }
            case Node.Write n -> {
                if (place.scanned.isEmpty()) {
                    refuse(n, "changes a state once a step, not for each element");
                }
            }
            case Node.Selection n -> whole(n, n.condition(), place);
            case Node.Grouping n -> whole(n, n.keys(), place);
            // A table's largest is only how much room a jagged axis gets.
            case Node.Measure n -> { }
            case Node.Read n when program.state(n.state()).grows()
                    && !growing.contains(n.state()) -> { } // another entry has filled it
            case Node.Read n when program.state(n.state()).grows() -> {
                history.holds(n.result(), program.state(n.state()).keep(),
                        place.scanned.isPresent());
                if (growing.contains(n.state()) && !grown.contains(n.state())) {
                    refuse(n, "reads a state before this step's rows are in it");
                }
            }
            case Node.Read n -> {
                if (place.scanned.isEmpty() && written.contains(n.state())) {
                    refuse(n, "reads a state once a step, not for each element");
                }
            }
            case Node.Trace n -> { }
            case Node.Tally n -> { }
            case Node.AppendRows n -> throw lifted();
            case Node.WriteRows n -> throw lifted();
        }
    }

    /** A loop over the places of the stream goes through its elements in order: a scan. */
    private void loop(Node.Loop node, Place place) {
        boolean scans = node.from().equals(Scalar.whole(0))
                && node.to() instanceof Scalar.Extent e && place.isStream(e.size());
        if (!scans) {
            scalar(node, node.from(), place.scanned, place);
            scalar(node, node.to(), place.scanned, place);
            boolean counted =
                    node.to() instanceof Scalar.Whole w && w.value() <= MOST_ROUNDS;
            region(node.body(), place.rounds(node, counted));
            return;
        }
        if (place.scanned.isPresent()) {
            refuse(node, "goes over the whole stream inside a `scan`");
        }
        if (node.active().isPresent()) {
            refuse(node, "leaves the stream early, which the next step cannot know");
        }
        for (int i = 0; i < node.initial().size(); i++) {
            Value carried = node.body().arguments().get(i);
            if (place.hasStream(carried)) {
                continue;
            }
            boolean fits = carried.type().shape().stream().allMatch(Size::isConstant);
            if (!fits || !place.remembers) {
                refuse(node, "carries `" + carried.name() + "` along the stream where it cannot be "
                        + "remembered");
            }
            left.add(node.results().get(i));
            carrying.add(node.index());
        }
        region(node.body(), new Place(place.streams, false,
                Optional.of(Scalar.load(node.index(), List.of())),
                Set.copyOf(node.body().arguments())));
    }

    private static IllegalArgumentException lifted() {
        return new IllegalArgumentException("the program is lifted already");
    }

    private void whole(Node node, Value operand, Place place) {
        if (place.hasStream(operand)) {
            refuse(node, "looks at all elements of the stream");
        }
    }

    /** What stands for the place of the element of the stream that a result belongs to. */
    private Optional<Scalar> own(Node node, Value result, List<Axis> axes, Place place) {
        Optional<Scalar> own = Optional.empty();
        for (int i = 0; i < axes.size(); i++) {
            Size size = result.type().shape().get(i);
            if (!place.mentions(size)) {
                continue;
            }
            if (!place.isStream(size)) {
                refuse(node, "has an axis of " + size + " elements, which depends on how long the "
                        + "stream is");
            } else if (own.isPresent()) {
                refuse(node, "brings each element of the stream together with each other one");
            } else if (!isFull(axes.get(i), size)) {
                refuse(node, "treats some places of the stream in another way");
            } else {
                own = Optional.of(Scalar.variable(axes.get(i).index()));
            }
        }
        if (own.isPresent() && place.scanned.isPresent()) {
            refuse(node, "goes over the whole stream inside a `scan`");
        }
        return own.or(() -> place.scanned);
    }

    private static boolean isFull(Axis axis, Size size) {
        return axis.lower().equals(Scalar.whole(0)) && axis.upper().equals(Scalar.extent(size));
    }

    /** The bounds, filter and body of an equation. */
    private void equation(Node.Compute node, Optional<Scalar> own, Place place) {
        node.reduction().ifPresent(r -> r.axes().forEach(axis -> {
            if (axis.upper() instanceof Scalar.Extent e && place.mentions(e.size())) {
                refuse(node, "reduces over the stream");
            }
        }));
        for (Axis axis : Walk.axes(node)) {
            if (own.isEmpty() || !own.get().equals(Scalar.variable(axis.index()))) {
                scalar(node, axis.lower(), own, place);
                scalar(node, axis.upper(), own, place);
            }
        }
        node.reduction().flatMap(r -> r.filter()).ifPresent(f -> scalar(node, f, own, place));
        scalar(node, node.body(), own, place);
    }

    private void scatter(Node.Scatter node, Place place) {
        List<Size> shape = node.base().type().shape();
        Optional<Scalar> own = Optional.empty();
        for (int i = 0; i < shape.size(); i++) {
            if (!place.mentions(shape.get(i))) {
                continue;
            }
            Scalar target = node.target().get(i);
            Size size = shape.get(i);
            Optional<Scalar> found = node.axes().stream()
                    .filter(a -> isFull(a, size))
                    .map(a -> Scalar.variable(a.index()))
                    .filter(target::equals)
                    .findFirst()
                    .or(() -> place.scanned.filter(target::equals));
            if (found.isEmpty() || own.isPresent()) {
                refuse(node, "writes to other places of the stream");
                return;
            }
            own = found;
        }
        own = own.or(() -> place.scanned);
        for (int i = 0; i < shape.size(); i++) {
            if (!place.mentions(shape.get(i))) {
                scalar(node, node.target().get(i), own, place);
            }
        }
        for (Axis axis : node.axes()) {
            if (own.isEmpty() || !own.get().equals(Scalar.variable(axis.index()))) {
                scalar(node, axis.lower(), own, place);
                scalar(node, axis.upper(), own, place);
            }
        }
        scalar(node, node.body(), own, place);
    }

    /** An expression of an equation that is about the element {@code own} of the stream. */
    private void scalar(Node node, Scalar scalar, Optional<Scalar> own, Place place) {
        if (own.isPresent() && own.get().equals(scalar)) {
            String name = scalar instanceof Scalar.Variable v ? v.index().name()
                    : ((Scalar.Load) scalar).source().name();
            refuse(node, "uses the place `" + name + "` in the step as a number (take "
                    + "`positions` as an argument to know the place in the stream)");
            return;
        }
        switch (scalar) {
            case Scalar.Extent e -> {
                if (place.mentions(e.size())) {
                    refuse(node, "uses the length of the stream as a number");
                }
            }
            case Scalar.Load l -> load(node, l, own, place);
            // The extent of a check is no number that the program computes with.
            case Scalar.Within w -> scalar(node, w.index(), own, place);
            default -> Walk.operands(scalar).forEach(o -> scalar(node, o, own, place));
        }
    }

    private void load(Node node, Scalar.Load load, Optional<Scalar> own, Place place) {
        List<Size> shape = load.source().type().shape();
        if (left.contains(load.source())) {
            refuse(node, "reads `" + load.source().name()
                    + "`, which a scan has left once a step");
        }
        for (int axis = 0; axis < shape.size(); axis++) {
            Scalar coordinate = load.coordinates().get(axis);
            if (!place.mentions(shape.get(axis))) {
                scalar(node, coordinate, own, place);
            } else if (own.isEmpty() || !coordinate.equals(own.get())) {
                lookBack(node, load, axis, own, place);
            }
        }
        load.otherwise().ifPresent(o -> scalar(node, o, own, place));
    }

    private void lookBack(
            Node node, Scalar.Load load, int axis, Optional<Scalar> own, Place place) {
        Scalar coordinate = load.coordinates().get(axis);
        Optional<Offset> offset = own.flatMap(at ->
                Offset.of(coordinate, at, Offset.ranges(Walk.axes(node))));
        String name = load.source().name();
        if (offset.isEmpty() || offset.get().times() != 1) {
            refuse(node, "reads `" + name + "` at other places of the stream");
        } else if (offset.get().most() > 0) {
            refuse(node, "reads elements of `" + name + "` that come later");
        } else if (load.bounds() != Scalar.Bounds.GUARDED) {
            refuse(node, "reads earlier elements of `" + name + "` without an `or`");
        } else if (place.carried.contains(load.source())) {
            refuse(node, "reads earlier elements of `" + name + "`, which the scan is about to "
                    + "make; carry them in a `state`");
        } else if (!remembering.contains(load.source())) {
            refuse(node, "looks back along the stream where nothing can be remembered: in a block "
                    + "that is applied along another axis or chosen by data, or in a loop without "
                    + "a stated maximum");
        } else {
            List<Size> others = new ArrayList<>(load.source().type().shape());
            Size stream = others.remove(axis);
            if (others.stream().anyMatch(s -> !s.isConstant())) {
                refuse(node, "looks back at `" + name
                        + "`, which has another axis of a run-time size");
            }
            boolean plain = Tail.isZero(load.otherwise().orElseThrow());
            tails.merge(load.source(),
                    new Tail(load.source(), axis, stream, -offset.get().least(), plain,
                            node.span()),
                    Tail::with);
        }
    }

    private void call(Node.Call node, Place place) {
        List<Integer> dropped = new ArrayList<>();
        boolean along = false;
        for (int a = 0; a < node.arguments().size(); a++) {
            int argument = a;
            dropped.add((int) node.lifts().stream()
                    .filter(l -> l.carried().get(argument)).count());
        }
        for (Node.Lift lift : node.lifts()) {
            along |= place.mentions(lift.size());
        }
        for (int a = 0; along && a < node.arguments().size(); a++) {
            List<Size> shape = node.arguments().get(a).type().shape();
            if (shape.subList(dropped.get(a), shape.size()).stream().anyMatch(place::mentions)) {
                refuse(node, "shows each element of the stream all others");
            }
        }
        if (place.scanned.isPresent() && node.arguments().stream().anyMatch(place::hasStream)) {
            refuse(node, "goes over the whole stream inside a `scan`");
        }
        node.instances().forEach(i -> scalar(node, i, place.scanned, place));
        callee(program.function(node.function()), node.arguments(), dropped, place,
                place.remembers && node.lifts().isEmpty());
    }

    /**
     * @param dropped how many leading axes of each argument the callee does not see; empty for none
     */
    private void callee(
            Function function,
            List<Value> arguments,
            List<Integer> dropped,
            Place place,
            boolean remembers) {
        Set<Size> inside = new HashSet<>();
        for (int a = 0; a < arguments.size(); a++) {
            List<Size> outer = arguments.get(a).type().shape();
            List<Size> inner = function.body().arguments().get(a).type().shape();
            int skip = dropped.isEmpty() ? 0 : dropped.get(a);
            for (int axis = 0; axis < inner.size(); axis++) {
                if (place.isStream(outer.get(skip + axis))) {
                    inside.add(inner.get(axis));
                }
                history.passed(outer.get(skip + axis), inner.get(axis));
            }
        }
        if (!inside.equals(seen.get(function.name())) || !remembers || place.scanned.isPresent()) {
            function(function, inside, remembers, place.scanned.isPresent());
        }
    }
}
