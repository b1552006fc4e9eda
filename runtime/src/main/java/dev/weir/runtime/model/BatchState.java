package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import java.util.List;

/** The states of the sequences of one batch, as a step of a program sees them. */
public record BatchState(List<Sequence> sequences) {
    public BatchState {
        sequences = List.copyOf(sequences);
    }

    private Sequence.Slot slot(State state, int instance, int sequence) {
        return sequences.get(sequence).slot(state, instance);
    }

    /** Address of an instance's buffer for a sequence. */
    public long address(State state, int instance, int sequence) {
        Sequence.Slot slot = slot(state, instance, sequence);
        return slot.memory.address() + slot.first * Sequence.rowBytes(state);
    }

    /** Slots in use. */
    public long length(State state, int instance, int sequence) {
        return slot(state, instance, sequence).length;
    }

    /** Makes room for so many more slots; the address may change. */
    public void reserve(State state, int instance, int sequence, long more) {
        Sequence.reserve(state, slot(state, instance, sequence), more);
    }

    /** Takes slots into use. */
    public void advance(State state, int instance, int sequence, long more) {
        slot(state, instance, sequence).length += more;
    }
}
