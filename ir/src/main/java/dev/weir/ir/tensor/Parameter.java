package dev.weir.ir.tensor;

import java.util.List;

/**
 * A tensor that comes from the checkpoint. The instances of a block list are stacked: the value's
 * leading axes choose the instance ({@code layers.{0}.experts.{1}.gate} has two), the others are
 * those that the block declares.
 *
 * @param value what loads refer to; its shape is constant
 * @param instanceAxes how many leading axes choose an instance
 * @param path the parameter's path in the model, with {@code {0}}, {@code {1}} for instances
 * @param stored the names under which one instance may be stored, best first, with the same
 *     placeholders; the stored tensor has the same elements in the same order, whatever axes it
 *     merges
 * @param optional whether a checkpoint may lack it, in which case it is all {@code fill}
 * @param fill the value of an absent optional parameter
 */
public record Parameter(
        Value value,
        int instanceAxes,
        String path,
        List<String> stored,
        boolean optional,
        double fill) {
    public Parameter {
        stored = List.copyOf(stored);
    }

    /** The stored name or path of one instance. */
    public static String instantiate(String pattern, List<Long> instances) {
        String name = pattern;
        for (int i = 0; i < instances.size(); i++) {
            name = name.replace("{" + i + "}", Long.toString(instances.get(i)));
        }
        return name;
    }
}
