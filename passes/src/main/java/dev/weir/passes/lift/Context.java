package dev.weir.passes.lift;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
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

    private Context(
            Identifiers identifiers,
            Frame root,
            Frame frame,
            List<Node> nodes,
            Map<Value, Lifted> values,
            Map<String, Meaning> meanings) {
        this.identifiers = identifiers;
        this.root = root;
        this.frame = frame;
        this.nodes = nodes;
        this.values = values;
        this.meanings = meanings;
    }

    static Context root(Identifiers identifiers, Frame root) {
        return new Context(
                identifiers, root, root, new ArrayList<>(), new HashMap<>(), new HashMap<>());
    }

    /** For the body of a called function: nothing of the caller's is visible. */
    Context callee(Frame calleeFrame) {
        return new Context(
                identifiers, root, calleeFrame, nodes, new HashMap<>(), new HashMap<>());
    }

    /** For a nested region: everything outside is visible, what is inside stays there. */
    Context nested(Frame innerFrame) {
        return new Context(
                identifiers,
                root,
                innerFrame,
                new ArrayList<>(),
                new HashMap<>(values),
                new HashMap<>(meanings));
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

    /** A size that is not ragged: the largest one where it is. */
    Size bound(Size size) {
        return switch (size) {
            case Size.Constant c -> c;
            case Size.Symbol s -> switch (meaning(s)) {
                case Meaning.Fixed f -> f.size();
                case Meaning.Stream st -> measured(s, extentAt(s));
                case Meaning.Slots sl -> measured(s, extentAt(s));
            };
            case Size.Sum s -> Size.sum(bound(s.left()), bound(s.right()));
            case Size.Product p -> Size.product(bound(p.left()), bound(p.right()));
            case Size.Quotient q -> Size.quotient(bound(q.left()), bound(q.right()));
        };
    }

    /** The extent of a ragged size as a function of the row of {@link #sequenceFrame}. */
    private java.util.function.UnaryOperator<Scalar> extentAt(Size.Symbol symbol) {
        return sequence -> extent(symbol, sequence);
    }

    private Size measured(
            Size.Symbol symbol, java.util.function.UnaryOperator<Scalar> extent) {
        Size rows = sequenceFrame(symbol).rows();
        Index index = identifiers.index("b");
        Value table = identifiers.value(
                symbol.name() + " of each sequence", new TensorType(Format.I64, List.of(rows)));
        nodes.add(new Node.Compute(
                table,
                List.of(Axis.over(index, rows)),
                Optional.empty(),
                extent.apply(Scalar.variable(index)),
                Span.NONE));
        Size.Symbol largest = identifiers.symbol("most " + symbol.name());
        nodes.add(new Node.Measure(largest, table));
        return largest;
    }

    /** The frame of sequences over which a symbol is ragged. */
    private Frame sequenceFrame(Size.Symbol symbol) {
        return switch (meaning(symbol)) {
            case Meaning.Stream stream -> stream.frame().segments().orElseThrow().sequences();
            case Meaning.Slots slots -> root;
            case Meaning.Fixed fixed -> throw new IllegalArgumentException(symbol.name());
        };
    }

    /**
     * A size of the function as an expression.
     *
     * @param sequence the row of the frame of sequences; only ragged sizes use it
     */
    Scalar extent(Size size, Scalar sequence) {
        return switch (size) {
            case Size.Constant c -> Scalar.whole(c.value());
            case Size.Symbol s -> switch (meaning(s)) {
                case Meaning.Fixed f -> Scalar.extent(f.size());
                case Meaning.Stream st -> rowsOfSequence(st.frame(), sequence);
                case Meaning.Slots sl -> slots(sl.state(), sl.instances(), sequence);
            };
            case Size.Sum s -> Scalar.apply(
                    Operation.ADD, extent(s.left(), sequence), extent(s.right(), sequence));
            case Size.Product p -> Scalar.apply(
                    Operation.MULTIPLY, extent(p.left(), sequence), extent(p.right(), sequence));
            case Size.Quotient q -> Scalar.apply(
                    Operation.DIVIDE, extent(q.left(), sequence), extent(q.right(), sequence));
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
