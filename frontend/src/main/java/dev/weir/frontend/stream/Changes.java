package dev.weir.frontend.stream;

import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.HostScalars;
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
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds states that a step changes in more than one place: calls that share a state, rounds of a
 * loop that do, or two statements; and states that are read in another place than the one that
 * changes them. All elements of a step then pass one place after the other, so what they find there
 * depends on where the stream is cut. Within a scan all places see one element before any sees the
 * next, so there it does not.
 *
 * <p>The walk goes through calls and rounds as a run does, as far as what they depend on is known
 * before the run, and notes at which place each instance of a state is touched first.
 */
final class Changes {
    /** Nodes after which the walk gives up. */
    private static final long PATIENCE = 1_000_000;
    private static final long MOST_ROUNDS = 1L << 16;

    /** Something that only a run knows. */
    private static final class Unknown extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Unknown() {
            super(null, null, false, false);
        }
    }

    /** An instance of a state. */
    private record Key(String state, List<Long> instances) {}

    /** States that several gates fill together: for them the gates are one place. */
    private record Filled(List<String> states, String trail) {}

    /**
     * Where the walk stands.
     *
     * @param trail the calls and rounds up to here, up to the outermost scan
     * @param known the whole numbers that are known
     * @param filled what the gate around fills together with another one
     */
    private record Place(
            String trail, Map<Value, Long> known, boolean scans, Optional<Filled> filled) {

        Place at(String step) {
            return scans ? this : new Place(trail + step, known, false, filled);
        }

        Optional<Long> evaluate(Scalar scalar) {
            try {
                return Optional.of(new HostScalars(
                        load -> Optional.ofNullable(known.get(load.source()))
                                .orElseThrow(Unknown::new),
                        size -> size.constant().orElseThrow(Unknown::new)).evaluate(scalar));
            } catch (Unknown | IllegalStateException | ArithmeticException onlyInARun) {
                return Optional.empty();
            }
        }
    }

    private final TensorProgram program;
    private final Set<String> carried = new HashSet<>();
    private final Map<Region, Boolean> touching = new IdentityHashMap<>();
    private final Map<Key, String> places = new HashMap<>();
    private Optional<Node> shared = Optional.empty();
    private long visited;

    private Changes(TensorProgram program) {
        this.program = program;
        Walk.nodes(program, node -> {
            if (node instanceof Node.Write write) {
                carried.add(write.state());
            }
        });
    }

    /** What touches a state that another place of the same step changes. */
    static Optional<Node> second(TensorProgram program) {
        Changes changes = new Changes(program);
        changes.region(program.entry().body(), new Place(
                "", new HashMap<>(), false, Optional.empty()));
        return changes.shared;
    }

    private void region(Region region, Place place) {
        if (!touches(region)) {
            return;
        }
        for (int i = 0; i < region.nodes().size() && shared.isEmpty(); i++) {
            node(region.nodes().get(i), place.at("/" + i));
        }
    }

    /** Whether nodes work on states, themselves or by what they call. */
    private boolean touches(Region region) {
        Boolean known = touching.get(region);
        if (known != null) {
            return known;
        }
        boolean found = region.nodes().stream().anyMatch(node -> switch (node) {
            case Node.Append n -> true;
            case Node.Write n -> true;
            case Node.Read n -> carried.contains(n.state());
            case Node.Call n -> touches(program.function(n.function()).body());
            default -> Walk.regions(node).stream().anyMatch(this::touches);
        });
        touching.put(region, found);
        return found;
    }

    private void node(Node node, Place place) {
        if (++visited > PATIENCE) {
            shared = Optional.of(node);
            return;
        }
        switch (node) {
            case Node.Append n -> touch(n, n.state(), n.instances(), place);
            case Node.Write n -> touch(n, n.state(), n.instances(), place);
            case Node.Read n when carried.contains(n.state()) ->
                    touch(n, n.state(), n.instances(), place);
            case Node.Compute n when n.axes().isEmpty() && n.reduction().isEmpty()
                    && !n.body().format().isFloat() ->
                    place.evaluate(n.body()).ifPresent(v -> place.known().put(n.result(), v));
            case Node.Call n -> call(n, place);
            case Node.If n -> {
                Optional<Long> holds = place.evaluate(Scalar.load(n.condition(), List.of()));
                if (holds.filter(v -> v == 0).isEmpty()) {
                    region(n.then(), place.at("+"));
                }
                if (holds.filter(v -> v != 0).isEmpty()) {
                    region(n.otherwise(), place.at("-"));
                }
            }
            case Node.Loop n -> loop(n, place);
            case Node.Gate n when !n.completes().isEmpty() -> region(n.body(), new Place(
                    place.trail(), place.known(), place.scans(), Optional.of(new Filled(
                            n.completes(),
                            place.trail().substring(0, place.trail().lastIndexOf('/'))))));
            default -> Walk.regions(node).forEach(r -> region(r, place));
        }
    }

    private void call(Node.Call node, Place place) {
        Function callee = program.function(node.function());
        Map<Value, Long> known = new HashMap<>();
        for (int i = 0; i < node.instances().size(); i++) {
            Value instance = callee.instances().get(i);
            place.evaluate(node.instances().get(i)).ifPresent(v -> known.put(instance, v));
        }
        region(callee.body(), new Place(
                place.trail(), known, place.scans(), place.filled()));
    }

    private void loop(Node.Loop node, Place place) {
        boolean scans = node.to() instanceof Scalar.Extent e
                && !(e.size() instanceof Size.Constant);
        if (scans) {
            region(node.body(), new Place(place.trail(),
                    new HashMap<>(place.known()), true, place.filled()));
            return;
        }
        Optional<Long> from = place.evaluate(node.from());
        Optional<Long> to = place.evaluate(node.to());
        if (from.isEmpty() || to.isEmpty() || to.get() - from.get() > MOST_ROUNDS) {
            // Nobody can say how many rounds there are: two stand for all of them.
            region(node.body(), place.at("(1)"));
            region(node.body(), place.at("(2)"));
            return;
        }
        for (long round = from.get(); round < to.get() && shared.isEmpty(); round++) {
            Map<Value, Long> known = new HashMap<>(place.known());
            known.put(node.index(), round);
            region(node.body(), new Place(
                    place.at("(" + round + ")").trail(), known, place.scans(),
                    place.filled()));
        }
    }

    private void touch(Node node, String state, List<Scalar> instances, Place place) {
        List<Long> numbers = new ArrayList<>();
        instances.forEach(i -> numbers.add(place.evaluate(i).orElse(-1L)));
        String trail = place.filled().filter(f -> f.states().contains(state))
                .map(Filled::trail).orElse(place.trail());
        String before = places.putIfAbsent(new Key(state, numbers), trail);
        if (before != null && !before.equals(trail)) {
            shared = Optional.of(node);
        }
    }
}
