package dev.weir.runtime.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory off the heap of one model: blocks whose size is rounded up to a few steps between
 * powers of two, used again and again. It counts them, and keeps to a limit. Small blocks are cut
 * from one arena, which lives as long as the pool; a large one has an arena of its own, so that its
 * memory can return to the system earlier. Safe for several threads. Closing it frees everything.
 */
public final class Pool implements AutoCloseable {
    /** The limit of a pool that has none. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /**
     * Rounding up leaves at least so many bytes behind every block: vector loads may pass the end.
     */
    public static final long SLACK = 64;
    /** From so many bytes on a block is large: freeing an arena makes all threads pause. */
    private static final long LARGE = 1 << 16;
    /** How many bytes may wait for use after they were given up. */
    private static final long SPARE = 128L << 20;
    /**
     * Whether every block is filled with NaN before its use ({@code -Dweir.poison=true}): what
     * reads memory that nothing has written gives a wrong result every time, not now and then.
     */
    private static final boolean POISON = Boolean.getBoolean("weir.poison");

    private final long limit;
    private final long spare;
    private final Arena small = Arena.ofShared();
    /** By address. */
    private final Map<Long, Arena> large = new HashMap<>();
    private final Map<Long, Deque<MemorySegment>> free = new HashMap<>();
    private long held;
    private long inUse;
    private long peak;

    public Pool() {
        this(UNLIMITED);
    }

    /**
     * @param limit the most bytes that it holds at any time, in use or not
     */
    public Pool(long limit) {
        this(limit, SPARE);
    }

    /**
     * @param spare how many bytes may wait for use after they were given up
     */
    public Pool(long limit, long spare) {
        this.limit = limit;
        this.spare = spare;
    }

    /**
     * A block of at least so many bytes and {@link #SLACK}, aligned to 64, with any content.
     *
     * @throws MemoryLimitException if the limit is passed, even with all that is not in use freed
     */
    public synchronized MemorySegment take(long bytes) {
        long size = roundUp(Math.addExact(bytes, SLACK));
        Deque<MemorySegment> blocks = free.get(size);
        MemorySegment block = blocks == null || blocks.isEmpty()
                ? allocate(size)
                : blocks.removeLast();
        inUse += size;
        peak = Math.max(peak, inUse);
        return POISON ? block.fill((byte) 0xFF) : block;
    }

    private MemorySegment allocate(long size) {
        if (!fits(size)) {
            trim();
        }
        if (!fits(size)) {
            throw new MemoryLimitException(limit, held, size);
        }
        MemorySegment block;
        if (size < LARGE) {
            block = small.allocate(size, 64);
        } else {
            Arena arena = Arena.ofShared();
            try {
                block = arena.allocate(size, 64);
            } catch (OutOfMemoryError e) {
                arena.close();
                throw e;
            }
            large.put(block.address(), arena);
        }
        held += size;
        return block;
    }

    private boolean fits(long size) {
        return size <= limit - held;
    }

    /** Whether so many bytes can be taken now. */
    public synchronized boolean hasRoomFor(long bytes) {
        long size = roundUp(Math.addExact(bytes, SLACK));
        long freeable = free.values().stream()
                .flatMap(Deque::stream)
                .mapToLong(MemorySegment::byteSize)
                .filter(s -> s >= LARGE || s == size)
                .sum();
        return size <= limit - held + freeable;
    }

    /** Takes a block back, for those who take one of its size next. */
    public synchronized void give(MemorySegment block) {
        inUse -= block.byteSize();
        free.computeIfAbsent(block.byteSize(), s -> new ArrayDeque<>()).addLast(block);
    }

    /**
     * Takes a block back that nobody may need soon. A large one is freed if many bytes wait for use
     * already. To free each, and clear another one for the next sequence, would cost a good part
     * of a prompt's time.
     */
    public synchronized void giveUp(MemorySegment block) {
        if (block.byteSize() < LARGE || held - inUse + block.byteSize() <= spare) {
            give(block);
        } else {
            inUse -= block.byteSize();
            free(block);
        }
    }

    /** Frees the large blocks that are not in use. */
    public synchronized void trim() {
        free.forEach((size, blocks) -> {
            if (size >= LARGE) {
                blocks.forEach(this::free);
                blocks.clear();
            }
        });
    }

    private void free(MemorySegment block) {
        held -= block.byteSize();
        large.remove(block.address()).close();
    }

    /** Bytes of all blocks, in use or not: what it has from the system. */
    public synchronized long held() {
        return held;
    }

    /** Bytes of the blocks that are in use. */
    public synchronized long inUse() {
        return inUse;
    }

    /** The most bytes that were in use at once. */
    public synchronized long peak() {
        return peak;
    }

    /** Up to a quarter of a power of two above the wanted size. */
    private static long roundUp(long bytes) {
        long step = Math.max(64, Long.highestOneBit(bytes) / 4);
        return (bytes + step - 1) / step * step;
    }

    @Override
    public synchronized void close() {
        large.values().forEach(Arena::close);
        large.clear();
        free.clear();
        small.close();
        held = 0;
        inUse = 0;
    }
}
