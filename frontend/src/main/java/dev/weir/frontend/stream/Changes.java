package dev.weir.frontend.stream;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds states that a step changes in more than one place: calls that share a state, rounds of a
 * loop that do, or two statements; and states that are read in another place than the one that
 * changes them. All elements of a step then pass one place after the other, so what they find there
 * depends on where the stream is cut. Within a scan all places see one element
 * before any sees the next, so there it does not.
 */
final class Changes {
    private final TensorProgram program;
    private final Set<String> carried = new HashSet<>();
    private final Map<String, Boolean> changing = new HashMap<>();
    private final Map<String, String> places = new HashMap<>();
    private Optional<Node> shared = Optional.empty();

    private Changes(TensorProgram program) {
        this.program = program;
        Walk.nodes(program, node -> {
            if (node instanceof Node.Write write) {
                carried.add(write.state());
            }
        });
    }

    /** A change of a state that has been changed elsewhere in the same step. */
    static Optional<Node> second(TensorProgram program) {
        Changes changes = new Changes(program);
        changes.function(program.entry(), new Around("", List.of(), Map.of(), false));
        return changes.shared;
    }

    /**
     * What is around a node.
     *
     * @param trail tells the places of the program apart
     * @param rounds the numbers of the loops around, through all calls
     * @param distinct for each number of an instance, the rounds that it tells apart
     * @param scans whether one of the loops goes through a stream
     */
    private record Around(
            String trail, List<Value> rounds, Map<Value, Set<Value>> distinct, boolean scans) {

        Around at(String place) {
            return scans ? this : new Around(trail + place, rounds, distinct, false);
        }

        /** The rounds that an expression has a value of its own for. */
        Set<Value> distinguished(Scalar scalar) {
            if (scalar instanceof Scalar.Apply a && a.operands().size() == 2
                    && (a.operation() == Operation.ADD || a.operation() == Operation.SUBTRACT)
                    && a.operands().get(1) instanceof Scalar.Whole) {
                return distinguished(a.operands().getFirst());
            }
            return scalar instanceof Scalar.Load load
                    ? distinct.getOrDefault(load.source(), Set.of()) : Set.of();
        }
    }

    private void function(Function function, Around around) {
        if (changes(function)) {
            region(function.body(), around);
        }
    }

    /** Whether a function works on states, itself or by what it calls. */
    private boolean changes(Function function) {
        Boolean known = changing.get(function.name());
        if (known != null) {
            return known;
        }
        boolean[] found = {false};
        Walk.nodes(function.body(), node -> found[0] |= switch (node) {
            case Node.Append n -> true;
            case Node.Write n -> true;
            case Node.Read n -> carried.contains(n.state());
            case Node.Call n -> changes(program.function(n.function()));
            default -> false;
        });
        changing.put(function.name(), found[0]);
        return found[0];
    }

    private void region(Region region, Around around) {
        for (int i = 0; i < region.nodes().size(); i++) {
            node(region.nodes().get(i), around.at("/" + i));
        }
    }

    private void node(Node node, Around around) {
        switch (node) {
            case Node.Append n -> change(n, n.state(), n.instances(), around);
            case Node.Write n -> change(n, n.state(), n.instances(), around);
            case Node.Read n when carried.contains(n.state()) ->
                    change(n, n.state(), n.instances(), around);
            case Node.Call n -> {
                Function callee = program.function(n.function());
                Map<Value, Set<Value>> distinct = new HashMap<>();
                for (int i = 0; i < n.instances().size(); i++) {
                    distinct.put(callee.instances().get(i),
                            around.distinguished(n.instances().get(i)));
                }
                function(callee, new Around(
                        around.trail(), around.rounds(), distinct, around.scans()));
            }
            case Node.Loop n -> {
                boolean scans = n.to() instanceof Scalar.Extent e
                        && !(e.size() instanceof Size.Constant);
                List<Value> rounds = new ArrayList<>(around.rounds());
                Map<Value, Set<Value>> distinct = new HashMap<>(around.distinct());
                if (!scans && !around.scans()) {
                    rounds.add(n.index());
                    distinct.put(n.index(), Set.of(n.index()));
                }
                region(n.body(), new Around(
                        around.trail(), rounds, distinct, around.scans() || scans));
            }
            default -> Walk.regions(node).forEach(r -> region(r, around));
        }
    }

    private void change(Node node, String state, List<Scalar> instances, Around around) {
        Set<Value> distinct = new HashSet<>();
        instances.forEach(i -> distinct.addAll(around.distinguished(i)));
        String before = places.putIfAbsent(state, around.trail());
        boolean elsewhere = before != null && !before.equals(around.trail());
        if ((elsewhere || !distinct.containsAll(around.rounds())) && shared.isEmpty()) {
            shared = Optional.of(node);
        }
    }
}
