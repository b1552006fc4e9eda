package dev.weir.cli;

import java.util.Arrays;

/**
 * The middle of some numbers and how far they lie around it: one that was disturbed moves neither.
 *
 * @param lower a quarter of the numbers is smaller
 * @param median the one in the middle, or the mean of the two there
 * @param upper a quarter of the numbers is larger
 */
record Quartiles(double lower, double median, double upper) {

    /** Of at least one number, in any order. */
    static Quartiles of(double[] numbers) {
        double[] sorted = numbers.clone();
        Arrays.sort(sorted);
        return new Quartiles(at(sorted, 0.25), at(sorted, 0.5), at(sorted, 0.75));
    }

    /** Linear between the two numbers that lie around the place. */
    private static double at(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) place;
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** The width between the quartiles, as a share of the median. */
    double spread() {
        return (upper - lower) / median;
    }
}
