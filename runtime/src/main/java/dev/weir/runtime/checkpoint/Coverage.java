package dev.weir.runtime.checkpoint;

import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * How far parameters read into the stored tensors that they share. These two together read all
 * columns:
 *
 * <pre>
 * gate[f, d] = stored[d, 2 * f]        up[f, d] = stored[d, 2 * f + 1]
 * </pre>
 *
 * A tensor that is larger than what is read of it has another model's sizes. Axes along which only
 * the number of a block chooses, or that are read at one place, may be longer: the rest may belong
 * to blocks that a derived model leaves out.
 */
final class Coverage {
    /** Who reads a tensor first, and up to where along each axis anybody does. */
    private record Reach(String path, long[] ends) {}

    private final Map<String, Reach> reached = new LinkedHashMap<>();

    /**
     * Takes up what an instance reads.
     *
     * @param name of the stored tensor
     * @param ends behind the last coordinate that is read along each axis
     */
    void add(String name, String path, Tensor stored, Parameter parameter, long[] ends) {
        Parameter.Layout layout = parameter.layout().orElseThrow();
        Reach reach = reached.computeIfAbsent(name, n -> new Reach(path, new long[ends.length]));
        for (int axis = 0; axis < ends.length; axis++) {
            boolean isOwn = layout.dependsOnOwn(axis, parameter.instanceAxes());
            reach.ends[axis] = Math.max(
                    reach.ends[axis], isOwn ? ends[axis] : stored.shape()[axis]);
        }
    }

    /** Lists the tensors of which too little is read. */
    void report(Map<String, Tensor> tensors, Set<String> faults) {
        reached.forEach((name, reach) -> {
            long[] shape = tensors.get(name).shape();
            if (!Arrays.equals(shape, reach.ends)) {
                faults.add(name + " (" + reach.path + ") has the shape " + Arrays.toString(shape)
                        + ", expected " + Arrays.toString(reach.ends)
                        + ", which is all that the model reads of it");
            }
        });
    }
}
