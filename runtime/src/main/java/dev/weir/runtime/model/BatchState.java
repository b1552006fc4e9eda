package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import java.util.List;

/** The states of the sequences of one batch, as a step of a program sees them. */
public final class BatchState {
    private final List<BufferStore> stores;

    public BatchState(List<BufferStore> stores) {
        this.stores = List.copyOf(stores);
    }

    /** Of a batch without sequences. */
    public static BatchState empty() {
        return new BatchState(List.of());
    }

    /** How many sequences there are. */
    public int sequences() {
        return stores.size();
    }

    /** Address of an instance's first slot in use, or of its only one, for a sequence. */
    public long address(State state, int instance, int sequence) {
        return stores.get(sequence).address(state, instance);
    }

    /** Slots in use. */
    public long length(State state, int instance, int sequence) {
        return stores.get(sequence).length(state, instance);
    }

    /** Makes room for so many more slots; the address may change. */
    public void reserve(State state, int instance, int sequence, long more) {
        stores.get(sequence).reserve(state, instance, more);
    }

    /** Takes so many more slots into use, once in a step. */
    public void extend(State state, int instance, int sequence, long more) {
        stores.get(sequence).extend(state, instance, more);
    }

    /** Takes slots into use. */
    public void advance(State state, int instance, int sequence, long more) {
        stores.get(sequence).advance(state, instance, more);
    }
}
