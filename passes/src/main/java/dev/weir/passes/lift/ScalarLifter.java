package dev.weir.passes.lift;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Rewrites a scalar expression of an unlifted function so that it speaks of one row of a frame.
 *
 * <pre>
 *   x[t - 1, d] or 0     ⇒     t - 1 in its sequence ? x[offsets[b] + (t - 1), d] : 0
 *                              where b = segment[p], t = p - offsets[b]
 * </pre>
 *
 * @param context the activation to which the expression belongs
 * @param frame whose row is meant
 * @param row the row, i64
 * @param streamIndex the index whose values are the rows of {@code frame}, if the frame is that of
 *     a stream
 */
record ScalarLifter(Context context, Frame frame, Scalar row, Optional<Index> streamIndex) {

    Scalar lift(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Variable v -> isStreamIndex(v)
                    ? Scalar.apply(
                            Operation.SUBTRACT, row, Context.firstRow(frame, sequence()))
                    : v;
            case Scalar.Extent e -> context.extent(e.size(), this::rowIn);
            case Scalar.Load l -> counted(l);
            case Scalar.Real r -> r;
            case Scalar.Whole w -> w;
            case Scalar.Apply a -> Walk.map(a, this::lift);
            case Scalar.Convert c -> Walk.map(c, this::lift);
            case Scalar.Round r -> Walk.map(r, this::lift);
            case Scalar.Within w -> Walk.map(w, this::lift);
        };
    }

    /**
     * A load of what may have axes whose size differs from row to row. They are as long as the
     * longest where they are kept, so a coordinate that may leave them is compared with the row's.
     */
    private Scalar counted(Scalar.Load load) {
        List<Scalar> coordinates = new ArrayList<>(load.coordinates());
        List<Scalar> inside = new ArrayList<>();
        List<Size> shape = load.source().type().shape();
        Lifted lifted = context.lifted(load.source());
        for (int axis = 0; axis < shape.size(); axis++) {
            boolean differs = shape.get(axis) instanceof Size.Symbol s
                    && (context.meaning(s) instanceof Meaning.Counted
                            || context.meaning(s) instanceof Meaning.Slots
                                    && !(lifted instanceof Lifted.Stored));
            if (!differs || load.bounds() == Scalar.Bounds.PROVED) {
                continue;
            }
            Scalar extent = Scalar.extent(shape.get(axis));
            if (load.bounds() == Scalar.Bounds.CHECKED) {
                coordinates.set(axis, Scalar.within(coordinates.get(axis), extent,
                        "axis " + axis + " of " + load.source().name()));
            } else {
                inside.add(Scalar.apply(
                        Operation.LESS, lift(coordinates.get(axis)), lift(extent)));
            }
        }
        Scalar loaded = load(lifted, coordinates, load.bounds(), load.otherwise());
        return inside.isEmpty() ? loaded : Scalar.apply(Operation.SELECT,
                inside.stream().reduce((a, b) -> Scalar.apply(Operation.AND, a, b)).orElseThrow(),
                loaded, lift(load.otherwise().orElseThrow()));
    }

    private boolean isStreamIndex(Scalar scalar) {
        return scalar instanceof Scalar.Variable v
                && streamIndex.isPresent()
                && streamIndex.get().equals(v.index());
    }

    /** The sequence of the present row. */
    private Scalar sequence() {
        return frame.rowIn(context.frame, row);
    }

    private Scalar rowIn(Frame sequences) {
        return frame.rowIn(sequences, row);
    }

    private Scalar load(
            Lifted lifted,
            List<Scalar> coordinates,
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise) {
        return switch (lifted) {
            case Lifted.Uniform u -> new Scalar.Load(
                    u.value(), liftAll(coordinates), bounds, otherwise.map(this::lift));
            case Lifted.Rows r -> {
                List<Scalar> place = new ArrayList<>();
                place.add(frame.rowIn(r.frame(), row));
                place.addAll(liftAll(coordinates));
                yield new Scalar.Load(r.value(), place, bounds, otherwise.map(this::lift));
            }
            case Lifted.Stream s -> stream(s, coordinates, bounds, otherwise);
            case Lifted.Stored s -> stored(s, coordinates, bounds, otherwise);
            case Lifted.Formula f -> f.ofRow().apply(frame.rowIn(f.frame(), row));
            case Lifted.Part p -> part(p, coordinates, bounds, otherwise);
        };
    }

    private List<Scalar> liftAll(List<Scalar> scalars) {
        return scalars.stream().map(this::lift).toList();
    }

    private Scalar stream(
            Lifted.Stream stream,
            List<Scalar> coordinates,
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise) {
        Scalar at = coordinates.get(stream.axis());
        List<Scalar> own = new ArrayList<>(liftAll(coordinates));
        own.remove(stream.axis());
        if (isStreamIndex(at) && frame.isInside(stream.frame())) {
            own.addFirst(frame.rowIn(stream.holder(), row));
            return new Scalar.Load(stream.value(), own, bounds, otherwise.map(this::lift));
        }
        Frame sequences = stream.frame().segments().orElseThrow().sequences();
        Scalar sequence = frame.rowIn(sequences, row);
        Scalar extent = Context.rowsOfSequence(stream.frame(), sequence);
        Scalar place = place(lift(at), extent, bounds, stream.axis(), stream.value());
        own.addFirst(stream.frame().rowIn(stream.holder(), Scalar.apply(
                Operation.ADD, Context.firstRow(stream.frame(), sequence), place)));
        return ragged(bounds, otherwise, place, extent, own, stream.value());
    }

    private Scalar stored(
            Lifted.Stored stored,
            List<Scalar> coordinates,
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise) {
        Scalar sequence = frame.rowIn(stored.sequences(), row);
        List<Scalar> place = new ArrayList<>(stored.instances());
        place.add(sequence);
        place.addAll(liftAll(coordinates));
        Scalar extent = Context.slots(stored.state(), stored.instances(), sequence);
        int axis = stored.instances().size() + 1;
        place.set(axis, place(place.get(axis), extent, bounds, 0, stored.state().value()));
        return ragged(
                bounds, otherwise, place.get(axis), extent, place, stored.state().value());
    }

    /** The coordinate on an axis whose extent depends on the sequence; checked if that is asked. */
    private static Scalar place(
            Scalar coordinate, Scalar extent, Scalar.Bounds bounds, int axis, Value value) {
        return bounds == Scalar.Bounds.CHECKED
                ? Scalar.within(coordinate, extent, "axis " + axis + " of " + value.name())
                : coordinate;
    }

    /** A load whose coordinate on one axis has to stay in a range that depends on the sequence. */
    private Scalar ragged(
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise,
            Scalar place,
            Scalar extent,
            List<Scalar> coordinates,
            Value value) {
        if (bounds != Scalar.Bounds.GUARDED) {
            return new Scalar.Load(value, coordinates, bounds, Optional.empty());
        }
        Scalar inside = Scalar.apply(
                Operation.AND,
                Scalar.apply(Operation.GREATER_EQUAL, place, Scalar.whole(0)),
                Scalar.apply(Operation.LESS, place, extent));
        Scalar other = lift(otherwise.orElseThrow());
        return Scalar.apply(
                Operation.SELECT, inside, Scalar.loadOr(value, coordinates, other), other);
    }

    private Scalar part(
            Lifted.Part part,
            List<Scalar> coordinates,
            Scalar.Bounds bounds,
            Optional<Scalar> otherwise) {
        // The outer value belongs to the caller: all that is lifted in it is its row and its first
        // coordinate, both of which are functions of our row.
        Scalar ours = frame.rowIn(part.frame(), row);
        List<Scalar> longer = new ArrayList<>();
        longer.add(part.place().apply(ours));
        longer.addAll(coordinates);
        return load(part.outer(), longer, bounds, otherwise);
    }
}
