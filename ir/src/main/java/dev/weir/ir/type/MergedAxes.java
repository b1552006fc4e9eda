package dev.weir.ir.type;

/** Shapes that have the same elements in the same order. */
public final class MergedAxes {
    private MergedAxes() {}

    /** Whether neighbouring axes of {@code own} multiply to those of {@code stored}. */
    public static boolean fit(long[] own, long[] stored) {
        int at = 0;
        for (long size : stored) {
            long product = 1;
            while (at < own.length && (product < size || own[at] == 1)) {
                product *= own[at++];
            }
            if (product != size) {
                return false;
            }
        }
        while (at < own.length && own[at] == 1) {
            at++;
        }
        return at == own.length;
    }
}
