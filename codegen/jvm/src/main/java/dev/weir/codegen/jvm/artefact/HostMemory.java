package dev.weir.codegen.jvm.artefact;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory off the heap of one model, by addresses. What is freed and what is not goes when it is
 * closed.
 */
public final class HostMemory implements AutoCloseable {
    /** All of memory, so that an offset is an address. */
    @SuppressWarnings("restricted")
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    /** Freeing an arena makes all threads pause, so smaller blocks share one. */
    private static final long LARGE = 1 << 16;

    private final Arena small = Arena.ofShared();
    private final Map<Long, Arena> large = new HashMap<>();

    /** So many bytes, aligned to 64; 0 if there are none. */
    public long allocate(long bytes) {
        try {
            if (bytes < LARGE) {
                return small.allocate(Math.max(1, bytes), 64).address();
            }
            Arena arena = Arena.ofShared();
            try {
                long address = arena.allocate(bytes, 64).address();
                large.put(address, arena);
                return address;
            } catch (OutOfMemoryError e) {
                arena.close();
                return 0;
            }
        } catch (OutOfMemoryError e) {
            return 0;
        }
    }

    /** Frees what {@link #allocate} gave, at once if it is large. */
    public long free(long address) {
        Arena arena = large.remove(address);
        if (arena != null) {
            arena.close();
        }
        return 0;
    }

    /** Copies bytes between places that do not overlap. */
    public long copy(long to, long from, long bytes) {
        MemorySegment.copy(ALL, from, ALL, to, bytes);
        return 0;
    }

    /** Rounded towards minus infinity; 0 if the divisor is. */
    public static long divide(long left, long right) {
        return right == 0 ? 0 : Math.floorDiv(left, right);
    }

    public static long remainder(long left, long right) {
        return right == 0 ? 0 : Math.floorMod(left, right);
    }

    @Override
    public void close() {
        large.values().forEach(Arena::close);
        large.clear();
        small.close();
    }
}
