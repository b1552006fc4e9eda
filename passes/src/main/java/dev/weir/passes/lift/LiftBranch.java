package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Origin;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
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
 * Lifts {@link Node.If} and {@link Node.Gate}: a condition that differs from row to row becomes a
 * selection of the rows that enter, the body over these, and a scatter of what it gives. Where no
 * row enters, nothing of the body runs.
 */
final class LiftBranch {
    private final Lift lift;
    private final Context context;

    LiftBranch(Lift lift, Context context) {
        this.lift = lift;
        this.context = context;
    }

    void branch(Node.If node) {
        if (context.lifted(node.condition()) instanceof Lifted.Uniform condition) {
            uniform(node, condition.value());
            return;
        }
        Value condition = lift.canonical(context, node.condition());
        Map<Integer, Value> shared = shared(node);
        List<Value> bases = bases(node, shared);
        List<Value> entered = enter(node.then(), condition, bases, Map.of(), node.span());
        if (changes(node.otherwise())) {
            Value negated = negate(condition);
            Map<Value, Value> changed = new HashMap<>();
            for (var result : shared.entrySet()) {
                changed.put(result.getValue(), entered.get(result.getKey()));
            }
            entered = enter(node.otherwise(), negated, entered, changed, node.span());
        }
        for (int r = 0; r < entered.size(); r++) {
            context.values.put(node.results().get(r),
                    context.canonical(node.results().get(r).type(), entered.get(r)));
        }
    }

    private void uniform(Node.If node, Value condition) {
        Context then = context.nested(context.frame);
        lift.liftBody(then, node.then().nodes());
        List<Value> thenResults =
                node.then().results().stream().map(v -> lift.canonical(then, v)).toList();
        Context otherwise = context.nested(context.frame);
        lift.liftBody(otherwise, node.otherwise().nodes());
        List<Value> otherwiseResults = node.otherwise().results().stream()
                .map(v -> lift.canonical(otherwise, v))
                .toList();
        List<Value> results = new ArrayList<>();
        for (Value result : node.results()) {
            Value lifted = context.identifiers.value(
                    result.name(), context.canonicalType(result.type()));
            results.add(lifted);
            context.values.put(result, context.canonical(result.type(), lifted));
        }
        context.nodes.add(new Node.If(
                results,
                condition,
                new Region(List.of(), then.nodes, thenResults),
                new Region(List.of(), otherwise.nodes, otherwiseResults),
                node.span()));
    }

    /** What the rows have that do not enter the first region. */
    private List<Value> bases(Node.If node, Map<Integer, Value> shared) {
        List<Value> bases = new ArrayList<>();
        Set<Value> inside = definedIn(node.otherwise());
        for (int r = 0; r < node.results().size(); r++) {
            Value kept = shared.getOrDefault(r, node.otherwise().results().get(r));
            bases.add(inside.contains(kept) ? blank(kept.type()) : lift.canonical(context, kept));
        }
        return bases;
    }

    /**
     * The results that are streams of more sequences than those that the branch is about, as in a
     * loop that some have left: both regions change the value that is given here, each at the
     * places of its own sequences, the second what the first has left.
     */
    private Map<Integer, Value> shared(Node.If node) {
        Map<Integer, Value> shared = new HashMap<>();
        for (int r = 0; r < node.results().size(); r++) {
            Value result = node.results().get(r);
            Optional<Frame> stream = context.streamAxis(result.type().shape())
                    .map(axis -> context.frameOf(result.type()));
            if (stream.isEmpty()
                    || stream.get().segments().orElseThrow().sequences() == context.frame) {
                continue;
            }
            Optional<Value> first =
                    Origin.of(node.then().nodes(), node.then().results().get(r));
            Optional<Value> second =
                    Origin.of(node.otherwise().nodes(), node.otherwise().results().get(r));
            if (first.isEmpty() || !first.equals(second)) {
                throw Lift.unsupported(node.span(),
                        "a branch in a `scan` that replaces all of `" + result.name() + "`");
            }
            shared.put(r, first.get());
        }
        return shared;
    }

    private static Set<Value> definedIn(Region region) {
        Set<Value> defined = new HashSet<>();
        region.nodes().forEach(n -> defined.addAll(n.results()));
        return defined;
    }

    /** Whether a region does more than to hand on values from outside. */
    private static boolean changes(Region region) {
        return !region.nodes().isEmpty();
    }

    private Value blank(TensorType type) {
        TensorType lifted = context.canonicalType(type);
        List<Axis> axes = new ArrayList<>();
        for (Size size : lifted.shape()) {
            axes.add(Axis.over(context.identifiers.index("i"), size));
        }
        Value value = context.identifiers.value("blank", lifted);
        context.nodes.add(new Node.Compute(
                value, axes, Optional.empty(),
                Reduction.Kind.SUM.identity(lifted.format().compute()), Span.NONE));
        return value;
    }

    private Value negate(Value condition) {
        Index index = context.identifiers.index("p");
        Value negated = context.identifiers.value("not " + condition.name(), condition.type());
        context.nodes.add(new Node.Compute(
                negated,
                List.of(Axis.over(index, condition.type().shape().getFirst())),
                Optional.empty(),
                Scalar.apply(
                        Operation.NOT, Scalar.load(condition, List.of(Scalar.variable(index)))),
                Span.NONE));
        return negated;
    }

    /**
     * Runs a region of an If for the rows of the context at which the condition holds.
     *
     * @param changed what has become of values outside the region
     */
    private List<Value> enter(
            Region region, Value condition, List<Value> bases, Map<Value, Value> changed,
            Span span) {
        List<Node> inside = new ArrayList<>();
        Entrants entrants =
                Entrants.ofRows(context, context.frame, condition, inside, span);
        tally(entrants, context.frame, gatePath(span));
        Context inner = context.nested(entrants.frame());
        inner.nodes.addAll(inside);
        changed.forEach((value, now) ->
                inner.values.put(value, context.canonical(value.type(), now)));
        // Where sequences enter, so do the rows of their streams.
        Map<Frame, Entrants> entered = new LinkedHashMap<>();
        context.meanings.forEach((symbol, meaning) -> {
            if (meaning instanceof Meaning.Stream stream
                    && stream.frame().segments().orElseThrow().sequences() == context.frame) {
                Entrants rows = entered.computeIfAbsent(stream.frame(),
                        frame -> Entrants.ofSequences(inner, frame, condition, entrants));
                inner.meanings.put(symbol, new Meaning.Stream(rows.frame()));
            }
        });
        entered.put(context.frame, entrants);
        return finish(List.copyOf(entered.values()), inner, region, bases, span);
    }

    /** A scalar condition has no path of its own in the model: the ledger names its place. */
    private static String gatePath(Span span) {
        return span.equals(Span.NONE) ? "if" : "if " + span.place();
    }

    void gate(Node.Gate node) {
        Frame outer = context.stream(node.condition().type().shape().getFirst())
                .orElseThrow(() -> Lift.unsupported(
                        node.span(), "a gate on an axis other than the stream"));
        Value condition = lift.canonical(context, node.condition());
        List<Node> inside = new ArrayList<>();
        Entrants entrants = Entrants.ofRows(context, outer, condition, inside, node.span());
        tally(entrants, outer, node.path());
        Context inner = context.nested(context.frame);
        inner.nodes.addAll(inside);
        inner.meanings.put(node.entrants().name(), new Meaning.Stream(entrants.frame()));
        inner.filling = Optional.of(new Context.Filling(node.completes(), outer, entrants));
        for (int i = 0; i < node.captured().size(); i++) {
            inner.values.put(
                    node.body().arguments().get(i), inner(node.captured().get(i), entrants));
        }
        List<Value> bases =
                node.before().stream().map(v -> lift.canonical(context, v)).toList();
        List<Value> results =
                finish(List.of(entrants), inner, node.body(), bases, node.span());
        for (int r = 0; r < results.size(); r++) {
            context.values.put(node.results().get(r),
                    context.canonical(node.results().get(r).type(), results.get(r)));
        }
    }

    /** A captured value, seen by the entrants: the same memory, reached through their rows. */
    private Lifted inner(Value captured, Entrants entrants) {
        Value value = lift.canonical(context, captured);
        return new Lifted.Stream(value, context.frameOf(captured.type()), entrants.frame(), 0);
    }

    private void tally(Entrants entrants, Frame outer, String path) {
        lift.tally(context, path, context.instances, Node.TallyKind.GATE,
                List.of(Scalar.extent(entrants.count()), Scalar.extent(outer.rows())),
                Optional.empty());
    }

    /**
     * Lifts the body, scatters its results over the bases, and guards all of it.
     *
     * @param entered the entrants that a result can have; the last are those of the region itself
     */
    private List<Value> finish(
            List<Entrants> entered, Context inner, Region region, List<Value> bases, Span span) {
        lift.liftBody(inner, region.nodes());
        List<Value> scattered = new ArrayList<>();
        for (int r = 0; r < bases.size(); r++) {
            Value result = region.results().get(r);
            Value rows = lift.canonical(inner, result);
            Frame frame = inner.frameOf(result.type());
            Optional<Entrants> own =
                    entered.stream().filter(e -> e.frame() == frame).findFirst();
            if (own.isEmpty()) {
                // A stream of all rows, changed at the entrants' places only.
                scattered.add(rows);
                continue;
            }
            Node.Scatter scatter = own.get().scatter(inner, bases.get(r), rows, span);
            inner.nodes.add(scatter);
            scattered.add(scatter.result());
        }
        Value some = context.identifiers.value("any entrants", TensorType.scalar(Format.BOOL));
        context.nodes.add(new Node.Compute(
                some, List.of(), Optional.empty(),
                Scalar.apply(
                        Operation.GREATER,
                        Scalar.extent(entered.getLast().count()), Scalar.whole(0)),
                Span.NONE));
        List<Value> results = bases.stream()
                .map(b -> context.identifiers.value(b.name(), b.type()))
                .toList();
        context.nodes.add(new Node.If(
                results,
                some,
                new Region(List.of(), inner.nodes, scattered),
                new Region(List.of(), List.of(), bases),
                span));
        return results;
    }
}
