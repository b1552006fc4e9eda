package dev.weir.bench.row;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Reference;
import dev.weir.runtime.memory.Tensor;
import java.util.function.BiConsumer;
import java.util.stream.LongStream;

/** References of work that maps each token by itself. */
final class References {
    private static final double TOLERANCE = 1e-5;

    private References() {}

    /**
     * All elements of some tokens: the first two and the last.
     *
     * @param x a row for each token
     * @param width elements of a token's result
     * @param definition adds a token's result to a sum
     */
    static Reference of(Tensor x, long width, BiConsumer<float[], double[]> definition) {
        long tokens = x.shape()[0];
        int in = Math.toIntExact(x.elements() / tokens);
        int out = Math.toIntExact(width);
        long[] chosen = LongStream.of(0, 1, tokens - 1)
                .filter(t -> t < tokens).distinct().toArray();
        int[] places = new int[chosen.length * out];
        double[] expected = new double[places.length];
        for (int i = 0; i < chosen.length; i++) {
            double[] y = new double[out];
            definition.accept(Weights.floats(x, chosen[i] * in, in), y);
            for (int d = 0; d < out; d++) {
                places[i * out + d] = Math.toIntExact(chosen[i] * out + d);
                expected[i * out + d] = y[d];
            }
        }
        return new Reference(places, expected, TOLERANCE);
    }
}
