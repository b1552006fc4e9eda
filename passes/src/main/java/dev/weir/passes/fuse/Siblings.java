package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.Substitution;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Recognises contractions that can be computed side by side: same rows, same extents. */
public final class Siblings {
    private Siblings() {}

    /** Whether two contractions read the same activations and have blocks of the same shape. */
    public static boolean match(Contraction a, Contraction b) {
        if (a.columnCount() != b.columnCount()
                || a.rows().size() != b.rows().size()
                || a.columns().size() != b.columns().size()
                || a.reduced().size() != b.reduced().size()
                || a.weights().step() != b.weights().step()
                || a.weights().run() != b.weights().run()
                || !ByteProducts.areAlike(a, b)
                || !uppers(a.rows()).equals(uppers(b.rows()))
                || !uppers(a.columns()).equals(uppers(b.columns()))
                || !uppers(a.reduced()).equals(uppers(b.reduced()))) {
            return false;
        }
        Map<Index, Scalar> renaming = new HashMap<>(Substitution.renaming(a.rows(), b.rows()));
        renaming.putAll(Substitution.renaming(a.reduced(), b.reduced()));
        boolean sameGroups = a.group().isPresent() == b.group().isPresent()
                && (a.group().isEmpty()
                        || Substitution.apply(a.group().get().member(), renaming)
                                .equals(b.group().get().member()));
        return sameGroups
                && Substitution.apply(a.activations(), renaming).equals(b.activations());
    }

    private static List<Scalar> uppers(List<Axis> axes) {
        return axes.stream().map(Axis::upper).toList();
    }

    /** Whether two clusters that consist of contractions can be one. */
    static boolean match(
            List<Node> a, List<Node> b, int prefixA, int prefixB, Facts facts) {
        if (a.size() != 1 || b.size() != 1 || prefixA != prefixB) {
            return false;
        }
        Optional<Contraction> first = Contraction.of(a.getFirst(), facts);
        Optional<Contraction> second = Contraction.of(b.getFirst(), facts);
        return first.isPresent()
                && second.isPresent()
                && match(first.get(), second.get());
    }
}
