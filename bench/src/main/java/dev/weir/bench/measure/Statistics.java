package dev.weir.bench.measure;

import java.util.Arrays;
import java.util.List;

/**
 * The middle of some numbers and how far they lie around it.
 *
 * @param median the middle one, or the mean of the two in the middle
 * @param lower the first quartile: a quarter of the numbers is smaller
 * @param upper the third quartile
 * @param least the smallest
 * @param most the largest
 * @param count how many numbers there were
 */
public record Statistics(
        double median, double lower, double upper, double least, double most, int count) {

    /**
     * Of at least one number, in any order.
     *
     * @throws IllegalArgumentException if there is none
     */
    public static Statistics of(List<Double> numbers) {
        if (numbers.isEmpty()) {
            throw new IllegalArgumentException("no number has no median");
        }
        double[] sorted = numbers.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return new Statistics(at(sorted, 0.5), at(sorted, 0.25), at(sorted, 0.75),
                sorted[0], sorted[sorted.length - 1], sorted.length);
    }

    /** Linear between the two numbers that lie around the place, as most tools do. */
    private static double at(double[] sorted, double share) {
        double place = share * (sorted.length - 1);
        int below = (int) Math.floor(place);
        int above = Math.min(below + 1, sorted.length - 1);
        return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
    }

    /** The width between the quartiles, as a share of the median. */
    public double spread() {
        return median == 0 ? 0 : (upper - lower) / Math.abs(median);
    }

    /**
     * How much faster one was than another, round by round: the statistics of the quotients of
     * {@code other} and {@code own}. What slows a whole round down falls out of it.
     *
     * @param own seconds of one, by round
     * @param other seconds of the other, by round
     */
    public static Statistics ratio(List<Double> own, List<Double> other) {
        if (own.size() != other.size()) {
            throw new IllegalArgumentException(own.size() + " rounds beside " + other.size());
        }
        Double[] quotients = new Double[own.size()];
        Arrays.setAll(quotients, i -> other.get(i) / own.get(i));
        return of(List.of(quotients));
    }
}
