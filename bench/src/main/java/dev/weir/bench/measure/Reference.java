package dev.weir.bench.measure;

/**
 * What a piece of work has to give, at some places of the result, computed in f64 by the plain
 * definition.
 *
 * @param places indices into the result
 * @param expected what stands there
 * @param tolerance largest error that is still taken for rounding
 */
public record Reference(int[] places, double[] expected, double tolerance) {

    /** The largest deviation, as a share of the largest expected magnitude; NaN if one is NaN. */
    public double error(float[] result) {
        double largest = 0;
        double deviation = 0;
        for (int i = 0; i < places.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            deviation = Math.max(deviation, Math.abs(result[places[i]] - expected[i]));
        }
        return deviation / largest;
    }

    /** Whether an error is no more than rounding. */
    public boolean accepts(double error) {
        return error <= tolerance;
    }
}
