package dev.weir.testkit;

import dev.weir.ir.tensor.IndexRanges;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.Quantiser;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Weights for models without a checkpoint: small enough that nothing saturates. */
public final class RandomWeights {
    private RandomWeights() {}

    /** Of a program, whose whole numbers are indices where it uses them so. */
    static Map<Parameter, List<Tensor>> of(TensorProgram program, long seed) {
        return of(program.parameters(), seed, IndexRanges.of(List.of(program)));
    }

    public static Map<Parameter, List<Tensor>> of(List<Parameter> parameters, long seed) {
        return of(parameters, seed, Map.of());
    }

    /**
     * @param ranges what lies above the whole numbers of a parameter, by its path
     */
    public static Map<Parameter, List<Tensor>> of(
            List<Parameter> parameters, long seed, Map<String, Long> ranges) {
        Map<Parameter, List<Tensor>> weights = new LinkedHashMap<>();
        Random random = new Random(seed);
        for (Parameter parameter : parameters) {
            List<Size> shape = parameter.value().type().shape();
            long instances = product(shape.subList(0, parameter.instanceAxes()));
            long[] own = parameter.storedShape();
            double scale = 1.5 / Math.sqrt(own.length == 0 ? 1 : own[own.length - 1]);
            if (parameter.part().isPresent()) {
                // All parts are made of the same floats.
                random = new Random(seed + parameter.path().hashCode());
            }
            List<Tensor> all = new ArrayList<>();
            for (long i = 0; i < instances; i++) {
                Tensor tensor = Tensor.zeros(parameter.part().isPresent()
                        ? Format.F32 : parameter.value().type().format(), own);
                for (long e = 0; e < tensor.elements(); e++) {
                    if (ranges.containsKey(parameter.path())) {
                        tensor.setWhole(e, random.nextLong(ranges.get(parameter.path())));
                        continue;
                    }
                    tensor.setReal(e, random.nextGaussian() * scale);
                }
                all.add(parameter.part().isPresent()
                        ? Quantiser.part(parameter, tensor) : tensor);
            }
            weights.put(parameter, all);
        }
        return weights;
    }

    private static long product(List<Size> sizes) {
        return sizes.stream().mapToLong(s -> s.constant().orElseThrow()).reduce(1, (a, b) -> a * b);
    }
}
