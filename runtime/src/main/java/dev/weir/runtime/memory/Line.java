package dev.weir.runtime.memory;

import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Places for blocks on a line without an end: each goes to the smallest gap that it fits into, else
 * behind all others. Gaps that touch become one. It knows no memory, only offsets, so that memory
 * for a line can be got in one piece once it is known how much of it is needed.
 */
final class Line {
    /** By offset: how long each gap is. None of them touch, and none touches the end. */
    private final TreeMap<Long, Long> gaps = new TreeMap<>();
    private final Map<Long, Long> taken = new HashMap<>();
    /** Behind the last block. */
    private long end;
    /** The furthest end since it was asked for. */
    private long furthest;

    /**
     * Takes a block.
     *
     * @param size at least 1
     * @return where it begins
     */
    long take(long size) {
        long best = -1;
        long smallest = Long.MAX_VALUE;
        for (Map.Entry<Long, Long> gap : gaps.entrySet()) {
            if (gap.getValue() >= size && gap.getValue() < smallest) {
                best = gap.getKey();
                smallest = gap.getValue();
            }
        }
        if (best < 0) {
            best = end;
            end += size;
            furthest = Math.max(furthest, end);
        } else {
            gaps.remove(best);
            if (smallest > size) {
                gaps.put(best + size, smallest - size);
            }
        }
        taken.put(best, size);
        return best;
    }

    /**
     * Gives a block back.
     *
     * @param offset where it begins
     */
    void give(long offset) {
        Long size = taken.remove(offset);
        if (size == null) {
            throw new IllegalArgumentException("no block begins at " + offset);
        }
        long from = offset;
        long to = offset + size;
        Map.Entry<Long, Long> before = gaps.floorEntry(offset);
        if (before != null && before.getKey() + before.getValue() == offset) {
            from = before.getKey();
            gaps.remove(from);
        }
        Long behind = gaps.remove(to);
        if (behind != null) {
            to += behind;
        }
        if (to == end) {
            end = from;
        } else {
            gaps.put(from, to - from);
        }
    }

    boolean isEmpty() {
        return taken.isEmpty();
    }

    /** How much of the line was needed since this was asked last. */
    long furthest() {
        long result = furthest;
        furthest = end;
        return result;
    }
}
