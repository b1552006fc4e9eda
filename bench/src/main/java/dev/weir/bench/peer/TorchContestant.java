package dev.weir.bench.peer;

import dev.weir.bench.measure.Contestant;
import java.util.function.Supplier;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.Tensor;

/** Work that is written with libtorch's operators, one after the other, without gradients. */
public final class TorchContestant implements Contestant {
    private final String name;
    private final Supplier<Tensor> work;
    private final Runnable ending;

    /**
     * @param work gives the result; what it makes in between is freed behind it
     * @param ending is run when nobody uses the contestant any more
     */
    public TorchContestant(String name, int threads, Supplier<Tensor> work, Runnable ending) {
        this.name = name;
        this.work = work;
        this.ending = ending;
        Torch.threads(threads);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public boolean isPeer() {
        return true;
    }

    @Override
    public void run() {
        try (var _ = new PointerScope(); var _ = new InferenceMode(true)) {
            work.get();
        }
    }

    @Override
    public float[] result() {
        try (var _ = new PointerScope(); var _ = new InferenceMode(true)) {
            return floats(work.get());
        }
    }

    private static float[] floats(Tensor tensor) {
        Tensor dense = tensor.contiguous();
        float[] values = new float[Math.toIntExact(dense.numel())];
        new FloatPointer(dense.data_ptr_float()).get(values);
        return values;
    }

    @Override
    public void close() {
        ending.run();
    }
}
