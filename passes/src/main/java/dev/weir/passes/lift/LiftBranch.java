package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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
        if (context.frame == context.root) {
            throw Lift.unsupported(node.span(), "a branch on a whole sequence");
        }
        Value condition = lift.canonical(context, node.condition());
        List<Value> bases = bases(node);
        List<Value> entered = enter(node.then(), condition, bases, node.span());
        if (changes(node.otherwise())) {
            Value negated = negate(condition);
            entered = enter(node.otherwise(), negated, entered, node.span());
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
    private List<Value> bases(Node.If node) {
        List<Value> bases = new ArrayList<>();
        Set<Value> inside = definedIn(node.otherwise());
        for (Value kept : node.otherwise().results()) {
            bases.add(inside.contains(kept) ? blank(kept.type()) : lift.canonical(context, kept));
        }
        return bases;
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

    /** Runs a region of an If for the rows of the context at which the condition holds. */
    private List<Value> enter(Region region, Value condition, List<Value> bases, Span span) {
        Entry entry = new Entry(condition, context.frame, gatePath(span), span);
        Context inner = context.nested(entry.frame);
        inner.nodes.addAll(entry.inside);
        return entry.finish(inner, region, bases);
    }

    /** A scalar condition has no path of its own in the model: the ledger names its place. */
    private static String gatePath(Span span) {
        return span.equals(Span.NONE) ? "if" : "if " + span.location();
    }

    void gate(Node.Gate node) {
        Frame outer = context.stream(node.condition().type().shape().getFirst())
                .orElseThrow(() -> Lift.unsupported(
                        node.span(), "a gate on an axis other than the stream"));
        Value condition = lift.canonical(context, node.condition());
        Entry entry = new Entry(condition, outer, node.path(), node.span());
        Context inner = context.nested(context.frame);
        inner.nodes.addAll(entry.inside);
        inner.meanings.put(node.entrants().name(), new Meaning.Stream(entry.frame));
        for (int i = 0; i < node.captured().size(); i++) {
            inner.values.put(node.body().arguments().get(i), inner(node.captured().get(i), entry));
        }
        List<Value> bases =
                node.before().stream().map(v -> lift.canonical(context, v)).toList();
        List<Value> results = entry.finish(inner, node.body(), bases);
        for (int r = 0; r < results.size(); r++) {
            context.values.put(node.results().get(r),
                    context.canonical(node.results().get(r).type(), results.get(r)));
        }
    }

    /** A captured value, seen by the entrants: the same memory, reached through their rows. */
    private Lifted inner(Value captured, Entry entry) {
        Value value = lift.canonical(context, captured);
        return new Lifted.Stream(value, context.frameOf(captured.type()), entry.frame, 0);
    }

    /** The rows that enter: their number, their places, the frame that they make. */
    private final class Entry {
        final Size.Symbol count;
        final Value indices;
        final Frame outer;
        final Frame frame;
        final String path;
        final Span span;
        /** Nodes that only matter if some row enters. */
        final List<Node> inside = new ArrayList<>();

        Entry(Value condition, Frame outer, String path, Span span) {
            this.outer = outer;
            this.path = path;
            this.span = span;
            count = context.identifiers.symbol("K");
            indices = context.identifiers.value(
                    "entrants", new TensorType(Format.I64, List.of(count)));
            context.nodes.add(new Node.Selection(indices, condition, count, span));
            context.nodes.add(new Node.Tally(
                    path,
                    List.of(),
                    Node.TallyKind.GATE,
                    List.of(Scalar.extent(count), Scalar.extent(outer.rows())),
                    Optional.empty()));
            frame = outer.segments().isPresent() && outer.segments().get().sequences()
                            == context.root
                    ? Frame.inside(outer, count, this::place, segments(condition))
                    : Frame.inside(outer, count, this::place);
        }

        private Scalar place(Scalar row) {
            return Scalar.load(indices, List.of(row));
        }

        private Frame.Segments segments(Value condition) {
            Frame.Segments outerSegments = outer.segments().orElseThrow();
            Index row = context.identifiers.index("p");
            Value segment = context.identifiers.value("segment", indices.type());
            inside.add(new Node.Compute(
                    segment,
                    List.of(Axis.over(row, count)),
                    Optional.empty(),
                    Scalar.load(outerSegments.segment(), List.of(place(Scalar.variable(row)))),
                    Span.NONE));
            // Where a sequence's entrants begin: as many as hold before its first row.
            Index sequence = context.identifiers.index("b");
            Index before = context.identifiers.index("q");
            Value offsets = context.identifiers.value("offsets", outerSegments.offsets().type());
            Axis rowsBefore = new Axis(
                    before,
                    Scalar.whole(0),
                    Scalar.load(
                            outerSegments.offsets(), List.of(Scalar.variable(sequence))));
            inside.add(new Node.Compute(
                    offsets,
                    List.of(Axis.over(sequence, offsets.type().shape().getFirst())),
                    Optional.of(new Reduction(
                            Reduction.Kind.SUM, List.of(rowsBefore), Optional.empty())),
                    new Scalar.Convert(Format.I64,
                            Scalar.load(condition, List.of(Scalar.variable(before)))),
                    Span.NONE));
            return new Frame.Segments(outerSegments.sequences(), segment, offsets);
        }

        /** Lifts the body, scatters its results over the bases, and guards all of it. */
        List<Value> finish(Context inner, Region region, List<Value> bases) {
            lift.liftBody(inner, region.nodes());
            List<Value> scattered = new ArrayList<>();
            for (int r = 0; r < bases.size(); r++) {
                Value value = lift.canonical(inner, region.results().get(r));
                scattered.add(scatter(inner, bases.get(r), value));
            }
            Value some = context.identifiers.value("any entrants", TensorType.scalar(Format.BOOL));
            context.nodes.add(new Node.Compute(
                    some, List.of(), Optional.empty(),
                    Scalar.apply(Operation.GREATER, Scalar.extent(count), Scalar.whole(0)),
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

        private Value scatter(Context inner, Value base, Value rows) {
            List<Axis> axes = new ArrayList<>();
            List<Scalar> target = new ArrayList<>();
            List<Scalar> source = new ArrayList<>();
            for (Size size : rows.type().shape()) {
                Index index = context.identifiers.index(axes.isEmpty() ? "p" : "i");
                axes.add(Axis.over(index, size));
                source.add(Scalar.variable(index));
                target.add(axes.size() == 1
                        ? place(Scalar.variable(index))
                        : Scalar.variable(index));
            }
            Value result = context.identifiers.value(base.name(), base.type());
            inner.nodes.add(new Node.Scatter(
                    result, base, axes, target, Optional.empty(), false,
                    Scalar.load(rows, source), span));
            return result;
        }
    }
}
