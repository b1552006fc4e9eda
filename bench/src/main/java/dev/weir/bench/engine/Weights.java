package dev.weir.bench.engine;

import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Random tensors by name, the same memory for every contestant that asks for a name: what a tensor
 * holds depends on its name only. Close it when nobody uses the tensors any more.
 */
public final class Weights implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Map<String, Tensor> tensors = new TreeMap<>();

    /** An f32 tensor, evenly distributed, of variance 1/n where its last axis has n elements. */
    public Tensor get(String name, long... shape) {
        return get(name, Format.F32, shape);
    }

    /**
     * A tensor of a format.
     *
     * @throws IllegalArgumentException if the name was used for another format or number
     */
    public Tensor get(String name, Format format, long... shape) {
        Tensor tensor = tensors.computeIfAbsent(name, n -> make(n, format, shape));
        if (tensor.format() != format || tensor.elements() != Tensor.count(shape)) {
            throw new IllegalArgumentException(name + " is " + tensor + ", not "
                    + format.word() + Arrays.toString(shape));
        }
        return new Tensor(format, shape, tensor.memory());
    }

    private Tensor make(String name, Format format, long... shape) {
        long bytes = Math.multiplyExact(Tensor.count(shape), format.bytes());
        Tensor tensor = new Tensor(format, shape, arena.allocate(bytes + 64, 64));
        var random = new SplittableRandom(name.hashCode());
        double range = Math.sqrt(3.0 / shape[shape.length - 1]);
        for (long i = 0, count = tensor.elements(); i < count; i++) {
            tensor.setReal(i, (2 * random.nextDouble() - 1) * range);
        }
        return tensor;
    }

    /** Elements from one on, as the reference needs them. */
    public static float[] floats(Tensor tensor, long from, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) tensor.real(from + i);
        }
        return values;
    }

    /** All elements. */
    public static float[] floats(Tensor tensor) {
        return floats(tensor, 0, Math.toIntExact(tensor.elements()));
    }

    @Override
    public void close() {
        arena.close();
    }
}
