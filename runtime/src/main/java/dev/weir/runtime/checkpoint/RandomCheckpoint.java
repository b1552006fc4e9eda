package dev.weir.runtime.checkpoint;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Format;
import dev.weir.runtime.memory.Tensor;
import java.lang.foreign.Arena;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.random.RandomGenerator;

/**
 * Weights for a program without a checkpoint, to measure it by: random numbers in the format that
 * each parameter has, so small that values neither grow nor vanish on their way through. What a
 * parameter gets depends on the seed, its path and its range only. Whole numbers are evenly
 * distributed below what the program uses them as an index into; where it does not, they stay 0, as
 * truths do. Close it when nobody uses its tensors any more.
 */
public final class RandomCheckpoint implements AutoCloseable {
    /** Their memory, unlike that of {@link Tensor#zeros}, may be more than the Java heap. */
    private final Map<Parameter, Arena> arenas = new HashMap<>();

    private final long seed;
    private final Map<String, Long> ranges;

    public RandomCheckpoint(long seed) {
        this(seed, Map.of());
    }

    /**
     * @param ranges what lies above the whole numbers of a parameter, by its path; at least 1
     */
    public RandomCheckpoint(long seed, Map<String, Long> ranges) {
        this.seed = seed;
        this.ranges = Map.copyOf(ranges);
    }

    /** A tensor for every instance of every parameter. */
    public Map<Parameter, List<Tensor>> bind(List<Parameter> parameters) {
        return bind(parameters, count -> { });
    }

    /**
     * As {@link #bind(List)}, which takes a while where there are billions.
     *
     * @param done is told before each parameter how many are bound
     */
    public Map<Parameter, List<Tensor>> bind(List<Parameter> parameters, IntConsumer done) {
        Map<Parameter, List<Tensor>> bound = new HashMap<>();
        for (Parameter parameter : parameters) {
            done.accept(bound.size());
            bound.put(parameter, instances(parameter));
        }
        return bound;
    }

    private List<Tensor> instances(Parameter parameter) {
        Format format = Checkpoint.floats(parameter);
        int count = Checkpoint.instances(parameter).size();
        long[] own = parameter.storedShape();
        var random = new SplittableRandom(31 * seed + parameter.path().hashCode());
        if (parameter.part().isPresent()) {
            return random.splits(count)
                    .map(r -> Quantiser.part(parameter, filled(Tensor.zeros(format, own), r)))
                    .toList();
        }
        if (ranges.containsKey(parameter.path())) {
            long above = ranges.get(parameter.path());
            return random.splits(count)
                    .map(r -> below(above, Tensor.zeros(format, own), r)).toList();
        }
        Arena arena = arenas.computeIfAbsent(parameter, p -> Arena.ofShared());
        return random.splits(count).toList().parallelStream()
                .map(r -> filled(empty(arena, format, own), r))
                .toList();
    }

    private static Tensor empty(Arena arena, Format format, long[] shape) {
        long bytes = Math.multiplyExact(Tensor.count(shape), format.bytes());
        return new Tensor(format, shape, arena.allocate(bytes + 64, 64));
    }

    private static Tensor below(long above, Tensor tensor, RandomGenerator random) {
        for (long i = 0, elements = tensor.elements(); i < elements; i++) {
            tensor.setWhole(i, random.nextLong(above));
        }
        return tensor;
    }

    /** Evenly distributed, of variance 1/n where the last axis has n elements. */
    private static Tensor filled(Tensor tensor, RandomGenerator random) {
        long[] shape = tensor.shape();
        if (tensor.format().isFloat()) {
            double range = Math.sqrt(3.0 / (shape.length == 0 ? 1 : shape[shape.length - 1]));
            for (long i = 0, elements = tensor.elements(); i < elements; i++) {
                tensor.setReal(i, (2 * random.nextDouble() - 1) * range);
            }
        }
        return tensor;
    }

    /** Frees the tensors of a parameter that nobody reads any more. */
    public void release(Parameter parameter) {
        Arena arena = arenas.remove(parameter);
        if (arena != null) {
            arena.close();
        }
    }

    @Override
    public void close() {
        arenas.values().forEach(Arena::close);
        arenas.clear();
    }
}
