package dev.weir.ir.tensor;

import java.util.List;
import java.util.regex.Pattern;

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

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{(\\d+)(?:\\+(\\d+))?}");

    /**
     * The stored name or path of one instance: {@code {0}} stands for the first index, {@code
     * {0+3}} for the first index of a stretch that begins at the list's fourth element.
     */
    public static String instantiate(String pattern, List<Long> instances) {
        return PLACEHOLDER.matcher(pattern).replaceAll(match -> {
            long offset = match.group(2) == null ? 0 : Long.parseLong(match.group(2));
            return Long.toString(instances.get(Integer.parseInt(match.group(1))) + offset);
        });
    }
}
