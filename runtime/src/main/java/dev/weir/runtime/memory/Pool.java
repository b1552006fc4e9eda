package dev.weir.runtime.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * Memory off the heap that is used again and again: blocks whose size is rounded up to a few steps
 * between powers of two. Not safe for several threads. Closing it frees everything.
 */
public final class Pool implements AutoCloseable {
    /**
     * Rounding up leaves at least so many bytes behind every block: vector loads may pass the end.
     */
    private static final long SLACK = 64;
    /**
     * Whether every block is filled with NaN before its use ({@code -Dweir.poison=true}): what
     * reads memory that nothing has written gives a wrong result every time, not now and then.
     */
    private static final boolean POISON = Boolean.getBoolean("weir.poison");

    private final Arena arena = Arena.ofShared();
    private final Map<Long, Deque<MemorySegment>> free = new HashMap<>();
    private long inUse;
    private long peak;

    /** A block of at least so many bytes, aligned to 64, with any content. */
    public MemorySegment take(long bytes) {
        long size = roundUp(bytes + SLACK);
        Deque<MemorySegment> blocks = free.get(size);
        inUse += size;
        peak = Math.max(peak, inUse);
        MemorySegment block = blocks == null || blocks.isEmpty()
                ? arena.allocate(size, 64)
                : blocks.removeLast();
        return POISON ? block.fill((byte) 0xFF) : block;
    }

    public void give(MemorySegment block) {
        inUse -= block.byteSize();
        free.computeIfAbsent(block.byteSize(), s -> new ArrayDeque<>()).addLast(block);
    }

    /** The most bytes that were in use at once. */
    public long peak() {
        return peak;
    }

    /** Up to a quarter of a power of two above the wanted size. */
    private static long roundUp(long bytes) {
        long step = Math.max(64, Long.highestOneBit(bytes) / 4);
        return (bytes + step - 1) / step * step;
    }

    @Override
    public void close() {
        arena.close();
    }
}
