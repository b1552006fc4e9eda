package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * What one sequence remembers: for each state and instance a buffer of its own. Growing states
 * double their room when it is used up. Not safe for several threads. Close it to free the memory.
 */
public final class Sequence implements Engine.Session {
    /** Slots of a growing state to begin with. */
    private static final long FIRST_SLOTS = 64;

    private final Map<State, Slot[]> slots = new HashMap<>();
    private long position;

    /** One instance of one state. */
    static final class Slot {
        private Arena arena = Arena.ofShared();
        MemorySegment memory;
        long capacity;
        /** The first slot in use: those before it have been dropped. */
        long first;
        long length;
    }

    @Override
    public long position() {
        return position;
    }

    void advance(long rows) {
        position += rows;
    }

    Slot slot(State state, int instance) {
        Slot[] all = slots.computeIfAbsent(state, s -> {
            int n = Math.toIntExact(s.instances().stream().reduce(1L, Math::multiplyExact));
            Slot[] fresh = new Slot[n];
            for (int i = 0; i < n; i++) {
                fresh[i] = start(s);
            }
            return fresh;
        });
        return all[instance];
    }

    private static Slot start(State state) {
        Slot slot = new Slot();
        if (state.grows()) {
            slot.capacity = FIRST_SLOTS;
            slot.memory = slot.arena.allocate(FIRST_SLOTS * rowBytes(state) + 64, 64);
        } else {
            slot.memory = slot.arena.allocate(rowBytes(state) + 64, 64);
            fill(state, slot);
        }
        return slot;
    }

    private static void fill(State state, Slot slot) {
        if (state.initial() != 0) {
            long elements = rowBytes(state) / state.value().type().format().bytes();
            dev.weir.runtime.memory.Tensor view = new dev.weir.runtime.memory.Tensor(
                    state.value().type().format(), new long[] {elements}, slot.memory);
            for (long i = 0; i < elements; i++) {
                view.setReal(i, state.initial());
            }
        }
    }

    /** Bytes of one slot of a growing state, or of all of a carried one. */
    static long rowBytes(State state) {
        long elements = state.ownShape().stream()
                .skip(state.grows() ? 1 : 0)
                .mapToLong(s -> s.constant().orElseThrow())
                .reduce(1, Math::multiplyExact);
        return elements * state.value().type().format().bytes();
    }

    /**
     * Drops the slots that nobody can rely on any more, and makes sure that so many more fit. What
     * is kept moves to the front only when the end is reached, and then with half of the room free,
     * so that a slot moves once on average.
     */
    static void reserve(State state, Slot slot, long more) {
        if (more > 0) {
            long dropped = state.dropped(slot.length);
            slot.first += dropped;
            slot.length -= dropped;
        }
        long length = slot.length + more;
        if (slot.first + length <= slot.capacity) {
            return;
        }
        long row = rowBytes(state);
        if (slot.first > 0 && length <= slot.capacity / 2) {
            MemorySegment.copy(
                    slot.memory, slot.first * row, slot.memory, 0, slot.length * row);
            slot.first = 0;
            return;
        }
        long capacity = Math.max(length, slot.capacity * 2);
        Arena arena = Arena.ofShared();
        MemorySegment larger = arena.allocate(capacity * row + 64, 64);
        MemorySegment.copy(slot.memory, slot.first * row, larger, 0, slot.length * row);
        slot.first = 0;
        slot.arena.close();
        slot.arena = arena;
        slot.memory = larger;
        slot.capacity = capacity;
    }

    @Override
    public void close() {
        slots.values().forEach(all -> {
            for (Slot slot : all) {
                slot.arena.close();
            }
        });
        slots.clear();
    }
}
