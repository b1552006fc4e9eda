package dev.weir.bench.peer;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;

/** {@code y[m, n] = sum[k] x[m, k] * w[n, k]} by OpenBLAS, which has no packed weights. */
public final class OpenBlasContraction implements Contestant {
    private final Tensor input;
    private final Tensor weights;
    private final Tensor output;
    private final int m;
    private final int n;
    private final int k;

    /**
     * @param input m rows of k
     * @param weights n rows of k
     */
    public OpenBlasContraction(Tensor input, Tensor weights, int threads) {
        this.input = input;
        this.weights = weights;
        m = Math.toIntExact(input.shape()[0]);
        k = Math.toIntExact(input.shape()[1]);
        n = Math.toIntExact(weights.shape()[0]);
        output = Tensor.zeros(Format.F32, m, n);
        OpenBlas.threads(threads);
    }

    @Override
    public String name() {
        return "OpenBLAS";
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void run() {
        OpenBlas.contract(m, n, k, input.memory(), weights.memory(), output.memory());
    }

    @Override
    public float[] result() {
        run();
        return Weights.floats(output);
    }

    @Override
    public void close() {
        // Its memory is the collector's.
    }
}
