package dev.weir.runtime.checkpoint;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * How many of a stored tensor's numbers are NaN or infinite. Weights are large and nearly always
 * sound, so that they are first looked at by the machine word, as many numbers at once as it holds.
 *
 * <p>A number is not finite if all bits of its exponent are set (IEEE 754, 3.4), and then only does
 * one unit more in the exponent carry into the sign, which is masked out before:
 *
 * <pre>
 * f16     0x7c00 + 0x0400 = 0x8000        0x7800 + 0x0400 = 0x7c00
 * </pre>
 *
 * f8e4m3 has no infinity, and its NaN has all bits but the sign set (Micikevicius et al.,
 * arXiv:2209.05433).
 *
 * @param name under which it is stored
 * @param path of the parameter that is read from it
 * @param elements how many numbers it has
 */
public record NotFinite(String name, String path, long nans, long infinities, long elements) {
    /** Bytes that one task looks at; a whole number of words. */
    private static final int BLOCK = 1 << 18;

    private static final ValueLayout.OfLong WORD = ValueLayout.JAVA_LONG_UNALIGNED;

    /** What a tensor of floats holds. */
    static NotFinite of(String name, String path, Tensor stored) {
        long bytes = stored.bytes();
        long blocks = (bytes + BLOCK - 1) / BLOCK;
        return LongStream.range(0, blocks).parallel()
                .mapToObj(b -> block(stored, b * BLOCK, Math.min(bytes, (b + 1) * BLOCK)))
                .reduce(new NotFinite(name, path, 0, 0, stored.elements()), NotFinite::plus);
    }

    public boolean isEmpty() {
        return nans == 0 && infinities == 0;
    }

    /** {@code 3 NaN and 1 infinite of 4096 numbers}. */
    public String text() {
        String kinds = Stream.of(
                        nans == 0 ? "" : nans + " NaN",
                        infinities == 0 ? "" : infinities + " infinite")
                .filter(kind -> !kind.isEmpty())
                .collect(Collectors.joining(" and "));
        return kinds + " of " + elements + " numbers";
    }

    private NotFinite plus(NotFinite other) {
        return new NotFinite(name, path,
                nans + other.nans, infinities + other.infinities, elements);
    }

    private static NotFinite block(Tensor stored, long from, long to) {
        int words = (int) ((to - from) / Long.BYTES);
        long rest = from + (long) words * Long.BYTES;
        boolean isSound = words == 0
                || isFinite(stored.memory().asSlice(from, rest - from), words, stored.format());
        return counted(stored, isSound ? rest : from, to);
    }

    private static boolean isFinite(MemorySegment memory, int words, Format format) {
        long exponent = exponent(format);
        long unit = exponent & -exponent;
        int width = format.bytes() * Byte.SIZE;
        for (int copied = width; copied < Long.SIZE; copied *= 2) {
            exponent |= exponent << copied;
            unit |= unit << copied;
        }
        long found = 0;
        for (int i = 0; i < words; i++) {
            found |= (memory.getAtIndex(WORD, i) & exponent) + unit;
        }
        // What is left of a sum that did not carry is within the exponent.
        return (found & ~(exponent | unit)) == 0;
    }

    /** The bits that are all set in what is not finite, and only there. */
    private static long exponent(Format format) {
        return switch (format) {
            case F64 -> 0x7ff0_0000_0000_0000L;
            case F32 -> 0x7f80_0000L;
            case BF16 -> 0x7f80L;
            case F16 -> 0x7c00L;
            case F8E5M2 -> 0x7cL;
            case F8E4M3 -> 0x7fL;
            case I64, I32, I8, BOOL -> throw new IllegalArgumentException("no floats: " + format);
        };
    }

    private static NotFinite counted(Tensor stored, long from, long to) {
        long nans = 0;
        long infinities = 0;
        int bytes = stored.format().bytes();
        for (long i = from / bytes; i < to / bytes; i++) {
            double value = stored.real(i);
            nans += Double.isNaN(value) ? 1 : 0;
            infinities += Double.isInfinite(value) ? 1 : 0;
        }
        return new NotFinite("", "", nans, infinities, 0);
    }
}
