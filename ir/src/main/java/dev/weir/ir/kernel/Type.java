package dev.weir.ir.kernel;

import java.util.Locale;

/**
 * The type of an expression: an element type and how many lanes. One lane is a scalar.
 *
 * @param element what a lane holds
 * @param lanes a power of two, at least 1
 */
public record Type(Element element, int lanes) {

    /** What a register lane can hold. Narrower formats exist in memory only. */
    public enum Element {
        F64,
        F32,
        I64,
        I32,
        BOOL;

        public boolean isFloat() {
            return this == F64 || this == F32;
        }

        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    public static final Type F64 = new Type(Element.F64, 1);
    public static final Type F32 = new Type(Element.F32, 1);
    public static final Type I64 = new Type(Element.I64, 1);
    public static final Type I32 = new Type(Element.I32, 1);
    public static final Type BOOL = new Type(Element.BOOL, 1);

    public Type {
        if (lanes < 1 || Integer.bitCount(lanes) != 1) {
            throw new IllegalArgumentException("lanes " + lanes);
        }
    }

    public boolean isScalar() {
        return lanes == 1;
    }

    public Type withElement(Element other) {
        return new Type(other, lanes);
    }

    public Type withLanes(int count) {
        return new Type(element, count);
    }

    @Override
    public String toString() {
        return lanes == 1 ? element.word() : element.word() + "x" + lanes;
    }
}
