package dev.weir.testkit.random;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Weights and inputs of a program: whole numbers near zero, or fractions. */
final class Data {
    /** The largest code of a weight. */
    static final int CODES = 127;

    private final boolean exact;
    private final Random random;

    Data(boolean exact, long seed) {
        this.exact = exact;
        this.random = new Random(seed);
    }

    Map<Parameter, TensorData> weights(TensorProgram program) {
        Map<Parameter, TensorData> weights = new HashMap<>();
        for (Parameter parameter : program.parameters()) {
            long[] shape = parameter.value().type().shape().stream()
                    .mapToLong(s -> s.constant().orElseThrow())
                    .toArray();
            TensorData data = TensorData.zeros(parameter.value().type().format(), shape);
            double scale = 1 / Math.sqrt(shape[shape.length - 1]);
            for (int i = 0; i < data.elements(); i++) {
                if (!data.format().isFloat()) {
                    int limit = exact ? 2 : CODES;
                    data.setWhole(i, random.nextInt(2 * limit + 1) - limit);
                } else {
                    data.setReal(i, exact
                            ? random.nextInt(5) - 2
                            : (random.nextDouble() * 2 - 1) * scale);
                }
            }
            weights.put(parameter, data);
        }
        return weights;
    }

    /** The stored tensors of every instance. */
    static Map<Parameter, List<Tensor>> stored(Map<Parameter, TensorData> weights) {
        Map<Parameter, List<Tensor>> stored = new HashMap<>();
        weights.forEach((parameter, data) -> {
            stored.put(parameter, instances(data, parameter.instanceAxes()).stream()
                    .map(Tensor::of).toList());
        });
        return stored;
    }

    /** The parts along the first axes, in their order. */
    private static List<TensorData> instances(TensorData data, int axes) {
        if (axes == 0) {
            return List.of(data);
        }
        List<TensorData> parts = new ArrayList<>();
        for (int i = 0; i < data.size(0); i++) {
            parts.addAll(instances(data.slice(i), axes - 1));
        }
        return parts;
    }

    /** The entry's arguments for one sequence. */
    List<TensorData> sequence(TensorProgram program, int rows) {
        List<TensorData> arguments = new ArrayList<>();
        for (Value value : program.entry().body().arguments()) {
            long[] shape = value.type().shape().stream()
                    .mapToLong(s -> s instanceof Size.Constant c ? c.value() : rows)
                    .toArray();
            TensorData data = TensorData.zeros(value.type().format(), shape);
            for (int i = 0; i < data.elements(); i++) {
                if (value.name().equals("position")) {
                    data.setWhole(i, i);
                } else if (value.type().format() == Format.I64) {
                    data.setWhole(i, random.nextInt((int) Maker.VOCABULARY));
                } else {
                    data.setReal(i, exact ? random.nextInt(9) - 4 : random.nextGaussian());
                }
            }
            arguments.add(data);
        }
        return arguments;
    }

    /** Rows {@code from} up to {@code to}. */
    static TensorData rows(TensorData data, int from, int to) {
        long[] shape = data.shape();
        shape[0] = to - from;
        TensorData part = TensorData.zeros(data.format(), shape);
        for (int i = from; i < to; i++) {
            part.setSlice(i - from, data.slice(i));
        }
        return part;
    }

    /** Rows one behind the other; the parts must be of one format and row. */
    static TensorData join(List<TensorData> parts) {
        long[] shape = parts.getFirst().shape();
        shape[0] = parts.stream().mapToLong(p -> p.size(0)).sum();
        TensorData joined = TensorData.zeros(parts.getFirst().format(), shape);
        int at = 0;
        for (TensorData part : parts) {
            for (int i = 0; i < part.size(0); i++) {
                joined.setSlice(at++, part.slice(i));
            }
        }
        return joined;
    }

    /** One value a sequence, as rows. */
    static TensorData stack(List<TensorData> parts) {
        long[] own = parts.getFirst().shape();
        long[] shape = new long[own.length + 1];
        shape[0] = parts.size();
        System.arraycopy(own, 0, shape, 1, own.length);
        TensorData stacked = TensorData.zeros(parts.getFirst().format(), shape);
        for (int i = 0; i < parts.size(); i++) {
            stacked.setSlice(i, parts.get(i));
        }
        return stacked;
    }
}
