package dev.weir.bench.peer;

import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/**
 * Weir's tensors as libtorch has them, and what this libtorch is. Its JavaCPP build calls OpenBLAS
 * for matrix products, whose threads and libtorch's own get into each other's way. So it gets MKL,
 * with the threads that libtorch has, as in the packages that most people install: it looks
 * {@code sgemm_} up by name when it first needs it. {@code WEIR_BENCH_TORCH=openblas} leaves it as
 * it was built.
 */
public final class Torch {
    private static final int GNU_THREADS = 3;

    static {
        Loader.load(torch.class);
        if (!"openblas".equals(System.getenv("WEIR_BENCH_TORCH"))) {
            mkl_rt.MKL_Set_Threading_Layer(GNU_THREADS);
            // The first product makes its symbols visible to all.
            mkl_rt.cblas_sgemm(mkl_rt.CblasRowMajor, mkl_rt.CblasNoTrans, mkl_rt.CblasNoTrans,
                    1, 1, 1, 1, new float[1], 1, new float[1], 1, 0, new float[1], 1);
        }
    }

    private Torch() {}

    /** How many threads each operator may use from now on. */
    public static void threads(int count) {
        torch.set_num_threads(count);
    }

    /** An f32 tensor, or one of i64: the same memory, which has to outlive it. */
    public static org.bytedeco.pytorch.Tensor of(Tensor tensor) {
        return switch (tensor.format()) {
            case F32 -> torch.from_blob(Pointers.floats(tensor), tensor.shape());
            case I64 -> torch.from_blob(Pointers.longs(tensor), tensor.shape(),
                    new TensorOptions(torch.ScalarType.Long));
            default -> throw new IllegalArgumentException("no tensor of " + tensor.format());
        };
    }

    /** Its version, and whose matrix products it calls: that of its build, unless MKL is loaded. */
    static String version() {
        String products = maps().contains("libmkl_core") ? "MKL" : "OpenBLAS";
        return torch.TORCH_VERSION + ", its matrix products by " + products;
    }

    private static String maps() {
        try {
            return Files.readString(Path.of("/proc/self/maps"));
        } catch (IOException e) {
            return "";
        }
    }
}
