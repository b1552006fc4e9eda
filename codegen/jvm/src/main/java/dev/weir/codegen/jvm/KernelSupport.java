package dev.weir.codegen.jvm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.util.Set;

/**
 * What generated code calls for the rare and the slow: faults, division, and masked accesses where
 * the processor has no masked instruction for the element's width.
 */
final class KernelSupport {

    /** All of memory, so that an offset is an address. */
    @SuppressWarnings("restricted")
    static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private static final VarHandle WORD = ValueLayout.JAVA_LONG.varHandle();

    /** Whether a barrier between loads is no instruction, only a word to the compiler. */
    static final boolean BARRIERS_ARE_FREE =
            Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));

    /** 1, which HotSpot does not know, as it is not final; for loops that it is not to count. */
    static long one = 1;

    private KernelSupport() {}

    /** Writes the fault record, unless another fault was there first. */
    static void fault(long record, int code, long value, long limit) {
        if (WORD.compareAndSet(MEMORY, record, 0L, 1L)) {
            MEMORY.set(ValueLayout.JAVA_LONG, record + 8, code);
            MEMORY.set(ValueLayout.JAVA_LONG, record + 16, value);
            MEMORY.set(ValueLayout.JAVA_LONG, record + 24, limit);
        }
    }

    /** The lowest {@code active} bits, at most {@code lanes} and at least none. */
    static long bits(long active, int lanes) {
        return (1L << Math.max(0, Math.min(active, lanes))) - 1;
    }

    /** As all back ends have it, a divisor 0 counts as 1. */
    static long divide(long left, long right) {
        return right == 0 ? left : left / right;
    }

    static int divide(int left, int right) {
        return right == 0 ? left : left / right;
    }

    static long remainder(long left, long right) {
        return right == 0 ? 0 : left % right;
    }

    static int remainder(int left, int right) {
        return right == 0 ? 0 : left % right;
    }

    /** Active lanes of one byte, the others 0. */
    static int[] load8(long address, int lanes, long active) {
        int[] values = new int[lanes];
        for (int i = 0; i < Math.min(lanes, active); i++) {
            values[i] = MEMORY.get(ValueLayout.JAVA_BYTE, address + i);
        }
        return values;
    }

    static int[] load16(long address, int lanes, long active) {
        int[] values = new int[lanes];
        for (int i = 0; i < Math.min(lanes, active); i++) {
            values[i] = MEMORY.get(ValueLayout.JAVA_SHORT_UNALIGNED, address + 2L * i) & 0xFFFF;
        }
        return values;
    }

    static int[] load32(long address, int lanes, long active) {
        int[] values = new int[lanes];
        for (int i = 0; i < Math.min(lanes, active); i++) {
            values[i] = MEMORY.get(ValueLayout.JAVA_INT_UNALIGNED, address + 4L * i);
        }
        return values;
    }

    static long[] load64(long address, int lanes, long active) {
        long[] values = new long[lanes];
        for (int i = 0; i < Math.min(lanes, active); i++) {
            values[i] = MEMORY.get(ValueLayout.JAVA_LONG_UNALIGNED, address + 8L * i);
        }
        return values;
    }

    static void store8(int[] values, long address, long active) {
        for (int i = 0; i < Math.min(values.length, active); i++) {
            MEMORY.set(ValueLayout.JAVA_BYTE, address + i, (byte) values[i]);
        }
    }

    static void store16(int[] values, long address, long active) {
        for (int i = 0; i < Math.min(values.length, active); i++) {
            MEMORY.set(ValueLayout.JAVA_SHORT_UNALIGNED, address + 2L * i, (short) values[i]);
        }
    }

    static void store32(int[] values, long address, long active) {
        for (int i = 0; i < Math.min(values.length, active); i++) {
            MEMORY.set(ValueLayout.JAVA_INT_UNALIGNED, address + 4L * i, values[i]);
        }
    }

    static void store64(long[] values, long address, long active) {
        for (int i = 0; i < Math.min(values.length, active); i++) {
            MEMORY.set(ValueLayout.JAVA_LONG_UNALIGNED, address + 8L * i, values[i]);
        }
    }
}
