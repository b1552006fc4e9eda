package dev.weir.runtime.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The memory off the heap of one model. It counts what it has, and keeps to a limit. Safe for
 * several threads. Closing it frees everything.
 *
 * <p>Small blocks have one of a few sizes between powers of two, are cut from one arena, which
 * lives as long as the pool, and are used again and again. Large ones have the size that is asked
 * for, and an arena of their own, so that their memory can return to the system earlier. Large
 * tensors of steps are placed side by side in one block, since a step takes the same ones as the
 * last did in the same order: {@link #beginStep} gets it as large as the step is expected to need,
 * and what does not fit has blocks of its own for as long as the step runs.
 */
public final class Pool implements AutoCloseable {
    /** The limit of a pool that has none. */
    public static final long UNLIMITED = Long.MAX_VALUE;
    /** At least so many bytes are behind every block: vector loads may pass the end. */
    public static final long SLACK = 64;
    private static final long ALIGNMENT = 64;
    /** From so many bytes on a block is large: freeing an arena makes all threads pause. */
    private static final long LARGE = 1 << 16;
    /** How many bytes may wait for use after they were given up. */
    private static final long SPARE = 128L << 20;
    /** A block that is used again may be longer than what it is used for by one part in so many. */
    private static final long LONGER = 8;
    /** A step may have so large a part of all memory in blocks that wait for tensors of a size. */
    private static final long WAITING = 16;
    /** After so many steps that need less than half of their memory it is given back. */
    private static final int PATIENCE = 64;
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
    private final Map<Long, Deque<MemorySegment>> freeSmall = new HashMap<>();
    private final TreeMap<Long, Deque<MemorySegment>> freeLarge = new TreeMap<>();
    private long waiting;
    private long held;
    private long inUse;
    private long peak;

    /** Where the large tensors of the step lie; by address, on this line. */
    private final Line line = new Line();
    private final Map<Long, Long> places = new HashMap<>();
    private Optional<MemorySegment> room = Optional.empty();
    private int tooLarge;

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
        long size = size(bytes);
        MemorySegment block = waiting(size).orElseGet(() -> allocate(size));
        return used(block);
    }

    private MemorySegment used(MemorySegment block) {
        inUse += block.byteSize();
        peak = Math.max(peak, inUse);
        return POISON ? block.fill((byte) 0xFF) : block;
    }

    /** One that was given back: of the size itself, or a large one that is hardly longer. */
    private Optional<MemorySegment> waiting(long size) {
        if (size < LARGE) {
            Deque<MemorySegment> blocks = freeSmall.get(size);
            return blocks == null ? Optional.empty() : Optional.ofNullable(blocks.pollLast());
        }
        Map.Entry<Long, Deque<MemorySegment>> fitting = freeLarge.ceilingEntry(size);
        if (fitting == null || fitting.getKey() - size > size / LONGER) {
            return Optional.empty();
        }
        MemorySegment block = fitting.getValue().removeLast();
        if (fitting.getValue().isEmpty()) {
            freeLarge.remove(fitting.getKey());
        }
        waiting -= block.byteSize();
        return Optional.of(block);
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
            block = small.allocate(size, ALIGNMENT);
        } else {
            Arena arena = Arena.ofShared();
            try {
                block = LargePages.allocate(size, arena)
                        .orElseGet(() -> arena.allocate(size, ALIGNMENT));
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
        long size = size(bytes);
        boolean waits = size < LARGE
                && !freeSmall.getOrDefault(size, new ArrayDeque<>()).isEmpty();
        long freeable = waiting
                + (line.isEmpty() ? room.map(MemorySegment::byteSize).orElse(0L) : 0);
        return waits || size <= limit - held + freeable;
    }

    /** Takes a block back, for those who take one of its size next. */
    public synchronized void give(MemorySegment block) {
        inUse -= block.byteSize();
        Long place = places.remove(block.address());
        if (place != null) {
            line.give(place);
            if (isInRoom(block)) {
                return;
            }
        }
        if (block.byteSize() < LARGE) {
            freeSmall.computeIfAbsent(block.byteSize(), s -> new ArrayDeque<>()).addLast(block);
        } else {
            freeLarge.computeIfAbsent(block.byteSize(), s -> new ArrayDeque<>()).addLast(block);
            waiting += block.byteSize();
        }
    }

    /**
     * Takes a block back that nobody may need soon. A large one is freed if many bytes wait for use
     * already. To free each, and clear another one for the next sequence, would cost a good part
     * of a prompt's time.
     */
    public synchronized void giveUp(MemorySegment block) {
        if (block.byteSize() < LARGE || waiting + block.byteSize() <= spare) {
            give(block);
        } else {
            drop(block);
        }
    }

    /** Takes a block back that nobody will need in this size; a large one is freed. */
    public synchronized void drop(MemorySegment block) {
        if (block.byteSize() < LARGE) {
            give(block);
        } else {
            inUse -= block.byteSize();
            free(block);
        }
    }

    /** Frees the large blocks that are not in use. */
    public synchronized void trim() {
        freeWaiting();
        if (line.isEmpty()) {
            room.ifPresent(this::free);
            room = Optional.empty();
        }
    }

    private void freeWaiting() {
        freeLarge.values().forEach(blocks -> blocks.forEach(this::free));
        freeLarge.clear();
        waiting = 0;
    }

    private void free(MemorySegment block) {
        held -= block.byteSize();
        large.remove(block.address()).close();
    }

    // ------------------------------------------------------------------ tensors of a step

    /**
     * Gets ready for the tensors of one step; only one at a time.
     *
     * @param expected bytes that large ones will need together, as {@link #endStep} says behind a
     *     step; 0 if nothing is known
     */
    public synchronized void beginStep(long expected) {
        long has = room.map(MemorySegment::byteSize).orElse(0L);
        if (expected <= has || !line.isEmpty()) {
            return;
        }
        // What grows a little with each step shall not get other memory in each.
        long wanted = size(Math.max(
                LARGE, Math.max(expected, Math.min(has + has / LONGER, 2 * expected))));
        room.ifPresent(this::free);
        room = Optional.empty();
        // Where memory is short, more than is needed at last would be in the way of others.
        if (wanted < limit / 2 && hasRoomFor(2 * wanted)) {
            room = Optional.of(allocate(wanted));
        }
    }

    /** As {@link #take}, for a tensor that the step gives back before it ends. */
    public synchronized MemorySegment takeForStep(long bytes) {
        long size = size(bytes);
        if (size < LARGE) {
            return take(bytes);
        }
        long place = line.take(size);
        MemorySegment block;
        try {
            block = room.filter(r -> place + size <= r.byteSize())
                    .map(r -> r.asSlice(place, size))
                    .or(() -> waiting(size))
                    .orElseGet(() -> instead(size));
        } catch (MemoryLimitException | OutOfMemoryError e) {
            line.give(place);
            throw e;
        }
        places.put(block.address(), place);
        return used(block);
    }

    /** A block of its own; those that wait for other sizes go, if they are a good part of all. */
    private MemorySegment instead(long size) {
        if (waiting > (held + size) / WAITING) {
            freeWaiting();
        }
        return allocate(size);
    }

    private boolean isInRoom(MemorySegment block) {
        return room.filter(r -> block.address() >= r.address()
                && block.address() < r.address() + r.byteSize()).isPresent();
    }

    /**
     * The step has given back what it took. Blocks of its own are freed; room that many steps did
     * not need is freed too.
     *
     * @return bytes that its large tensors needed together, side by side
     */
    public synchronized long endStep() {
        long needed = line.furthest();
        long has = room.map(MemorySegment::byteSize).orElse(0L);
        if (needed > has) {
            freeWaiting();
        }
        tooLarge = needed > has / 2 ? 0 : tooLarge + 1;
        if (tooLarge >= PATIENCE && line.isEmpty()) {
            room.ifPresent(this::free);
            room = Optional.empty();
            tooLarge = 0;
        }
        return needed;
    }

    // ------------------------------------------------------------------ figures

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

    /** With what may be read behind it; small ones up to a quarter of a power of two longer. */
    private static long size(long bytes) {
        long all = Math.addExact(bytes, SLACK);
        long step = all < LARGE ? Math.max(ALIGNMENT, Long.highestOneBit(all) / 4) : ALIGNMENT;
        return Math.addExact(all, step - 1) / step * step;
    }

    @Override
    public synchronized void close() {
        large.values().forEach(Arena::close);
        large.clear();
        freeSmall.clear();
        freeLarge.clear();
        small.close();
        waiting = 0;
        held = 0;
        inUse = 0;
    }
}
