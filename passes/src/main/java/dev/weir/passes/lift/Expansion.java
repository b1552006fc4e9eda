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
import java.util.List;
import java.util.Optional;

/**
 * The rows of a stream once for each member of a frame of copies of its sequences: a sequence that
 * chose two blocks has two copies, and each copy has all rows of the sequence.
 *
 * <pre>
 *   offsets[g]  how many rows the copies before g have;   segment[r]  the copy of row r
 *   indices[r] = first row of the sequence of copy segment[r] + r - offsets[segment[r]]
 * </pre>
 *
 * @param frame all rows, in the order of the copies
 * @param offsets {@code i64[copies + 1]}
 */
record Expansion(Frame frame, Value offsets) {

    /**
     * @param context to which the tables go
     * @param stream whose rows are copied
     * @param copies a frame whose rows lie in the sequences of the stream
     */
    static Expansion of(Context context, Frame stream, Frame copies) {
        Frame sequences = stream.segments().orElseThrow().sequences();
        Size bounds = Size.sum(copies.rows(), Size.of(1));
        Value offsets = context.identifiers.value(
                "offsets", new TensorType(Format.I64, List.of(bounds)));
        Index g = context.identifiers.index("g");
        Index earlier = context.identifiers.index("h");
        context.nodes.add(new Node.Compute(
                offsets,
                List.of(Axis.over(g, bounds)),
                sum(new Axis(earlier, Scalar.whole(0), Scalar.variable(g))),
                Context.rowsOfSequence(
                        stream, copies.rowIn(sequences, Scalar.variable(earlier))),
                Span.NONE));
        Value total = context.identifiers.value("rows", TensorType.scalar(Format.I64));
        context.nodes.add(new Node.Compute(
                total, List.of(), Optional.empty(), at(offsets, Scalar.extent(copies.rows())),
                Span.NONE));
        Size.Symbol count = context.identifiers.symbol("K");
        context.nodes.add(new Node.Measure(count, total));

        TensorType type = new TensorType(Format.I64, List.of(count));
        Value segment = context.identifiers.value("segment", type);
        Index r = context.identifiers.index("r");
        Index copy = context.identifiers.index("g");
        Scalar ends = at(offsets,
                Scalar.apply(Operation.ADD, Scalar.variable(copy), Scalar.whole(1)));
        context.nodes.add(new Node.Compute(
                segment,
                List.of(Axis.over(r, count)),
                sum(Axis.over(copy, copies.rows())),
                new Scalar.Convert(Format.I64,
                        Scalar.apply(Operation.LESS_EQUAL, ends, Scalar.variable(r))),
                Span.NONE));
        Value indices = context.identifiers.value("indices", type);
        Index row = context.identifiers.index("r");
        Scalar own = at(segment, Scalar.variable(row));
        Scalar within = Scalar.apply(
                Operation.SUBTRACT, Scalar.variable(row), at(offsets, own));
        context.nodes.add(new Node.Compute(
                indices,
                List.of(Axis.over(row, count)),
                Optional.empty(),
                Scalar.apply(Operation.ADD,
                        Context.firstRow(stream, copies.rowIn(sequences, own)), within),
                Span.NONE));
        return new Expansion(
                Frame.inside(stream, count, i -> at(indices, i),
                        new Frame.Segments(copies, segment, offsets)),
                offsets);
    }

    private static Scalar at(Value table, Scalar row) {
        return Scalar.load(table, List.of(row));
    }

    private static Optional<Reduction> sum(Axis axis) {
        return Optional.of(new Reduction(Reduction.Kind.SUM, List.of(axis), Optional.empty()));
    }
}
