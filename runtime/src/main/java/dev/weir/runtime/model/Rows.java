package dev.weir.runtime.model;

import dev.weir.ir.tensor.State;
import dev.weir.runtime.memory.Pool;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The rows of one instance of a growing state, in a block of a pool that grows when it is full.
 * Rows are only ever added behind the others, so what went before is known by its length. A state
 * that keeps its last slots only also drops rows in front: there a saved place holds on to its
 * rows, and what would overwrite them goes elsewhere.
 */
final class Rows {
    /** Room to begin with. */
    private static final long FIRST_SLOTS = 64;

    private final State state;
    private final long rowBytes;
    private final Pool pool;
    private Block block;
    /** The first slot in use: those before it have been dropped. */
    private long first;
    private long length;
    /** Whether it has slots for all elements of the present step. */
    private boolean extended;

    /** Memory, and the places in it whose rows have to stay. */
    private static final class Block {
        private final MemorySegment memory;
        private final List<Place> held = new ArrayList<>();

        Block(MemorySegment memory) {
            this.memory = memory;
        }
    }

    /** The slots that were in use at one time. It has to be released. */
    record Place(Block block, long first, long length) {}

    Rows(State state, long rowBytes, Pool pool) {
        this.state = state;
        this.rowBytes = rowBytes;
        this.pool = pool;
        this.block = new Block(pool.take(Math.multiplyExact(FIRST_SLOTS, rowBytes)));
    }

    long address() {
        return block.memory.address() + first * rowBytes;
    }

    long length() {
        return length;
    }

    private boolean drops() {
        return state.keep().isPresent();
    }

    private long capacity() {
        return (block.memory.byteSize() - Pool.SLACK) / Math.max(1, rowBytes);
    }

    /**
     * Drops the slots that nobody can rely on any more, and makes sure that so many more fit. What
     * is kept moves to the front only when the end is reached, and then with half of the room free,
     * so that a slot moves once on average.
     */
    void reserve(long more) {
        if (more > 0) {
            long dropped = state.dropped(length);
            first += dropped;
            length -= dropped;
        }
        long needed = Math.addExact(length, more);
        long end = end();
        if (first + needed <= end) {
            return;
        }
        boolean half = needed <= capacity() / 2;
        if (first > 0 && half && end == capacity() && needed <= held(0)) {
            MemorySegment.copy(block.memory, first * rowBytes, block.memory, 0, length * rowBytes);
            first = 0;
        } else {
            move(needed, half ? capacity() : Math.max(needed, longer()));
        }
    }

    /** Of a block that is full: who drops rows needs room to move in, others grow by a quarter. */
    private long longer() {
        return capacity() + Math.max(FIRST_SLOTS, drops() ? capacity() : capacity() / 4);
    }

    /** Where the next slots may not go on: at the block's end, or where older rows have to stay. */
    private long end() {
        return Math.min(capacity(), held(first + length));
    }

    /** The first slot from one on that has to stay. */
    private long held(long from) {
        return block.held.stream()
                .filter(place -> place.length > 0 && place.first >= from)
                .mapToLong(Place::first)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** Into another block: of the wanted size, or a smaller one if memory is short. */
    private void move(long needed, long wanted) {
        long bytes = Math.multiplyExact(wanted, rowBytes);
        MemorySegment other = pool.take(pool.hasRoomFor(bytes) ? bytes : needed * rowBytes);
        MemorySegment.copy(block.memory, first * rowBytes, other, 0, length * rowBytes);
        Block left = block;
        block = new Block(other);
        first = 0;
        retire(left);
    }

    /** Takes slots into use, for which there is room. */
    void advance(long more) {
        length += more;
    }

    /** Whether this is the first time in a step. */
    boolean extend() {
        boolean first = !extended;
        extended = true;
        return first;
    }

    void stepped() {
        extended = false;
    }

    /** Makes it hold the same as another one, which has the same state. */
    void copy(Rows other) {
        reserve(other.length);
        MemorySegment.copy(other.block.memory, other.first * rowBytes, block.memory, 0,
                other.length * rowBytes);
        length = other.length;
    }

    void truncate(long slots) {
        length = Math.min(length, slots);
    }

    Place save() {
        Place place = new Place(block, first, length);
        if (drops()) {
            block.held.add(place);
        }
        return place;
    }

    void restore(Place place) {
        extended = false;
        if (drops()) {
            Block left = block;
            block = place.block;
            first = place.first;
            retire(left);
        }
        length = place.length;
    }

    void release(Place place) {
        if (drops()) {
            place.block.held.remove(place);
            retire(place.block);
        }
    }

    private void retire(Block left) {
        if (left != block && left.held.isEmpty()) {
            pool.drop(left.memory);
        }
    }

    /** Gives its memory back; all places were released. */
    void free() {
        pool.giveUp(block.memory);
    }
}
