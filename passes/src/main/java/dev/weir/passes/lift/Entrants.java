package dev.weir.passes.lift;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The rows of a frame that enter a region: how many, which, and the frame that they make.
 *
 * @param count how many
 * @param indices {@code i64[count]}: their rows in the outer frame, ascending
 * @param frame theirs
 */
record Entrants(Size.Symbol count, Value indices, Frame frame) {

    /**
     * The rows at which a condition holds.
     *
     * @param context to which the selection goes
     * @param outer whose rows they are
     * @param condition {@code bool[rows of outer]}
     * @param inside gets the nodes that only matter if some row enters
     */
    static Entrants ofRows(
            Context context, Frame outer, Value condition, List<Node> inside, Span span) {
        Size.Symbol count = context.identifiers.symbol("K");
        Value indices = select(context.identifiers.value(
                "entrants", new TensorType(Format.I64, List.of(count))),
                condition, count, context.nodes, span);
        if (outer.segments().isEmpty()) {
            return new Entrants(count, indices,
                    Frame.inside(outer, count, row -> at(indices, row)));
        }
        Frame.Segments segments = outer.segments().get();
        Value segment = context.identifiers.value("segment", indices.type());
        Index row = context.identifiers.index("p");
        inside.add(compute(segment, row, count,
                at(segments.segment(), at(indices, Scalar.variable(row)))));
        Value offsets = context.identifiers.value("offsets", segments.offsets().type());
        Index sequence = context.identifiers.index("b");
        // Where a sequence's entrants begin: as many as hold before its first row.
        if (segments.sequences().segments().isEmpty()) {
            inside.add(count(context, offsets, sequence, condition,
                    at(segments.offsets(), Scalar.variable(sequence))));
        } else {
            // There may be as many sequences as tokens: each counts its own, then these add up.
            Value held = context.identifiers.value("entrants of each",
                    new TensorType(Format.I64, List.of(segments.sequences().rows())));
            Index own = context.identifiers.index("b");
            inside.add(count(context, held, own, condition,
                    at(segments.offsets(), Scalar.variable(own)),
                    at(segments.offsets(), Scalar.apply(
                            Operation.ADD, Scalar.variable(own), Scalar.whole(1)))));
            inside.add(count(context, offsets, sequence, held,
                    Scalar.whole(0), Scalar.variable(sequence)));
        }
        return new Entrants(count, indices,
                Frame.inside(outer, count, r -> at(indices, r),
                        new Frame.Segments(segments.sequences(), segment, offsets)));
    }

    /**
     * The rows of a stream whose sequences enter.
     *
     * @param context to which all of it goes
     * @param stream whose rows they are
     * @param condition {@code bool[sequences]}
     * @param sequences those that enter
     */
    static Entrants ofSequences(
            Context context, Frame stream, Value condition, Entrants sequences) {
        Frame.Segments segments = stream.segments().orElseThrow();
        Size outerSequences = segments.sequences().rows();
        Index p = context.identifiers.index("p");
        Value holds = context.identifiers.value(
                "holds", new TensorType(Format.BOOL, List.of(stream.rows())));
        context.nodes.add(compute(holds, p, stream.rows(),
                at(condition, at(segments.segment(), Scalar.variable(p)))));
        Size.Symbol count = context.identifiers.symbol("K");
        Value indices = select(context.identifiers.value(
                "rows of entrants", new TensorType(Format.I64, List.of(count))),
                holds, count, context.nodes, Span.NONE);

        Value place = context.identifiers.value(
                "place", new TensorType(Format.I64, List.of(outerSequences)));
        Index before = context.identifiers.index("b");
        context.nodes.add(count(context, place, before, condition, Scalar.variable(before)));
        Value segment = context.identifiers.value("segment", indices.type());
        Index row = context.identifiers.index("p");
        context.nodes.add(compute(segment, row, count,
                at(place, at(segments.segment(), at(indices, Scalar.variable(row))))));

        Size bounds = Size.sum(sequences.count, Size.of(1));
        Value offsets = context.identifiers.value(
                "offsets", new TensorType(Format.I64, List.of(bounds)));
        Index bound = context.identifiers.index("b");
        Index earlier = context.identifiers.index("g");
        context.nodes.add(new Node.Compute(
                offsets,
                List.of(Axis.over(bound, bounds)),
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(new Axis(earlier, Scalar.whole(0), Scalar.variable(bound))),
                        Optional.empty())),
                Context.rowsOfSequence(stream, at(sequences.indices, Scalar.variable(earlier))),
                Span.NONE));
        return new Entrants(count, indices,
                Frame.inside(stream, count, r -> at(indices, r),
                        new Frame.Segments(sequences.frame, segment, offsets)));
    }

    /** The base with the rows of entrants in their places. */
    Node.Scatter scatter(Context context, Value base, Value rows, Span span) {
        List<Axis> axes = new ArrayList<>();
        List<Scalar> target = new ArrayList<>();
        List<Scalar> source = new ArrayList<>();
        for (Size size : rows.type().shape()) {
            Index index = context.identifiers.index(axes.isEmpty() ? "p" : "i");
            Scalar variable = Scalar.variable(index);
            target.add(axes.isEmpty() ? at(indices, variable) : variable);
            axes.add(Axis.over(index, size));
            source.add(variable);
        }
        Value result = context.identifiers.value(base.name(), base.type());
        return new Node.Scatter(
                result, base, axes, target, Optional.empty(), false,
                Scalar.load(rows, source), span);
    }

    private static Scalar at(Value table, Scalar row) {
        return Scalar.load(table, List.of(row));
    }

    private static Value select(
            Value indices, Value condition, Size.Symbol count, List<Node> nodes, Span span) {
        nodes.add(new Node.Selection(indices, condition, count, span));
        return indices;
    }

    private static Node.Compute compute(Value result, Index index, Size size, Scalar body) {
        return new Node.Compute(
                result, List.of(Axis.over(index, size)), Optional.empty(), body,
                Span.NONE);
    }

    /** {@code result[index]}: how many of the first {@code upper} conditions hold. */
    private static Node.Compute count(
            Context context, Value result, Index index, Value condition, Scalar upper) {
        return count(context, result, index, condition, Scalar.whole(0), upper);
    }

    /** {@code result[index]}: the sum of what stands from {@code lower} to {@code upper}. */
    private static Node.Compute count(
            Context context,
            Value result,
            Index index,
            Value terms,
            Scalar lower,
            Scalar upper) {
        Index earlier = context.identifiers.index("q");
        Scalar term = at(terms, Scalar.variable(earlier));
        return new Node.Compute(
                result,
                List.of(Axis.over(index, result.type().shape().getFirst())),
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(new Axis(earlier, lower, upper)),
                        Optional.empty())),
                terms.type().format() == Format.I64
                        ? term : new Scalar.Convert(Format.I64, term),
                Span.NONE);
    }
}
