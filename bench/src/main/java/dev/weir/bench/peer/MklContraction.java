package dev.weir.bench.peer;

import static org.bytedeco.mkl.global.mkl_rt.CblasBMatrix;
import static org.bytedeco.mkl.global.mkl_rt.CblasNoTrans;
import static org.bytedeco.mkl.global.mkl_rt.CblasPacked;
import static org.bytedeco.mkl.global.mkl_rt.CblasRowMajor;
import static org.bytedeco.mkl.global.mkl_rt.CblasTrans;
import static org.bytedeco.mkl.global.mkl_rt.cblas_sgemm;
import static org.bytedeco.mkl.global.mkl_rt.cblas_sgemm_compute;
import static org.bytedeco.mkl.global.mkl_rt.cblas_sgemm_pack;
import static org.bytedeco.mkl.global.mkl_rt.cblas_sgemm_pack_get_size;

import dev.weir.bench.engine.Weights;
import dev.weir.bench.measure.Contestant;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.util.Optional;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.mkl.global.mkl_rt;

/** The same product by MKL, with the weights packed beforehand or as they are. */
public final class MklContraction implements Contestant {
    private final Tensor output;
    private final FloatPointer x;
    private final FloatPointer w;
    private final FloatPointer y;
    private final Optional<FloatPointer> packed;
    private final int m;
    private final int n;
    private final int k;

    /**
     * @param input m rows of k
     * @param weights n rows of k
     * @param pack whether weights are packed beforehand
     */
    public MklContraction(Tensor input, Tensor weights, int threads, boolean pack) {
        m = Math.toIntExact(input.shape()[0]);
        k = Math.toIntExact(input.shape()[1]);
        n = Math.toIntExact(weights.shape()[0]);
        mkl_rt.MKL_Set_Num_Threads(threads);
        output = Tensor.zeros(Format.F32, m, n);
        x = Pointers.floats(input);
        w = Pointers.floats(weights);
        y = Pointers.floats(output);
        packed = pack ? Optional.of(packed()) : Optional.empty();
    }

    private FloatPointer packed() {
        long bytes = cblas_sgemm_pack_get_size(CblasBMatrix, m, n, k);
        FloatPointer memory = new FloatPointer(bytes / Float.BYTES + 16);
        cblas_sgemm_pack(CblasRowMajor, CblasBMatrix, CblasTrans, m, n, k, 1, w, k, memory);
        return memory;
    }

    @Override
    public String name() {
        return packed.isPresent() ? "MKL packed" : "MKL";
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void run() {
        if (packed.isPresent()) {
            cblas_sgemm_compute(CblasRowMajor, CblasNoTrans, CblasPacked, m, n, k,
                    x, k, packed.get(), k, 0, y, n);
        } else {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1,
                    x, k, w, k, 0, y, n);
        }
    }

    @Override
    public float[] result() {
        run();
        return Weights.floats(output);
    }

    @Override
    public void close() {
        packed.ifPresent(FloatPointer::close);
        x.close();
        w.close();
        y.close();
    }
}
