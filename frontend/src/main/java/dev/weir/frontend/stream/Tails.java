package dev.weir.frontend.stream;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gives values a state for their last elements, where the next step can find them:
 *
 * <pre>
 *   y[t] = x[t - j] or 0
 *       ⇒  state tail[J] = 0
 *          y[t] = x[t - j] or (tail[J + t - j] or 0)
 *          tail[i] = x[T - J + i] or tail[T + i]
 * </pre>
 *
 * <p>Where something else than 0 is read before the beginning, a second state counts how many
 * elements there have been. A value in a function has a state for each activation of it: the calls
 * that lead there, and the iterations of the loops around these.
 */
final class Tails {
    private final TensorProgram program;
    private final Map<Value, Tail> tails;
    private final Set<Value> carrying;
    private final Set<String> taken;
    private final Identifiers identifiers;
    private final Map<String, Function> functions = new LinkedHashMap<>();
    private final Map<String, Long> activations = new HashMap<>();
    private final Map<String, Value> numbers = new HashMap<>();
    private final Set<String> remembering = new HashSet<>();
    private final List<State> states = new ArrayList<>();
    private final Map<Value, Remembered> remembered = new HashMap<>();

    /** What has been remembered of a value before this step. */
    private record Remembered(Tail tail, Value elements, Optional<Value> count) {}

    /** A loop around a node. */
    private record Around(Value index, long count) {}

    private Tails(
            TensorProgram program, Map<Value, Tail> tails, Set<Value> carrying,
            Set<String> taken) {
        this.program = program;
        this.tails = tails;
        this.carrying = carrying;
        this.taken = taken;
        this.identifiers = Identifiers.behind(program);
    }

    /**
     * @param carrying the indices of scans that hand on more than what they make for each element
     * @param taken the names of states of other entries
     */
    static TensorProgram run(
            TensorProgram program, Map<Value, Tail> tails, Set<Value> carrying,
            Set<String> taken) {
        return new Tails(program, tails, carrying, taken).program();
    }

    private TensorProgram program() {
        states.addAll(program.states());
        List<Function> callersFirst = new ArrayList<>();
        order(program.entry(), new HashSet<>(), callersFirst);
        for (Function function : callersFirst.reversed()) {
            if (remembers(function)) {
                remembering.add(function.name());
            }
        }
        activations.put(program.entry().name(), 1L);
        for (Function function : callersFirst) {
            functions.put(function.name(),
                    remembering.contains(function.name()) ? function(function) : function);
        }
        Function entry = functions.remove(program.entry().name());
        List<Function> calleesFirst = program.functions().stream()
                .map(f -> functions.getOrDefault(f.name(), f)).toList();
        return new TensorProgram(program.name(), program.parameters(), states, calleesFirst, entry,
                program.stream(), program.resultNames(), program.frames(),
                program.configuration());
    }

    /** Functions that are called, each before those that it calls. */
    private void order(Function function, Set<String> seen, List<Function> callersFirst) {
        if (seen.add(function.name())) {
            Walk.nodes(function.body(), node -> {
                if (node instanceof Node.Call call) {
                    order(program.function(call.function()), seen, callersFirst);
                } else if (node instanceof Node.Route route) {
                    route.alternatives().stream().filter(a -> !a.isNone()).forEach(a ->
                            order(program.function(a.function()), seen, callersFirst));
                }
            });
            callersFirst.addFirst(function);
        }
    }

    /** Whether a function, or one that it calls, has something to remember. */
    private boolean remembers(Function function) {
        boolean[] found = {function.body().arguments().stream().anyMatch(tails::containsKey)};
        Walk.nodes(function.body(), node -> {
            found[0] |= node.results().stream().anyMatch(tails::containsKey)
                    || Walk.regions(node).stream().flatMap(r -> r.arguments().stream())
                            .anyMatch(tails::containsKey)
                    || node instanceof Node.Loop l && carrying.contains(l.index())
                    || node instanceof Node.Call c && remembering.contains(c.function());
        });
        return found[0];
    }

    private Function function(Function function) {
        if (function == program.entry()) {
            return new Function(function.name(), function.path(), function.instances(),
                    region(function, function.body(), List.of()));
        }
        Value number = identifiers.value(
                "activation", new TensorType(Format.I64, List.of()));
        numbers.put(function.name(), number);
        List<Value> instances = new ArrayList<>(function.instances());
        instances.add(number);
        return new Function(function.name(), function.path(), instances,
                region(function, function.body(), List.of()));
    }

    private Region region(Function owner, Region region, List<Around> loops) {
        List<Node> nodes = new ArrayList<>();
        region.arguments().forEach(a -> remember(owner, a, loops, nodes));
        for (Node node : region.nodes()) {
            if (node instanceof Node.Loop loop && carrying.contains(loop.index())) {
                carried(owner, loop, loops, nodes);
            } else {
                nodes.add(node(owner, node, loops));
            }
            node.results().forEach(r -> remember(owner, r, loops, nodes));
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    private Node node(Function owner, Node node, List<Around> loops) {
        return switch (node) {
            case Node.Compute n -> compute(n);
            case Node.Scatter n -> new Node.Scatter(n.result(), n.base(), n.axes(), n.target(),
                    n.combine(), n.checked(), scalar(n.body()), n.span());
            case Node.Call n -> remembering.contains(n.function()) ? call(owner, n, loops) : n;
            case Node.If n -> new Node.If(n.results(), n.condition(),
                    region(owner, n.then(), loops), region(owner, n.otherwise(), loops), n.span());
            case Node.Gate n -> new Node.Gate(n.results(), n.condition(), n.entrants(),
                    n.captured(), n.before(), region(owner, n.body(), loops), n.completes(),
                    n.path(), n.span());
            case Node.Loop n -> {
                List<Around> inside = new ArrayList<>(loops);
                inside.add(new Around(n.index(),
                        n.to() instanceof Scalar.Whole w ? w.value() : 0));
                yield new Node.Loop(n.results(), n.index(), n.from(), n.to(), n.initial(),
                        n.active(), region(owner, n.body(), inside), n.path(), n.span());
            }
            default -> node;
        };
    }

    private Node call(Function owner, Node.Call call, List<Around> loops) {
        long before = activations.getOrDefault(call.function(), 0L);
        long here = activations(owner, loops);
        activations.put(call.function(), before + here);
        List<Scalar> instances = new ArrayList<>(call.instances());
        instances.add(plus(Scalar.whole(before), number(owner, loops)));
        return new Node.Call(call.results(), call.function(), instances, call.arguments(),
                call.lifts(), call.span());
    }

    /** How often a place in a function is reached in a step. */
    private long activations(Function owner, List<Around> loops) {
        long all = activations.get(owner.name());
        for (Around loop : loops) {
            all = Math.multiplyExact(all, loop.count());
        }
        return all;
    }

    /** Which of these times this is. */
    private Scalar number(Function owner, List<Around> loops) {
        Value own = numbers.get(owner.name());
        Scalar number = own == null ? Scalar.whole(0) : Scalar.load(own, List.of());
        for (Around loop : loops) {
            number = plus(times(number, loop.count()), Scalar.load(loop.index(), List.of()));
        }
        return number;
    }

    private static Scalar plus(Scalar left, Scalar right) {
        if (left.equals(Scalar.whole(0))) {
            return right;
        }
        return right.equals(Scalar.whole(0)) ? left
                : Scalar.apply(Operation.ADD, left, right);
    }

    private static Scalar times(Scalar left, long factor) {
        return left.equals(Scalar.whole(0)) || factor == 1 ? left
                : Scalar.apply(Operation.MULTIPLY, left, Scalar.whole(factor));
    }

    /**
     * A scan that hands on values: it begins with what the step before has left, and with what the
     * program says before the first.
     */
    private void carried(
            Function owner, Node.Loop loop, List<Around> loops, List<Node> nodes) {
        List<Scalar> instances = List.of(number(owner, loops));
        TensorType whole = new TensorType(Format.I64, List.of());
        State begun = state(owner, loop.index(), "begun ", Format.I64, List.of(), loops);
        Value before = identifiers.value("begun", whole);
        nodes.add(new Node.Read(before, begun.name(), instances, loop.span()));
        List<Value> initial = new ArrayList<>();
        Map<String, Value> left = new LinkedHashMap<>();
        for (int i = 0; i < loop.initial().size(); i++) {
            Value first = loop.initial().get(i);
            Value argument = loop.body().arguments().get(i);
            if (!first.type().shape().stream().allMatch(Size::isConstant)) {
                initial.add(first);
                continue;
            }
            State state = state(owner, argument, "carried ", first.type().format(),
                    first.type().shape(), loops);
            Value kept = identifiers.value("kept " + first.name(), first.type());
            nodes.add(new Node.Read(kept, state.name(), instances, loop.span()));
            Value start = identifiers.value(first.name(), first.type());
            nodes.add(start(first, kept, before, start, loop));
            initial.add(start);
            left.put(state.name(), loop.results().get(i));
        }
        Node.Loop inside = (Node.Loop) node(owner, loop, loops);
        nodes.add(new Node.Loop(inside.results(), inside.index(), inside.from(), inside.to(),
                initial, inside.active(), inside.body(), inside.path(), inside.span()));
        left.forEach((state, value) ->
                nodes.add(new Node.Write(state, instances, value, loop.span())));
        Value after = identifiers.value("begun", whole);
        nodes.add(new Node.Compute(after, List.of(), Optional.empty(), Scalar.whole(1),
                loop.span()));
        nodes.add(new Node.Write(begun.name(), instances, after, loop.span()));
    }

    private Node start(Value first, Value kept, Value begun, Value start, Node.Loop loop) {
        List<Axis> axes = new ArrayList<>();
        List<Scalar> at = new ArrayList<>();
        for (Size size : first.type().shape()) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            at.add(Scalar.variable(index));
        }
        return new Node.Compute(start, axes, Optional.empty(),
                Scalar.apply(Operation.SELECT,
                        Scalar.apply(Operation.EQUAL, Scalar.load(begun, List.of()),
                                Scalar.whole(0)),
                        Scalar.load(first, at), Scalar.load(kept, at)),
                loop.span());
    }

    // ------------------------------------------------------------------ states

    /** Behind a value's definition: what was remembered of it, and what the next step will find. */
    private void remember(Function owner, Value value, List<Around> loops, List<Node> nodes) {
        Tail tail = tails.get(value);
        if (tail == null) {
            return;
        }
        List<Size> own = new ArrayList<>(value.type().shape());
        own.set(tail.axis(), Size.of(tail.length()));
        State state = state(owner, value, "tail of ", value.type().format(), own, loops);
        List<Scalar> instances = List.of(number(owner, loops));
        TensorType type = new TensorType(value.type().format(), own);
        Value elements = identifiers.value("tail of " + value.name(), type);
        nodes.add(new Node.Read(elements, state.name(), instances, tail.span()));
        Value next = identifiers.value("next tail of " + value.name(), type);
        nodes.add(next(tail, elements, next));
        nodes.add(new Node.Write(state.name(), instances, next, tail.span()));
        Optional<Value> count = tail.isZero() ? Optional.empty()
                : Optional.of(count(owner, tail, loops, nodes));
        remembered.put(value, new Remembered(tail, elements, count));
    }

    private State state(
            Function owner, Value value, String what, Format format, List<Size> own,
            List<Around> loops) {
        List<Size> shape = new ArrayList<>(List.of(
                Size.of(activations(owner, loops)), Size.symbol("B")));
        shape.addAll(own);
        String path = owner.path().replaceAll("[{}]", "");
        String wanted = (path.isEmpty() ? "" : path + ".") + what + value.name();
        String name = wanted;
        for (int i = 2; isTaken(name); i++) {
            name = wanted + " " + i;
        }
        State state = new State(name, List.of(activations(owner, loops)),
                identifiers.value(name, new TensorType(format, shape)),
                Optional.empty(), Optional.empty(), Optional.empty(), 0);
        states.add(state);
        return state;
    }

    private boolean isTaken(String name) {
        return taken.contains(name) || states.stream().anyMatch(s -> s.name().equals(name));
    }

    /** The last elements, of those before this step where it has too few. */
    private Node next(Tail tail, Value elements, Value next) {
        List<Axis> axes = new ArrayList<>();
        List<Scalar> here = new ArrayList<>();
        List<Scalar> before = new ArrayList<>();
        for (Size size : next.type().shape()) {
            Index index = identifiers.index("i");
            axes.add(Axis.over(index, size));
            here.add(Scalar.variable(index));
            before.add(Scalar.variable(index));
        }
        Scalar place = here.get(tail.axis());
        Scalar length = Scalar.extent(tail.stream());
        here.set(tail.axis(), Scalar.apply(Operation.ADD, place, Scalar.apply(
                Operation.SUBTRACT, length, Scalar.whole(tail.length()))));
        before.set(tail.axis(), Scalar.apply(Operation.ADD, place, length));
        Scalar zero = Reduction.Kind.SUM.identity(next.type().format().compute());
        if (next.type().format() == Format.BOOL) {
            zero = Scalar.truth(false);
        }
        return new Node.Compute(next, axes, Optional.empty(),
                Scalar.loadOr(tail.value(), here, Scalar.loadOr(elements, before, zero)),
                tail.span());
    }

    /** How many elements there were before this step, as far as the tail reaches. */
    private Value count(Function owner, Tail tail, List<Around> loops, List<Node> nodes) {
        State state = state(
                owner, tail.value(), "length of the tail of ", Format.I64, List.of(), loops);
        TensorType whole = new TensorType(Format.I64, List.of());
        List<Scalar> instances = List.of(number(owner, loops));
        Value before = identifiers.value("seen of " + tail.value().name(), whole);
        nodes.add(new Node.Read(before, state.name(), instances, tail.span()));
        Value after = identifiers.value("now seen of " + tail.value().name(), whole);
        nodes.add(new Node.Compute(after, List.of(), Optional.empty(),
                Scalar.apply(Operation.MINIMUM, Scalar.whole(tail.length()),
                        Scalar.apply(Operation.ADD, Scalar.load(before, List.of()),
                                Scalar.extent(tail.stream()))),
                tail.span()));
        nodes.add(new Node.Write(state.name(), instances, after, tail.span()));
        return before;
    }

    // ------------------------------------------------------------------ equations

    private Node compute(Node.Compute node) {
        Optional<Reduction> reduction = node.reduction().map(r -> new Reduction(
                r.kind(), r.axes(), r.filter().map(this::scalar)));
        return new Node.Compute(
                node.result(), node.axes(), reduction, scalar(node.body()), node.span());
    }

    private Scalar scalar(Scalar scalar) {
        Scalar mapped = Walk.map(scalar, this::scalar);
        if (!(mapped instanceof Scalar.Load load) || load.bounds() != Scalar.Bounds.GUARDED
                || !remembered.containsKey(load.source())) {
            return mapped;
        }
        Remembered before = remembered.get(load.source());
        Tail tail = before.tail();
        Scalar place = load.coordinates().get(tail.axis());
        boolean own = place instanceof Scalar.Variable
                || place instanceof Scalar.Load l && l.coordinates().isEmpty();
        if (own) {
            return mapped;
        }
        Scalar inTail = Scalar.apply(
                Operation.ADD, place, Scalar.whole(tail.length()));
        if (before.count().isPresent()) {
            Scalar seen = Scalar.load(before.count().get(), List.of());
            inTail = Scalar.apply(Operation.SELECT,
                    Scalar.apply(Operation.GREATER_EQUAL,
                            Scalar.apply(Operation.ADD, place, seen), Scalar.whole(0)),
                    inTail, Scalar.whole(-1));
        }
        List<Scalar> coordinates = new ArrayList<>(load.coordinates());
        coordinates.set(tail.axis(), inTail);
        return Scalar.loadOr(load.source(), load.coordinates(),
                Scalar.loadOr(before.elements(), coordinates, load.otherwise().orElseThrow()));
    }
}
