package dev.weir.ir.tensor;

import java.util.List;
import java.util.Optional;

/** Finds out whether a value is another one with some of its elements replaced. */
public final class Origin {
    private Origin() {}

    /**
     * The value from outside some nodes of which a value is a copy with elements replaced, or which
     * it is; empty if it is made anew.
     */
    public static Optional<Value> of(List<Node> nodes, Value value) {
        for (Node node : nodes) {
            int place = node.results().indexOf(value);
            if (place < 0) {
                continue;
            }
            Optional<Value> before = switch (node) {
                case Node.Scatter n -> Optional.of(n.base());
                case Node.If n -> of(n.then(), place)
                        .filter(v -> of(n.otherwise(), place).filter(v::equals).isPresent());
                case Node.Loop n -> of(n.body(), place)
                        .filter(n.body().arguments().get(place)::equals)
                        .map(v -> n.initial().get(place));
                default -> Optional.empty();
            };
            return before.flatMap(v -> of(nodes, v));
        }
        return Optional.of(value);
    }

    private static Optional<Value> of(Region region, int result) {
        return of(region.nodes(), region.results().get(result));
    }
}
