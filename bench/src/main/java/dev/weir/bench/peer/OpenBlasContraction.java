package dev.weir.bench.peer;

import static org.bytedeco.openblas.global.openblas_nolapack.CblasNoTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasRowMajor;
import static org.bytedeco.openblas.global.openblas_nolapack.CblasTrans;
import static org.bytedeco.openblas.global.openblas_nolapack.cblas_sgemm;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.openblas.global.openblas_nolapack;

/** {@code y[m, n] = sum[k] x[m, k] * w[n, k]} by OpenBLAS, which has no packed weights. */
public final class OpenBlasContraction implements Contestant {
    private final Tensor output;
    private final FloatPointer x;
    private final FloatPointer w;
    private final FloatPointer y;
    private final int m;
    private final int n;
    private final int k;

    /**
     * @param input m rows of k
     * @param weights n rows of k
     */
    public OpenBlasContraction(Tensor input, Tensor weights, int threads) {
        m = Math.toIntExact(input.shape()[0]);
        k = Math.toIntExact(input.shape()[1]);
        n = Math.toIntExact(weights.shape()[0]);
        openblas_nolapack.blas_set_num_threads(threads);
        output = Tensor.zeros(Format.F32, m, n);
        x = Pointers.floats(input);
        w = Pointers.floats(weights);
        y = Pointers.floats(output);
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
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1, x, k, w, k, 0, y, n);
    }

    @Override
    public float[] result() {
        run();
        return Weights.floats(output);
    }

    @Override
    public void close() {
        x.close();
        w.close();
        y.close();
    }
}
