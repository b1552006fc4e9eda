package dev.weir.frontend.lower;

import java.util.Map;
import java.util.Optional;

/** What functions of other languages and libraries are here. */
final class Elsewhere {
    private static final String INDICES = "axes are turned by their indices: `y[i, j] = x[j, i]`";
    private static final String RESHAPE =
            "say where each element comes from: `y[k in 0..R * C] = x[k / C, k % C]`";
    private static final String JOINED = "say where each element comes from: "
            + "`y[i in 0..A + B] = if i < A { a[i] } else { b[i - A] }`";
    private static final String PRODUCT =
            "a product is `w @ x`, or written out `y[i, j] = sum[k] a[i, k] * b[k, j]`";
    private static final String FILLED = "write an equation: `y[i in 0..N] = 0.0`";
    private static final String SIZE =
            "a size is a name: `x[T, D]` in a signature makes `T` and `D` known";
    private static final String MEMBER = "parameters and members are used by their names";

    private static final Map<String, String> WRITTEN = Map.ofEntries(
            Map.entry("clamp", "write `min(max(x, low), high)`"),
            Map.entry("clip", "write `min(max(x, low), high)`"),
            Map.entry("transpose", INDICES),
            Map.entry("permute", INDICES),
            Map.entry("rearrange", INDICES),
            Map.entry("reshape", RESHAPE),
            Map.entry("view", RESHAPE),
            Map.entry("flatten", RESHAPE),
            Map.entry("cat", JOINED),
            Map.entry("concat", JOINED),
            Map.entry("concatenate", JOINED),
            Map.entry("stack", JOINED),
            Map.entry("matmul", PRODUCT),
            Map.entry("einsum", PRODUCT),
            Map.entry("dot", PRODUCT),
            Map.entry("bmm", PRODUCT),
            Map.entry("zeros", FILLED),
            Map.entry("ones", FILLED),
            Map.entry("full", FILLED),
            Map.entry("arange", "an index is a number: `y[i in 0..N] = i`"),
            Map.entry("range", "an index is a number: `y[i in 0..N] = i`"),
            Map.entry("gather", "read at what was computed: `y[t, d] = x[place[t], d]`"),
            Map.entry("take", "read at what was computed: `y[t, d] = x[place[t], d]`"),
            Map.entry("scatter", "write at what was computed: `y[place[t], d] += x[t, d]`"),
            Map.entry("topk", "write `values, places = top(2, x)`"),
            Map.entry("len", SIZE),
            Map.entry("shape", SIZE),
            Map.entry("size", SIZE),
            Map.entry("print", "`weir run --trace` shows every named value"),
            Map.entry("self", MEMBER),
            Map.entry("this", MEMBER));

    private Elsewhere() {}

    /** What to write in the place of a name that means nothing here. */
    static Optional<String> help(String name) {
        return Optional.ofNullable(WRITTEN.get(name));
    }
}
