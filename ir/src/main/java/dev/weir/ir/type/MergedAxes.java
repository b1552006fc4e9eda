package dev.weir.ir.type;

import java.util.Arrays;

/** Shapes that have the same elements in the same order. */
public final class MergedAxes {
    private MergedAxes() {}

    /**
     * Whether neighbouring axes of {@code own} multiply to those of {@code stored}. Shapes without
     * elements are alike: there is nothing whose order could differ.
     */
    public static boolean fit(long[] own, long[] stored) {
        if (isEmpty(own) || isEmpty(stored)) {
            return isEmpty(own) && isEmpty(stored);
        }
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

    private static boolean isEmpty(long[] shape) {
        return Arrays.stream(shape).anyMatch(size -> size == 0);
    }
}
