package dev.weir.ir.type;

import java.util.Locale;
import java.util.Optional;

/**
 * How one element is stored. Arithmetic happens in the format's {@linkplain #compute() compute
 * format}: a bf16 value is widened to f32 when it is loaded and rounded when it is stored.
 */
public enum Format {
    /** IEEE 754 binary64. */
    F64(8),
    /** IEEE 754 binary32. */
    F32(4),
    /** The upper half of a binary32: 8 exponent bits, 7 stored fraction bits. */
    BF16(2),
    /** IEEE 754 binary16. */
    F16(2),
    /** One byte: 4 exponent bits, 3 stored fraction bits, no infinity ({@link Float8}). */
    F8E4M3(1),
    /** One byte: 5 exponent bits, 2 stored fraction bits ({@link Float8}). */
    F8E5M2(1),
    /** Two's complement, 64 bits; what the language calls {@code int}. */
    I64(8),
    /** Two's complement, 32 bits. */
    I32(4),
    /** Two's complement, 8 bits. */
    I8(1),
    /** One byte, 0 or 1. */
    BOOL(1);

    private final int bytes;

    Format(int bytes) {
        this.bytes = bytes;
    }

    /** Size of one stored element in bytes. */
    public int bytes() {
        return bytes;
    }

    public boolean isFloat() {
        return this == F64 || this == F32 || isNarrowFloat();
    }

    /** Whether it is a float that is widened to f32 when it is loaded. */
    public boolean isNarrowFloat() {
        return this == BF16 || this == F16 || this == F8E4M3 || this == F8E5M2;
    }

    public boolean isInteger() {
        return this == I64 || this == I32 || this == I8;
    }

    /** The format in which a value of this one is calculated with. */
    public Format compute() {
        return isNarrowFloat() ? F32 : this == I8 ? I32 : this;
    }

    /** The name that users write: {@code f32}, {@code bf16}, {@code i64}, {@code bool}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    public static Optional<Format> named(String word) {
        for (Format format : values()) {
            if (format.word().equals(word)) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }

    /**
     * The value that storing {@code value} in this format and loading it again gives: round to
     * nearest, ties to even, for floats; wrapping for integers.
     */
    public double round(double value) {
        return switch (this) {
            case F64, I64 -> value;
            case F32 -> (float) value;
            case BF16 -> bf16ToFloat(floatToBf16((float) value));
            case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) value));
            case F8E4M3 -> Float8.e4m3ToFloat(Float8.floatToE4m3((float) value));
            case F8E5M2 -> Float8.e5m2ToFloat(Float8.floatToE5m2((float) value));
            case I32 -> (int) (long) value;
            case I8 -> (byte) (long) value;
            case BOOL -> value != 0 ? 1 : 0;
        };
    }

    /** The whole number that storing {@code value} in this integer format leaves: it wraps. */
    public long wrap(long value) {
        return switch (this) {
            case I32 -> (int) value;
            case I8 -> (byte) value;
            default -> value;
        };
    }

    /** Rounds to nearest, ties to even; a NaN stays a (quiet) NaN. */
    public static short floatToBf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (value != value) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
    }

    public static float bf16ToFloat(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }
}
