package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * One function's body while it is made: the nodes so far, the indices in use, and the parts that
 * do the lowering, which share it.
 */
final class Body {
    /**
     * A loop around what is being lowered.
     *
     * @param end of the numbers that the index takes, if it is constant
     * @param scans whether the loop goes through the places of an axis
     */
    record Around(Value index, Optional<Long> end, boolean scans, Span span) {}

    final Session session;
    final Frame frame;
    final Bounds bounds = new Bounds();
    final Deque<Around> loops = new ArrayDeque<>();
    /** The places at which scans stand, and the axes that they go through. */
    final Map<Value, Dimension> places = new HashMap<>();
    final Evaluator evaluator;
    final Accesses accesses;
    final Operations operations;
    final Reductions reductions;
    final IndexRanges ranges;
    final Calls calls;
    final BlockCalls blockCalls;
    final Routes routes;
    final Statements statements;
    final Control control;
    final RunTimeSizes sizes;
    final Scans scans;
    /** The states to which this method appends. */
    private final Set<String> appends = new HashSet<>();
    /** What has been appended so far: in which region, and how many rows. */
    private Map<String, List<String>> appended = new HashMap<>();
    private final Deque<Integer> openRegions = new ArrayDeque<>(List.of(0));
    private int lastRegion;
    private final Deque<List<Node>> regions = new ArrayDeque<>();
    private final Map<Index, Dimension> extents = new HashMap<>();

    Body(Session session, Frame frame) {
        this.session = session;
        this.frame = frame;
        regions.push(new ArrayList<>());
        evaluator = new Evaluator(this);
        accesses = new Accesses(this);
        operations = new Operations(this);
        reductions = new Reductions(this);
        ranges = new IndexRanges(this);
        calls = new Calls(this);
        blockCalls = new BlockCalls(this);
        routes = new Routes(this);
        statements = new Statements(this);
        control = new Control(this);
        scans = new Scans(this);
        sizes = new RunTimeSizes(this);
        for (int i = 0; i < frame.instances().size(); i++) {
            bounds.limit(frame.instances().get(i), Scalar.whole(0),
                    Scalar.whole(frame.place().counts().get(i)));
        }
    }

    /** Notes what a method appends to, before it is lowered. */
    void willAppend(List<Statement> statements) {
        Trees.appended(statements, appends);
    }

    void hasAppended(String state, Dimension rows) {
        appended.computeIfAbsent(state, s -> new ArrayList<>())
                .add(openRegions.peek() + ": " + rows.size());
    }

    /**
     * What this method has appended to a state so far. States that share their slots have equally
     * many of them where these lists are equal.
     */
    List<String> appended(String state) {
        return appended.getOrDefault(state, List.of());
    }

    /** A copy, for going back to. */
    Map<String, List<String>> appended() {
        Map<String, List<String>> copy = new HashMap<>();
        appended.forEach((state, rows) -> copy.put(state, new ArrayList<>(rows)));
        return copy;
    }

    void restoreAppended(Map<String, List<String>> before) {
        appended = before;
    }

    /** Whether rows of this step will come, and none has come yet. */
    boolean appendsLater(String state) {
        return appends.contains(state) && appended(state).isEmpty();
    }

    void emit(Node node) {
        regions.peek().add(node);
    }

    void openRegion() {
        regions.push(new ArrayList<>());
        openRegions.push(++lastRegion);
        sizes.open();
    }

    List<Node> closeRegion() {
        openRegions.pop();
        sizes.close();
        return regions.pop();
    }

    int regionDepth() {
        return regions.size();
    }

    void closeTo(int depth) {
        while (regions.size() > depth) {
            closeRegion();
        }
    }

    /** An index over a whole axis. */
    Index index(String name, Dimension size) {
        return index(name, Scalar.whole(0), Scalar.extent(size.size()), size);
    }

    Index index(String name, Scalar lower, Scalar upper, Dimension size) {
        Index index = session.index(name);
        bounds.limit(index, lower, upper);
        extents.put(index, size);
        lowers.put(index, lower);
        uppers.put(index, upper);
        return index;
    }

    private final Map<Index, Scalar> lowers = new HashMap<>();
    private final Map<Index, Scalar> uppers = new HashMap<>();

    Axis axis(Index index) {
        return new Axis(index, lowers.get(index), uppers.get(index));
    }

    Dimension extent(Index index) {
        return extents.get(index);
    }

    void extend(Index index, Dimension extent) {
        extents.put(index, extent);
    }

    /** A tensor that is stored as a value. */
    Meaning.Tensor stored(Value value, List<Dimension> shape, Span span) {
        return new Meaning.Tensor(shape, value.type().format(),
                coordinates -> Scalar.load(value, coordinates), Optional.of(value), span);
    }

    Value newValue(String name, Format format, List<Dimension> shape) {
        return session.value(name,
                new TensorType(format, shape.stream().map(Dimension::size).toList()));
    }

    /** Indices over all that is in use of a tensor with these axes. */
    List<Index> indices(List<Dimension> shape) {
        List<Index> indices = new ArrayList<>();
        List<Scalar> before = new ArrayList<>();
        for (Dimension axis : shape) {
            Scalar end = axis.jagged().map(jagged -> jagged.at(before))
                    .orElse(Scalar.extent(axis.size()));
            indices.add(index("i" + indices.size(), Scalar.whole(0), end, axis));
            before.add(Scalar.variable(indices.getLast()));
        }
        return indices;
    }

    /** The value that holds a tensor, computed now if it was not yet. */
    Value materialise(Meaning.Tensor tensor, String name, Span span) {
        if (tensor.value().isPresent()) {
            return tensor.value().get();
        }
        List<Index> indices = indices(tensor.shape());
        Scalar body = tensor.reader().at(indices.stream().map(Scalar::variable).toList());
        Value result = newValue(name, storedFormat(body.format()), tensor.shape());
        emit(new Node.Compute(result, indices.stream().map(this::axis).toList(),
                Optional.empty(), body, span));
        return result;
    }

    /** The value of a tensor in the format in which a state keeps it. */
    Value inFormat(Meaning.Tensor tensor, Format format, String name, Span span) {
        Value value = materialise(tensor, name, span);
        if (value.type().format() == format) {
            return value;
        }
        List<Index> indices = indices(tensor.shape());
        Value result = newValue(name, format, tensor.shape());
        emit(new Node.Compute(result, indices.stream().map(this::axis).toList(),
                Optional.empty(), Scalars.convert(Scalar.load(value,
                        indices.stream().map(Scalar::variable).toList()), format), span));
        return result;
    }

    static Format storedFormat(Format compute) {
        return compute;
    }

    Value compute(
            String name,
            List<Index> indices,
            Optional<Reduction> reduction,
            Scalar body,
            Span span) {
        Format format = reduction
                .filter(r -> r.kind() == Reduction.Kind.ARGUMENT_MAXIMUM)
                .map(r -> Format.I64).orElse(body.format());
        List<Axis> axes = indices.stream().map(this::axis).toList();
        Scalar term = reduction.map(r -> new Factors(this).rounded(r, body, span))
                .orElse(body);
        Value result = newValue(name, format, indices.stream().map(this::extent).toList());
        emit(new Node.Compute(result, axes, reduction, term, span));
        return result;
    }

    /** A rank-0 value. */
    Value scalarValue(String name, Scalar body, Span span) {
        if (body instanceof Scalar.Load load && load.coordinates().isEmpty()) {
            return load.source();
        }
        return compute(name, List.of(), Optional.empty(), body, span);
    }

    /** A tensor all of whose elements are one constant. */
    Value constant(String name, Scalar constant, List<Dimension> shape, Span span) {
        List<Index> indices = shape.stream().map(d -> index("i", d)).toList();
        return compute(name, indices, Optional.empty(), constant, span);
    }

    List<Scalar> instanceScalars() {
        return frame.instances().stream().map(v -> Scalar.load(v, List.of())).toList();
    }

    /** The loops around that give a state of its own to each round, outermost first. */
    List<Around> rounds() {
        return new ArrayList<>(loops).reversed().stream().filter(l -> !l.scans()).toList();
    }

    /** Whether a number is made of loops' numbers, instances and constants only. */
    boolean isCounted(Scalar number) {
        return !Scalars.any(number, s -> s instanceof Scalar.Convert
                || s instanceof Scalar.Load l && !isCounter(l.source()));
    }

    private boolean isCounter(Value value) {
        return places.containsKey(value) || frame.instances().contains(value)
                || loops.stream().anyMatch(l -> l.index().equals(value));
    }

    /** Which instance of a state of this block is meant here: the block's, and the round's. */
    List<Scalar> stateInstances() {
        List<Scalar> all = instanceScalars();
        List<Boolean> ofStates = frame.place().areOfStates();
        List<Scalar> instances = new ArrayList<>();
        for (int i = 0; i < all.size(); i++) {
            if (ofStates.get(i)) {
                instances.add(all.get(i));
            }
        }
        rounds().forEach(loop -> instances.add(Scalar.load(loop.index(), List.of())));
        return instances;
    }

    /**
     * Shows a named value of a block; functions have no place in the model to name it by, and what
     * the compiler names for itself, in brackets, is none of the user's.
     */
    void trace(String name, Value value) {
        boolean isBlock = frame.template().isPresent() && !name.startsWith("(");
        if (isBlock && session.isTracing() && !session.isChecking()) {
            emit(new Node.Trace(
                    Place.join(frame.place().path(), name), instanceScalars(), value));
        }
    }

    Failure fail(String code, Span span, String message) {
        return session.fail(Diagnostic.error(code, span, message));
    }
}
