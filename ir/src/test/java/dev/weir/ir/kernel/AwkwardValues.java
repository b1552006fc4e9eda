package dev.weir.ir.kernel;

import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Values at which implementations differ, laid out so that two operands meet in all pairs. */
final class AwkwardValues {

    /** Special values of each format. */
    static final int COUNT = 64;

    /** Elements of a buffer: all pairs. */
    static final int ELEMENTS = COUNT * COUNT;

    private static final double[] REALS = {
        Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1, -1, 0.5,
        -0.5, 1.5, 2.5, -2.5, 0.1, -0.1, 3.1415926, Float.MIN_VALUE, -Float.MIN_VALUE,
        Float.MIN_NORMAL, -Float.MIN_NORMAL, 0x0.fffffep-126, Float.MAX_VALUE, -Float.MAX_VALUE,
        0x1p31, -0x1p31, 0x1.fffffep30, 0x1p63, -0x1p63, 0x1p64, 1e10, -1e10,
        // Halfway between neighbours of bf16, the lower one even and odd; then beyond the largest.
        1 + 0x1p-8, 1 + 0x3p-8, -1 - 0x3p-8, 0x1.fep127, 0x1.ffp127,
        // The same of f16, and around its smallest.
        1 + 0x1p-11, 1 + 0x3p-11, 65504, 65519, 65520, -65536, 0x1p-24, 0x1p-25, 0x1.8p-25,
        0x1.8p-24, 0x1.ffcp-15, 0x1p23, -8388609.5,
        // The same of f8e4m3 and f8e5m2.
        1 + 0x1p-4, -1 - 0x3p-4, 448, 464, -480, 0x1p-9, 0x1p-10, 0x1.8p-10, 0x1.8p-9,
        0x1.fp-7, 1 + 0x1p-3, 1 + 0x3p-3, 57344, -61440, 0x1p-17, 0x1.8p-16
    };

    private static final long[] WHOLES = {
        0, 1, -1, 2, -2, 3, 7, -7, 31, 32, 33, 63, 64, 65, 100, -100, Integer.MIN_VALUE,
        Integer.MAX_VALUE, Integer.MIN_VALUE + 1, 1 << 30, 0x7FFFFFFFL + 1, -0x80000001L,
        0x100000000L, 0x1000001L, 0x7FFFFFBFL, Long.MIN_VALUE, Long.MAX_VALUE, Long.MIN_VALUE + 1,
        0x20000000000001L, 0x3FFFFFFFFFFFFFFFL, 12345, -98765
    };

    private AwkwardValues() {}

    /**
     * Fills a buffer. With {@code slow}, special values follow each other slowly, otherwise
     * quickly, so that a slow and a quick buffer together hold all pairs.
     */
    static void fill(MemorySegment memory, Format format, boolean slow) {
        Random random = new Random(7);
        long[] specials = new long[COUNT];
        for (int i = 0; i < COUNT; i++) {
            specials[i] = special(format, i, random);
        }
        long elements = memory.byteSize() / format.bytes();
        for (long i = 0; i < elements; i++) {
            int which = (int) (slow ? i / COUNT : i) % COUNT;
            write(memory, format, i, specials[which]);
        }
    }

    private static long special(Format format, int index, Random random) {
        return switch (format) {
            case F64 -> Double.doubleToRawLongBits(REALS[index]);
            case F32 -> Float.floatToRawIntBits((float) REALS[index]);
            case BF16 -> Format.floatToBf16((float) REALS[index]);
            case F16 -> Float.floatToFloat16((float) REALS[index]);
            case I64 -> index < WHOLES.length ? WHOLES[index] : random.nextLong();
            case I32 -> index < WHOLES.length ? (int) WHOLES[index] : random.nextInt();
            case F8E4M3 -> Float8.floatToE4m3((float) REALS[index]);
            case F8E5M2 -> Float8.floatToE5m2((float) REALS[index]);
            case I8 -> index < WHOLES.length ? (byte) WHOLES[index] : (byte) random.nextInt();
            case BOOL -> random.nextInt(2);
        };
    }

    private static void write(MemorySegment memory, Format format, long index, long bits) {
        long offset = index * format.bytes();
        switch (format.bytes()) {
            case 8 -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, offset, bits);
            case 4 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, offset, (int) bits);
            case 2 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, offset, (short) bits);
            default -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) bits);
        }
    }
}
