package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What whole numbers of a checkpoint are indices into: {@code x[place[e, k], i]} says that elements
 * of {@code place} lie below the extent of x's first axis.
 *
 * <p>What a program does to the number first ({@code place[e, k] % 8}), or asks of it elsewhere,
 * says nothing here; nor does an axis whose extent is not known before the run, where 0 alone is
 * sure to be an index.
 */
public final class IndexRanges {
    private IndexRanges() {}

    /** By the parameter's path, what lies above all of its elements: the least of such extents. */
    public static Map<String, Long> of(List<TensorProgram> entries) {
        Map<String, Long> ranges = new HashMap<>();
        for (TensorProgram program : entries) {
            Map<Value, String> paths = new HashMap<>();
            program.parameters().stream()
                    .filter(p -> p.value().type().format() == Format.I64)
                    .forEach(p -> paths.put(p.value(), p.path()));
            if (!paths.isEmpty()) {
                Walk.nodes(program, node -> Walk.scalars(node).forEach(
                        scalar -> find(scalar, paths, ranges)));
            }
        }
        return ranges;
    }

    private static void find(Scalar scalar, Map<Value, String> paths, Map<String, Long> ranges) {
        if (scalar instanceof Scalar.Within within && within.index() instanceof Scalar.Load load
                && paths.containsKey(load.source())) {
            ranges.merge(paths.get(load.source()),
                    extent(within.extent()).orElse(1), Math::min);
        }
        Walk.operands(scalar).forEach(operand -> find(operand, paths, ranges));
    }

    private static OptionalLong extent(Scalar extent) {
        return switch (extent) {
            case Scalar.Whole whole -> OptionalLong.of(whole.value());
            case Scalar.Extent e when e.size().isConstant() ->
                    OptionalLong.of(e.size().constant().orElseThrow());
            default -> OptionalLong.empty();
        };
    }
}
