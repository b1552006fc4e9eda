package dev.weir.bench.peer;

import dev.weir.runtime.memory.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Weir's tensors as libtorch has them, and what this libtorch is. */
public final class Torch {
    private Torch() {}

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
        int threads = torch.get_num_threads();
        String products = maps().contains("libmkl_") ? "MKL" : "OpenBLAS";
        return torch.TORCH_VERSION + ", its matrix products by " + products + ", " + threads
                + " threads by default";
    }

    private static String maps() {
        try {
            return Files.readString(Path.of("/proc/self/maps"));
        } catch (IOException e) {
            return "";
        }
    }
}
