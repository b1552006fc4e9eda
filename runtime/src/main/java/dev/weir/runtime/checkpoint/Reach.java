package dev.weir.runtime.checkpoint;

import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * How far the equations of parameters go in stored tensors. What a tensor has beyond that, nobody
 * reads, so it was made for other sizes:
 *
 * <pre>
 *   gate[n, f, d] = stored[n, d, 2 * f]
 *   up[n, f, d] = stored[n, d, 2 * f + 1]      together the extents [N, D, 2 * F]
 * </pre>
 */
final class Reach {
    /** One stored tensor: the extents that are read, and who reads it. */
    private record Read(Tensor stored, long[] extents, List<String> paths) {}

    private final Map<String, Read> tensors = new LinkedHashMap<>();

    /**
     * The extents of a stored tensor that have been read so far; a reader makes them longer.
     *
     * @param path the parameter that is read
     */
    long[] of(String name, String path, Tensor stored) {
        Read read = tensors.computeIfAbsent(name, n ->
                new Read(stored, new long[stored.shape().length], new ArrayList<>()));
        if (!read.paths().contains(path)) {
            read.paths().add(path);
        }
        return read.extents();
    }

    /** Tells of the tensors that have other extents than those that are read. */
    void check(Consumer<String> fault) {
        tensors.forEach((name, read) -> {
            boolean isEmpty = Arrays.stream(read.extents()).allMatch(n -> n == 0);
            if (!isEmpty && !Arrays.equals(read.extents(), read.stored().shape())) {
                fault.accept(name + " (" + String.join(", ", read.paths()) + ") has the shape "
                        + Arrays.toString(read.stored().shape()) + ", expected "
                        + Arrays.toString(read.extents()));
            }
        });
    }
}
