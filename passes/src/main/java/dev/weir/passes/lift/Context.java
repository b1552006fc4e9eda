package dev.weir.passes.lift;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * The lifting of one activation of an unlifted function: the frame that it runs for, what its
 * values
 * and sizes have become, and the list to which lifted nodes go.
 */
final class Context {
    final Identifiers identifiers;
    final Frame root;
    final Frame frame;
    final List<Node> nodes;
    final Map<Value, Lifted> values;
    final Map<String, Meaning> meanings;
    /** Which instance of its block runs, as far as it is the same for all rows. */
    final List<Optional<Scalar>> instances = new ArrayList<>();
    /** The gate around that fills states together with another one; empty if there is none. */
    Optional<Filling> filling = Optional.empty();
    /** Whether a block runs that was chosen at run time, or something in one. */
    final boolean chosen;

    private Context(
            Identifiers identifiers,
            Frame root,
            Frame frame,
            List<Node> nodes,
            Map<Value, Lifted> values,
            Map<String, Meaning> meanings,
            boolean chosen) {
        this.chosen = chosen;
        this.identifiers = identifiers;
        this.root = root;
        this.frame = frame;
        this.nodes = nodes;
        this.values = values;
        this.meanings = meanings;
    }

    static Context root(Identifiers identifiers, Frame root) {
        return new Context(
                identifiers, root, root, new ArrayList<>(), new HashMap<>(), new HashMap<>(),
                false);
    }

    /**
     * A gate whose appended rows go to the slots of their elements.
     *
     * @param states in which they do
     * @param outer all elements
     * @param entrants those of the gate
     */
    record Filling(List<String> states, Frame outer, Entrants entrants) {}

    /** For the body of a called function: nothing of the caller's is visible. */
    Context callee(Frame calleeFrame) {
        Context callee = new Context(identifiers, root, calleeFrame, nodes, new HashMap<>(),
                new HashMap<>(), chosen);
        callee.filling = filling;
        return callee;
    }

    /** For the body of a function that was chosen at run time. */
    Context chosen(Frame calleeFrame) {
        return new Context(identifiers, root, calleeFrame, nodes, new HashMap<>(),
                new HashMap<>(), true);
    }

    /** For a nested region: everything outside is visible, what is inside stays there. */
    Context nested(Frame innerFrame) {
        Context nested = new Context(
                identifiers,
                root,
                innerFrame,
                new ArrayList<>(),
                new HashMap<>(values),
                new HashMap<>(meanings),
                chosen);
        nested.instances.addAll(instances);
        nested.filling = filling;
        return nested;
    }

    Lifted lifted(Value value) {
        Lifted lifted = values.get(value);
        return lifted == null ? new Lifted.Uniform(value) : lifted;
    }

    /** What a symbol of the present function stands for; its own name if nothing is known. */
    Meaning meaning(Size.Symbol symbol) {
        Meaning meaning = meanings.get(symbol.name());
        return meaning == null ? new Meaning.Fixed(symbol) : meaning;
    }

    /** The axis that is a stream, if there is one: the first of them. */
    Optional<Integer> streamAxis(List<Size> shape) {
        for (int axis = 0; axis < shape.size(); axis++) {
            if (stream(shape.get(axis)).isPresent()) {
                return Optional.of(axis);
            }
        }
        return Optional.empty();
    }

    /** Whether a size differs from one sequence to the next. */
    boolean isRagged(Size size) {
        return size.symbols().stream()
                .anyMatch(s -> !(meaning(new Size.Symbol(s)) instanceof Meaning.Fixed));
    }

    /** The frame whose rows a stream size counts. */
    Optional<Frame> stream(Size size) {
        return size instanceof Size.Symbol symbol
                        && meaning(symbol) instanceof Meaning.Stream stream
                ? Optional.of(stream.frame())
                : Optional.empty();
    }

    /** The frame whose rows the values of a type have: the stream's, or the context's. */
    Frame frameOf(TensorType type) {
        return streamAxis(type.shape())
                .flatMap(axis -> stream(type.shape().get(axis)))
                .orElse(frame);
    }

    /** The type of the value that holds an unlifted value for all rows. */
    TensorType canonicalType(TensorType type) {
        List<Size> shape = new ArrayList<>();
        shape.add(frameOf(type).rows());
        Optional<Integer> stream = streamAxis(type.shape());
        for (int axis = 0; axis < type.rank(); axis++) {
            if (stream.isEmpty() || stream.get() != axis) {
                shape.add(bound(type.shape().get(axis)));
            }
        }
        return new TensorType(type.format(), shape);
    }

    /** A value of {@link #canonicalType} as the lifted form of an unlifted value. */
    Lifted canonical(TensorType type, Value value) {
        return streamAxis(type.shape())
                .<Lifted>map(axis -> new Lifted.Stream(value, frameOf(type), axis))
                .orElseGet(() -> new Lifted.Rows(value, frame));
    }

    /** For each row of a frame of sequences {@code count} rows, one behind the other. */
    Frame eachOf(Frame sequences, Size count) {
        Size rows = Size.product(sequences.rows(), count);
        Value segment = identifiers.value("segment", new TensorType(Format.I64, List.of(rows)));
        Index row = identifiers.index("p");
        nodes.add(new Node.Compute(
                segment, List.of(Axis.over(row, rows)), Optional.empty(),
                Scalar.apply(Operation.DIVIDE, Scalar.variable(row), Scalar.extent(count)),
                Span.NONE));
        Size bounds = Size.sum(sequences.rows(), Size.of(1));
        Value offsets = identifiers.value("offsets", new TensorType(Format.I64, List.of(bounds)));
        Index bound = identifiers.index("b");
        nodes.add(new Node.Compute(
                offsets, List.of(Axis.over(bound, bounds)), Optional.empty(),
                Scalar.apply(Operation.MULTIPLY, Scalar.variable(bound), Scalar.extent(count)),
                Span.NONE));
        return Frame.segmented(rows, new Frame.Segments(sequences, segment, offsets));
    }

    /** How the rows of a stream lie in all sequences of the batch, also in those not here. */
    Frame.Segments inBatch(Frame stream) {
        Frame.Segments own = stream.segments().orElseThrow();
        if (own.sequences() == root) {
            return own;
        }
        Index row = identifiers.index("p");
        Value segment = identifiers.value("segment", own.segment().type());
        nodes.add(new Node.Compute(
                segment, List.of(Axis.over(row, stream.rows())), Optional.empty(),
                stream.rowIn(root, Scalar.variable(row)), Span.NONE));
        // A sequence's rows begin where those of the first one here that is not before it do.
        Index sequence = identifiers.index("b");
        Index here = identifiers.index("g");
        Size bounds = Size.sum(root.rows(), Size.of(1));
        TensorType type = new TensorType(Format.I64, List.of(bounds));
        Value before = identifiers.value("before", type);
        nodes.add(new Node.Compute(
                before,
                List.of(Axis.over(sequence, bounds)),
                Optional.of(new Reduction(
                        Reduction.Kind.SUM,
                        List.of(Axis.over(here, own.sequences().rows())), Optional.empty())),
                new Scalar.Convert(Format.I64, Scalar.apply(
                        Operation.LESS,
                        own.sequences().rowIn(root, Scalar.variable(here)),
                        Scalar.variable(sequence))),
                Span.NONE));
        Index bound = identifiers.index("b");
        Value offsets = identifiers.value("offsets", type);
        nodes.add(new Node.Compute(
                offsets, List.of(Axis.over(bound, bounds)), Optional.empty(),
                Scalar.load(own.offsets(),
                        List.of(Scalar.load(before, List.of(Scalar.variable(bound))))),
                Span.NONE));
        return new Frame.Segments(root, segment, offsets);
    }

    /** A size that is not ragged: the largest one where it is. */
    Size bound(Size size) {
        return switch (size) {
            case Size.Constant c -> c;
            case Size.Symbol s -> switch (meaning(s)) {
                case Meaning.Fixed f -> f.size();
                case Meaning.Stream st ->
                        measured(s, st.frame().segments().orElseThrow().sequences());
                case Meaning.Slots sl -> measured(s, root);
                case Meaning.Counted c -> measured(c);
            };
            case Size.Sum s -> Size.sum(bound(s.left()), bound(s.right()));
            case Size.Product p -> Size.product(bound(p.left()), bound(p.right()));
            case Size.Quotient q -> Size.quotient(bound(q.left()), bound(q.right()));
        };
    }

    private Size measured(Meaning.Counted counted) {
        Size.Symbol largest = identifiers.symbol("most");
        nodes.add(new Node.Measure(largest, counted.numbers()));
        return largest;
    }

    /**
     * The most rows that a symbol has in any sequence.
     *
     * @param sequences the frame of the sequences over which it is ragged
     */
    private Size measured(Size.Symbol symbol, Frame sequences) {
        Size rows = sequences.rows();
        Index index = identifiers.index("b");
        Value table = identifiers.value(
                symbol.name() + " of each sequence", new TensorType(Format.I64, List.of(rows)));
        nodes.add(new Node.Compute(
                table,
                List.of(Axis.over(index, rows)),
                Optional.empty(),
                extent(symbol, wanted -> Scalar.variable(index)),
                Span.NONE));
        Size.Symbol largest = identifiers.symbol("most " + symbol.name());
        nodes.add(new Node.Measure(largest, table));
        return largest;
    }

    /**
     * A size of the function as an expression.
     *
     * @param rowIn the row of a frame of sequences; only ragged sizes ask for it
     */
    Scalar extent(Size size, Function<Frame, Scalar> rowIn) {
        return switch (size) {
            case Size.Constant c -> Scalar.whole(c.value());
            case Size.Symbol s -> switch (meaning(s)) {
                case Meaning.Fixed f -> Scalar.extent(f.size());
                case Meaning.Stream st -> rowsOfSequence(st.frame(),
                        rowIn.apply(st.frame().segments().orElseThrow().sequences()));
                case Meaning.Slots sl -> slots(sl.state(), sl.instances(), rowIn.apply(root));
                case Meaning.Counted c ->
                        Scalar.load(c.numbers(), List.of(rowIn.apply(c.frame())));
            };
            case Size.Sum s -> Scalar.apply(
                    Operation.ADD, extent(s.left(), rowIn), extent(s.right(), rowIn));
            case Size.Product p -> Scalar.apply(
                    Operation.MULTIPLY, extent(p.left(), rowIn), extent(p.right(), rowIn));
            case Size.Quotient q -> Scalar.apply(
                    Operation.DIVIDE, extent(q.left(), rowIn), extent(q.right(), rowIn));
        };
    }

    static Scalar firstRow(Frame frame, Scalar sequence) {
        return Scalar.load(frame.segments().orElseThrow().offsets(), List.of(sequence));
    }

    static Scalar rowsOfSequence(Frame frame, Scalar sequence) {
        Scalar next = firstRow(
                frame, Scalar.apply(Operation.ADD, sequence, Scalar.whole(1)));
        return Scalar.apply(Operation.SUBTRACT, next, firstRow(frame, sequence));
    }

    static Scalar slots(State state, List<Scalar> instances, Scalar sequence) {
        List<Scalar> coordinates = new ArrayList<>(instances);
        coordinates.add(sequence);
        return Scalar.load(state.lengths().orElseThrow(), coordinates);
    }
}
