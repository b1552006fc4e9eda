package dev.weir.ir.type;

/**
 * Floats of one byte, after "OCP 8-bit Floating Point Specification (OFP8)", revision 1.0, with
 * saturating conversion: what is larger than the largest number becomes that number, infinity too.
 * A NaN stays one. Rounding is to nearest, ties to even.
 */
public final class Float8 {
    /** The largest f8e4m3. */
    public static final float LARGEST_E4M3 = 448;
    /** The largest finite f8e5m2. */
    public static final float LARGEST_E5M2 = 57344;

    private Float8() {}

    public static float e4m3ToFloat(byte bits) {
        if ((bits & 0x7F) == 0x7F) {
            return Float.NaN;
        }
        float magnitude = Float.intBitsToFloat((bits & 0x7F) << 20) * 0x1p120f;
        return bits < 0 ? -magnitude : magnitude;
    }

    public static byte floatToE4m3(float value) {
        return narrow(value, LARGEST_E4M3, 3, 0x1p-6f, 0x1p14f, 0x7F);
    }

    public static float e5m2ToFloat(byte bits) {
        return Float.float16ToFloat((short) (bits << 8));
    }

    public static byte floatToE5m2(float value) {
        return narrow(value, LARGEST_E5M2, 2, 0x1p-14f, 0x1p7f, 0x7E);
    }

    /**
     * @param fraction how many fraction bits are stored
     * @param normal the least normal number
     * @param step what to add for a sum whose last place is the least number of all
     */
    private static byte narrow(
            float value, float largest, int fraction, float normal, float step, int nan) {
        int sign = Float.floatToRawIntBits(value) >>> 24 & 0x80;
        if (value != value) {
            return (byte) (sign | nan);
        }
        float magnitude = Math.min(Math.abs(value), largest);
        if (magnitude < normal) {
            int bits = Float.floatToRawIntBits(magnitude + step) - Float.floatToRawIntBits(step);
            return (byte) (sign | bits);
        }
        int dropped = 23 - fraction;
        int bits = Float.floatToRawIntBits(magnitude);
        int rounded = bits + (1 << dropped - 1) - 1 + (bits >>> dropped & 1) >>> dropped;
        int bias = Float.floatToRawIntBits(normal) - (1 << 23) >>> dropped;
        return (byte) (sign | rounded - bias);
    }
}
