package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Optional;

/**
 * What a block remembers from step to step, for each sequence and each instance.
 *
 * <p>In an unlifted program, nodes name the state and work on the present sequence. In a lifted one
 * loads refer to {@link #value}, whose leading axes are the instances, then the sequences of the
 * batch; its rows live in a buffer of their own for each instance and sequence.
 *
 * @param name the state's path in the model, with {@code {0}}, {@code {1}} for instances
 * @param instances how many there are of each kind of instance (list elements, then the iterations
 *     of the loops around the call)
 * @param value {@code [instances…, sequences, own axes…]}; a growing state's first own axis is
 *     {@link #slots}
 * @param slots the run-time size of the axis that grows by what is appended; empty for a state
 *     of constant shape that is carried over
 * @param lengths for a growing state, {@code i64[instances…, sequences]}: slots in use
 * @param keep how many of the last slots an element of the stream can rely on; an append first
 *     drops what none of its elements can; empty to drop nothing
 * @param initial what a carried state holds before the first step
 */
public record State(
        String name,
        List<Long> instances,
        Value value,
        Optional<Size.Symbol> slots,
        Optional<Value> lengths,
        Optional<Long> keep,
        double initial) {
    public State {
        instances = List.copyOf(instances);
    }

    /** How many of so many slots are dropped before the next rows are appended. */
    public long dropped(long slots) {
        return keep.map(k -> Math.max(0, slots - (k - 1))).orElse(0L);
    }

    public boolean grows() {
        return slots.isPresent();
    }

    /** The axes of one instance for one sequence. */
    public List<Size> ownShape() {
        List<Size> shape = value.type().shape();
        return shape.subList(instances.size() + 1, shape.size());
    }
}
