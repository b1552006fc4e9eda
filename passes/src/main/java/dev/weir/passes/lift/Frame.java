package dev.weir.passes.lift;

import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A set of elements that run through the same code at once: the sequences of a batch, the tokens of
 * all sequences, the tokens that entered a gate, the (token, block) pairs of a route. Frames form a
 * tree: every row of a frame lies in one row of its parent.
 *
 * <pre>
 *   sequences  ◀── segment ── tokens ◀── indices ── entrants of a gate
 * </pre>
 *
 * <p>Where whole sequences enter a branch, their tokens lie in two frames: in the sequences that
 * entered, and in the tokens of all sequences.
 */
final class Frame {
    private final Size rows;
    private final Optional<Frame> parent;
    private final UnaryOperator<Scalar> toParent;
    private final Optional<Segments> segments;

    /**
     * How the rows of a frame lie in the sequences: those of one sequence together and in order.
     *
     * @param sequences the frame of the sequences
     * @param segment {@code i64[rows]}: each row's sequence
     * @param offsets {@code i64[sequences + 1]}: where each sequence's rows begin
     */
    record Segments(Frame sequences, Value segment, Value offsets) {}

    private Frame(
            Size rows,
            Optional<Frame> parent,
            UnaryOperator<Scalar> toParent,
            Optional<Segments> segments) {
        this.rows = rows;
        this.parent = parent;
        this.toParent = toParent;
        this.segments = segments;
    }

    /** The sequences of the batch. */
    static Frame root(Size sequences) {
        return new Frame(sequences, Optional.empty(), row -> row, Optional.empty());
    }

    /** Rows that are ordered by sequence. */
    static Frame segmented(Size rows, Segments segments) {
        return new Frame(
                rows,
                Optional.of(segments.sequences),
                row -> Scalar.load(segments.segment, List.of(row)),
                Optional.of(segments));
    }

    /** Rows of which each lies in the row of {@code parent} that {@code toParent} gives. */
    static Frame inside(Frame parent, Size rows, UnaryOperator<Scalar> toParent) {
        return new Frame(rows, Optional.of(parent), toParent, Optional.empty());
    }

    /** Some rows of {@code parent}, still ordered by sequence. */
    static Frame inside(
            Frame parent, Size rows, UnaryOperator<Scalar> toParent, Segments segments) {
        return new Frame(rows, Optional.of(parent), toParent, Optional.of(segments));
    }

    Size rows() {
        return rows;
    }

    Optional<Segments> segments() {
        return segments;
    }

    /** The row of {@code wanted}, this frame or one around it, in which {@code row} lies. */
    Scalar rowIn(Frame wanted, Scalar row) {
        if (this == wanted) {
            return row;
        }
        if (segments.isPresent() && (segments.get().sequences == wanted
                || parent.isEmpty() || !parent.get().isInside(wanted))) {
            return segments.get().sequences.rowIn(
                    wanted, Scalar.load(segments.get().segment, List.of(row)));
        }
        Frame next = parent.orElseThrow(
                () -> new IllegalArgumentException("the frame does not lie in the wanted one"));
        return next.rowIn(wanted, toParent.apply(row));
    }

    /** Whether {@code wanted} is this frame or one around it. */
    boolean isInside(Frame wanted) {
        return this == wanted
                || parent.map(p -> p.isInside(wanted)).orElse(false)
                || segments.map(s -> s.sequences.isInside(wanted)).orElse(false);
    }
}
