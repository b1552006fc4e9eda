package dev.weir.testkit;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Size;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Weights for models without a checkpoint: small enough that nothing saturates. */
final class RandomWeights {
    private RandomWeights() {}

    static Map<Parameter, List<Tensor>> of(List<Parameter> parameters, long seed) {
        Random random = new Random(seed);
        Map<Parameter, List<Tensor>> weights = new LinkedHashMap<>();
        for (Parameter parameter : parameters) {
            List<Size> shape = parameter.value().type().shape();
            long instances = product(shape.subList(0, parameter.instanceAxes()));
            List<Size> own = shape.subList(parameter.instanceAxes(), shape.size());
            double scale = 1.5 / Math.sqrt(own.isEmpty()
                    ? 1
                    : own.getLast().constant().orElseThrow());
            List<Tensor> all = new ArrayList<>();
            for (long i = 0; i < instances; i++) {
                Tensor tensor = Tensor.zeros(parameter.value().type().format(),
                        own.stream().mapToLong(s -> s.constant().orElseThrow()).toArray());
                for (long e = 0; e < tensor.elements(); e++) {
                    tensor.setReal(e, random.nextGaussian() * scale);
                }
                all.add(tensor);
            }
            weights.put(parameter, all);
        }
        return weights;
    }

    private static long product(List<Size> sizes) {
        return sizes.stream().mapToLong(s -> s.constant().orElseThrow()).reduce(1, (a, b) -> a * b);
    }
}
