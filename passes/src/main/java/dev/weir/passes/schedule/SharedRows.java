package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What all points of a block read at the places of a tile, such as its keys and values: laid side
 * by side in scratch memory once for all of them. In memory these rows may lie as far apart as a
 * cache is long, and then hardly any of them stays there from one point to the next.
 *
 * <p>What is read may depend on what a point looks up, such as its sequence: whether all points of
 * a block look up the same is asked when the block begins.
 */
final class SharedRows {
    /** Copies of longer rows would leave the cache that is a core's own before they are used. */
    private static final long MOST_ELEMENTS = 1 << 16;

    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final long tileLength;
    private final List<Row> rows = new ArrayList<>();
    private final Map<Node.Compute, Node.Compute> replaced = new HashMap<>();

    /**
     * Rows of one tensor.
     *
     * @param place the axis of the tile
     * @param along the axis of a row
     * @param looksUp what its place depends on that differs between points
     */
    private record Row(
            Scalar.Load load, Axis place, Axis along, Value value, Buffer buffer,
            List<Scalar> looksUp) {
        long length() {
            return ((Scalar.Whole) along.upper()).value();
        }
    }

    private SharedRows(ScalarEmitter emitter, long tileLength) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.tileLength = tileLength;
    }

    /**
     * The rows that some nodes read; empty if there are none.
     *
     * @param nodes who read, each with the axis of the tile
     * @param shared the axis along which the points of a block neighbour each other
     */
    static Optional<SharedRows> of(
            ScalarEmitter emitter, long tileLength, Map<Node.Compute, Axis> nodes,
            int shared) {
        SharedRows rows = new SharedRows(emitter, tileLength);
        nodes.forEach((node, place) -> rows.find(node, place, node.axes().get(shared).index()));
        return rows.rows.isEmpty() ? Optional.empty() : Optional.of(rows);
    }

    private void find(Node.Compute node, Axis place, Index point) {
        Scalar body = replace(node.body(), node, place, point);
        if (!body.equals(node.body())) {
            replaced.put(node, new Node.Compute(
                    node.result(), node.axes(), node.reduction(), body, node.span()));
        }
    }

    private Scalar replace(Scalar scalar, Node.Compute node, Axis place, Index point) {
        if (scalar instanceof Scalar.Load load) {
            return along(load, node, place)
                    .map(along -> shared(load, place, along, point))
                    .orElse(scalar);
        }
        return Walk.map(scalar, operand -> replace(operand, node, place, point));
    }

    /** The axis of whole vectors along which a load reads rows at places of the tile. */
    private Optional<Axis> along(Scalar.Load load, Node.Compute node, Axis place) {
        List<Axis> axes = new ArrayList<>(node.axes());
        node.reduction().ifPresent(r -> axes.addAll(r.axes()));
        return axes.stream()
                .filter(a -> !a.equals(place)
                        && a.lower().equals(Scalar.whole(0))
                        && a.upper() instanceof Scalar.Whole length
                        && length.value() % lanes() == 0
                        && length.value() * tileLength <= MOST_ELEMENTS)
                .filter(a -> load.bounds() == Scalar.Bounds.PROVED
                        && Vectors.harmless(load, emitter.facts())
                        && emitter.local(load.source()).isEmpty()
                        && Walk.mentions(load, List.of(place.index()))
                        && Walk.mentions(load, List.of(a.index()))
                        && Vectors.possible(load, a, emitter.facts()))
                .findFirst();
    }

    private Scalar shared(Scalar.Load load, Axis place, Axis along, Index point) {
        List<Scalar> looksUp = new ArrayList<>();
        load.coordinates().forEach(c -> looksUp(c, point, looksUp));
        long length = ((Scalar.Whole) along.upper()).value();
        Value value = new Value(-1 - rows.size(), load.source().name(), new TensorType(
                Format.F32, List.of(Size.of(tileLength), Size.of(length))));
        rows.add(new Row(load, place, along, value,
                writer.scratch(Format.F32, tileLength * length + lanes()), looksUp));
        return Scalar.load(value,
                List.of(Scalar.variable(place.index()), Scalar.variable(along.index())));
    }

    private static void looksUp(Scalar scalar, Index point, List<Scalar> found) {
        if (!Walk.mentions(scalar, List.of(point))) {
            return;
        }
        if (scalar instanceof Scalar.Load) {
            found.add(scalar);
        } else {
            Walk.operands(scalar).forEach(o -> looksUp(o, point, found));
        }
    }

    private int lanes() {
        return emitter.facts().target().lanes();
    }

    /** The node as it reads the copies. */
    Node.Compute of(Node.Compute node) {
        return replaced.getOrDefault(node, node);
    }

    boolean isCopy(Scalar.Load load) {
        return rows.stream().anyMatch(row -> row.value.equals(load.source()));
    }

    /** Asks whether points look up the same. */
    final class Question {
        private final Variable answer = writer.mutable(Build.truth(true));
        private final List<Scalar> besides;
        private final List<Expression> first;

        private Question(List<Scalar> besides) {
            this.besides = besides;
            this.first = lookUp();
        }

        private List<Expression> lookUp() {
            return Stream.concat(rows.stream().flatMap(r -> r.looksUp.stream()), besides.stream())
                    .distinct().map(s -> writer.let(emitter.emit(s))).toList();
        }

        /** The same question of the present point. */
        void ask() {
            List<Expression> now = lookUp();
            // Rows of several nodes look up the same, each by an index of its own.
            IntStream.range(0, first.size())
                    .mapToObj(i -> compare(Comparison.EQUAL, first.get(i), now.get(i)))
                    .distinct()
                    .forEach(isEqual -> writer.assign(
                            answer, Build.and(new Expression.Get(answer), isEqual)));
        }

        Expression answer() {
            return new Expression.Get(answer);
        }
    }

    /**
     * Begins to ask; the present point is the first.
     *
     * @param besides what else points may look up
     */
    Question ask(List<Scalar> besides) {
        return new Question(besides);
    }

    /** Copies a tile's rows for the present point, and so for all of its block. */
    void copy(Expression tile, Expression from, Expression to) {
        for (Row row : rows) {
            writer.loop(from, to, 1, place -> {
                emitter.bind(row.place, place);
                Expression begin = writer.let(
                        multiply(subtract(place, tile), whole(row.length())));
                writer.loop(whole(0), whole(row.length()), lanes(), at -> {
                    emitter.bind(row.along, at);
                    writer.store(row.buffer, add(begin, at), writer.let(emitter.spread(
                            row.load, Optional.of(new ScalarEmitter.Lanes(
                                    row.along.index(), lanes(), Optional.empty())))));
                });
            });
            emitter.keep(row.value, new Local.InScratch(
                    row.buffer, 0, List.of(tileLength, row.length()), 0, tile, whole(0)));
        }
    }
}
