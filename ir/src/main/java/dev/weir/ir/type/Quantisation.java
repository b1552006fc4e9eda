package dev.weir.ir.type;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How floats are kept as small whole numbers, the <em>codes</em>, with a scale for each group of
 * neighbours along the last axis: {@code value = (code - zero) · scale}. Rounding is simple: the
 * scale of a group is what its largest magnitude needs, and each code is the nearest.
 *
 * <p>Codes lie in {@code -limit..limit}, where {@code limit = 2^(bits-1) - 1}. With zero points
 * they take all of {@code -limit-1..limit}, and each group has a zero, a code that means 0. Codes
 * of less than 8 bits share a byte, the first in the lowest bits. Scales are f16.
 *
 * @param bits 8, 4 or 2
 * @param group how many neighbours have a scale in common; the whole last axis if it is not said
 * @param zeroPoint whether each group has a zero point
 */
public record Quantisation(int bits, OptionalLong group, boolean zeroPoint) {
    private static final Pattern WORD =
            Pattern.compile("int([248])(?:\\((?:group: (\\d+))?(?:, )?(zero_point: true)?\\))?");

    public Quantisation {
        if (bits != 8 && bits != 4 && bits != 2) {
            throw new IllegalArgumentException("codes of " + bits + " bits");
        }
        if (group.isPresent() && group.getAsLong() < 1) {
            throw new IllegalArgumentException("groups of " + group.getAsLong());
        }
    }

    /** The widths that there are, as users write them. */
    public static Optional<Integer> bits(String word) {
        return switch (word) {
            case "int8" -> Optional.of(8);
            case "int4" -> Optional.of(4);
            case "int2" -> Optional.of(2);
            default -> Optional.empty();
        };
    }

    /** What {@link #toString} wrote. */
    public static Optional<Quantisation> parse(String text) {
        Matcher matcher = WORD.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        try {
            OptionalLong group = matcher.group(2) == null
                    ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(matcher.group(2)));
            return Optional.of(new Quantisation(
                    Integer.parseInt(matcher.group(1)), group, matcher.group(3) != null));
        } catch (IllegalArgumentException outOfRange) {
            return Optional.empty();
        }
    }

    public int codesPerByte() {
        return 8 / bits;
    }

    /** The largest code. */
    public int limit() {
        return (1 << bits - 1) - 1;
    }

    /** How many elements of a row of {@code length} have a scale in common. */
    public long group(long length) {
        return Math.max(1, Math.min(length, group.orElse(length)));
    }

    /** How many scales a row of {@code length} elements has; the last group may be shorter. */
    public long groups(long length) {
        return (length + group(length) - 1) / group(length);
    }

    /** How many bytes the codes of a row of {@code length} elements take. */
    public long codeBytes(long length) {
        return (length + codesPerByte() - 1) / codesPerByte();
    }

    /**
     * One group, rounded.
     *
     * @param scale an f16
     * @param zero the code that means 0; 0 without zero points
     * @param codes one for each value
     */
    public record Group(float scale, int zero, int[] codes) {
        /** The value that is left of one. */
        public float value(int index) {
            return (codes[index] - zero) * scale;
        }
    }

    /** Rounds a group. A group with a NaN or an infinity in it has a scale that says so. */
    public Group round(double[] values) {
        double low = 0;
        double high = 0;
        for (double value : values) {
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        double range = zeroPoint ? high - low : Math.max(high, -low);
        int steps = zeroPoint ? 2 * limit() + 1 : limit();
        float scale = (float) Format.F16.round(range / steps);
        int least = zeroPoint ? -limit() - 1 : -limit();
        int zero = zeroPoint && scale > 0 ? code(-low / scale, least, least) : 0;
        int[] codes = new int[values.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = scale > 0 ? code(values[i] / scale, zero, least) : zero;
        }
        return new Group(scale, zero, codes);
    }

    /** The scales of a row, f16 numbers. */
    public float[] scales(double[] row) {
        float[] scales = new float[(int) groups(row.length)];
        for (int g = 0; g < scales.length; g++) {
            scales[g] = round(group(row, g)).scale();
        }
        return scales;
    }

    /** The zero points of a row, one for each scale. */
    public byte[] zeros(double[] row) {
        byte[] zeros = new byte[(int) groups(row.length)];
        for (int g = 0; g < zeros.length; g++) {
            zeros[g] = (byte) round(group(row, g)).zero();
        }
        return zeros;
    }

    /** The codes of a row, as they are kept. */
    public byte[] codes(double[] row) {
        byte[] bytes = new byte[(int) codeBytes(row.length)];
        int mask = (1 << bits) - 1;
        int element = 0;
        for (int g = 0; g < groups(row.length); g++) {
            for (int code : round(group(row, g)).codes()) {
                int shift = element % codesPerByte() * bits;
                bytes[element / codesPerByte()] |= (byte) ((code & mask) << shift);
                element++;
            }
        }
        return bytes;
    }

    /** What is left of a row's values. */
    public float[] values(double[] row) {
        float[] values = new float[row.length];
        int at = 0;
        for (int g = 0; g < groups(row.length); g++) {
            Group rounded = round(group(row, g));
            for (int i = 0; i < rounded.codes().length; i++) {
                values[at++] = rounded.value(i);
            }
        }
        return values;
    }

    private double[] group(double[] row, int number) {
        int size = (int) group(row.length);
        return Arrays.copyOfRange(row, number * size, Math.min(row.length, (number + 1) * size));
    }

    private int code(double steps, int zero, int least) {
        return (int) Math.clamp(Math.rint(steps) + zero, least, limit());
    }

    /** What users write: {@code int8}, {@code int4(group: 32, zero_point: true)}. */
    @Override
    public String toString() {
        List<String> settings = new ArrayList<>();
        group.ifPresent(g -> settings.add("group: " + g));
        if (zeroPoint) {
            settings.add("zero_point: true");
        }
        return "int" + bits + (settings.isEmpty() ? "" : "(" + String.join(", ", settings) + ")");
    }
}
