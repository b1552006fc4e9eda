package dev.weir.passes.fuse;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.ScheduleStep;
import dev.weir.passes.analysis.Substitution;
import dev.weir.passes.contract.Contraction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Decides which nodes of a region become one kernel.
 *
 * <p>Two neighbours are joined if the consumer reads the producer at its own point of some leading
 * axes: then one kernel can compute both at each point, and the value between them never leaves it.
 *
 * <pre>
 *   m[p] = mean[e] x[p, e]^2;  y[p, d] = x[p, d] · rsqrt(m[p])        one kernel over p
 *   s[p, h, t] = …;  z[p, h, c] = sum[t] softmax(s)[p, h, t] · v…     one kernel over p, h
 *   u[p, f] = sum[d] w[f, d] · x[p, d];  g[p, f] = silu(u[p, f])      one kernel over p, f
 * </pre>
 */
public final class Clustering {
    private final Facts facts;
    private final List<Group> groups = new ArrayList<>();
    private final Map<Value, Group> producers = new HashMap<>();
    private final Map<Value, Set<Group>> readers = new HashMap<>();
    private final Set<Value> resultsOfRegion;
    private int mark;

    /** A cluster in the making, or a node that stays alone. */
    private static final class Group {
        final List<Node> nodes = new ArrayList<>();
        final Set<Group> before = new LinkedHashSet<>();
        final Set<Group> after = new LinkedHashSet<>();
        final List<String> fused = new ArrayList<>();
        int prefix;
        int order;
        int visited;
    }

    private Clustering(Facts facts, Region region) {
        this.facts = facts;
        this.resultsOfRegion = new HashSet<>(region.results());
    }

    /** The region's clusters, in an order in which they can run. */
    public static List<Cluster> run(Region region, Facts facts) {
        Clustering clustering = new Clustering(facts, region);
        clustering.build(region);
        if (facts.isOn(ScheduleStep.CLUSTERING)) {
            clustering.join();
        }
        return clustering.ordered();
    }

    // ------------------------------------------------------------------ the graph

    private void build(Region region) {
        Map<String, Group> sizes = new HashMap<>();
        Map<String, List<Group>> stateReaders = new HashMap<>();
        Map<String, Group> stateWriters = new HashMap<>();
        Group lastEffect = null;
        for (Node node : region.nodes()) {
            Group group = new Group();
            group.nodes.add(node);
            group.order = groups.size();
            group.prefix = width(node);
            groups.add(group);
            for (Value value : deepReads(node)) {
                Group producer = producers.get(value);
                if (producer != null) {
                    link(producer, group);
                }
                readers.computeIfAbsent(value, v -> new LinkedHashSet<>()).add(group);
            }
            for (String symbol : deepSymbols(node)) {
                if (sizes.containsKey(symbol)) {
                    link(sizes.get(symbol), group);
                }
            }
            for (String state : statesRead(node)) {
                if (stateWriters.containsKey(state)) {
                    link(stateWriters.get(state), group);
                }
                stateReaders.computeIfAbsent(state, s -> new ArrayList<>()).add(group);
            }
            for (String state : statesWritten(node)) {
                stateReaders.getOrDefault(state, List.of()).forEach(r -> link(r, group));
                if (stateWriters.containsKey(state)) {
                    link(stateWriters.get(state), group);
                }
                stateWriters.put(state, group);
                stateReaders.put(state, new ArrayList<>());
            }
            // What others see (traces, tallies, loops) keeps its order.
            if (hasEffect(node)) {
                if (lastEffect != null) {
                    link(lastEffect, group);
                }
                lastEffect = group;
            }
            node.results().forEach(v -> producers.put(v, group));
            definedSizes(node).forEach(s -> sizes.put(s, group));
        }
    }

    private static void link(Group before, Group after) {
        if (before != after) {
            before.after.add(after);
            after.before.add(before);
        }
    }

    private static int width(Node node) {
        return switch (node) {
            case Node.Compute n -> n.axes().size();
            case Node.TopK n -> n.operand().type().rank() - 1;
            default -> 0;
        };
    }

    private static Set<Value> deepReads(Node node) {
        Set<Value> reads = new LinkedHashSet<>(Walk.reads(node));
        for (Region region : Walk.regions(node)) {
            reads.addAll(region.results());
            Walk.nodes(region, inner -> {
                reads.addAll(Walk.reads(inner));
                Walk.regions(inner).forEach(r -> reads.addAll(r.results()));
            });
        }
        return reads;
    }

    private static Set<String> deepSymbols(Node node) {
        Set<String> symbols = new TreeSet<>();
        see(node, symbols);
        Walk.regions(node).forEach(r -> Walk.nodes(r, inner -> see(inner, symbols)));
        return symbols;
    }

    private static void see(Node node, Set<String> symbols) {
        Walk.scalars(node).forEach(s -> see(s, symbols));
        node.results().forEach(
                v -> v.type().shape().forEach(size -> symbols.addAll(size.symbols())));
    }

    private static void see(Scalar scalar, Set<String> symbols) {
        if (scalar instanceof Scalar.Extent extent) {
            symbols.addAll(extent.size().symbols());
        }
        Walk.operands(scalar).forEach(s -> see(s, symbols));
    }

    private static List<String> definedSizes(Node node) {
        return switch (node) {
            case Node.Selection n -> List.of(n.count().name());
            case Node.Measure n -> List.of(n.size().name());
            default -> List.of();
        };
    }

    private Set<String> statesRead(Node node) {
        Set<String> states = new TreeSet<>();
        Set<Value> reads = deepReads(node);
        facts.program().states().forEach(state -> {
            if (reads.contains(state.value())
                    || state.lengths().map(reads::contains).orElse(false)) {
                states.add(state.name());
            }
        });
        return states;
    }

    private static Set<String> statesWritten(Node node) {
        Set<String> states = new TreeSet<>();
        if (node instanceof Node.AppendRows append) {
            states.add(append.state());
        }
        if (node instanceof Node.WriteRows write) {
            states.add(write.state());
        }
        Walk.regions(node).forEach(r -> r.nodes().forEach(n -> states.addAll(statesWritten(n))));
        return states;
    }

    private static boolean hasEffect(Node node) {
        return node instanceof Node.Trace
                || node instanceof Node.Tally
                || node instanceof Node.Loop
                || node instanceof Node.If;
    }

    // ------------------------------------------------------------------ joining

    private void join() {
        for (Group consumer : List.copyOf(groups)) {
            boolean joined = true;
            while (joined) {
                joined = false;
                for (Value value : List.copyOf(readsOf(current(consumer)))) {
                    Group producer = producers.get(value);
                    if (producer != null && tryJoin(producer, current(consumer))) {
                        joined = true;
                        break;
                    }
                }
            }
        }
        joinSiblings();
    }

    /** Contractions of the same rows with weights of the same size share one pass over the rows. */
    private void joinSiblings() {
        for (Group a : List.copyOf(groups)) {
            for (Group b : List.copyOf(groups)) {
                if (a != b && groups.contains(a) && groups.contains(b)
                        && Siblings.match(a.nodes, b.nodes, a.prefix, b.prefix, facts)
                        && !reaches(a, b) && !reaches(b, a)) {
                    a.fused.add(names(a) + " and " + names(b) + " read the same rows");
                    merge(a, b, a.prefix);
                }
            }
        }
    }

    /** The group into which a group has gone. */
    private Group current(Group group) {
        for (Node node : group.nodes) {
            for (Value value : node.results()) {
                return producers.get(value);
            }
        }
        return group;
    }

    private static Set<Value> readsOf(Group group) {
        Set<Value> reads = new LinkedHashSet<>();
        group.nodes.forEach(n -> reads.addAll(Walk.reads(n)));
        return reads;
    }

    private static boolean isFusible(Node node) {
        return node instanceof Node.Compute compute && compute.result().type().rank() > 0
                || node instanceof Node.TopK;
    }

    private boolean tryJoin(Group producer, Group consumer) {
        if (producer == consumer
                || !isFusible(producer.nodes.getFirst())
                || !isFusible(consumer.nodes.getFirst())) {
            return false;
        }
        if (obstacle(producer, consumer).isPresent()) {
            return false;
        }
        merge(producer, consumer, sharedPrefix(producer, consumer));
        return true;
    }

    /** Why two groups cannot become one, if they cannot. */
    private Optional<String> obstacle(Group producer, Group consumer) {
        int prefix = sharedPrefix(producer, consumer);
        if (prefix == 0) {
            return Optional.of("no leading axis at which each point reads only its own");
        }
        if (detour(producer, consumer)) {
            return Optional.of("something between them reads it too");
        }
        List<Node> all = new ArrayList<>(producer.nodes);
        all.addAll(consumer.nodes);
        for (Node node : all) {
            if (node instanceof Node.TopK topK
                    && topK.operand().type().rank() - 1 != prefix) {
                return Optional.of("the largest are chosen for one row at each point");
            }
            Optional<Contraction> contraction = Contraction.of(node, facts);
            if (contraction.isPresent() && !fits(contraction.get(), prefix, all)) {
                return Optional.of("the contraction keeps its register blocks");
            }
        }
        Set<Value> inside = new HashSet<>();
        all.forEach(n -> inside.addAll(n.results()));
        Optional<Streaming> streaming = Streaming.of(all, prefix, inside);
        for (Node node : all) {
            for (Value value : node.results()) {
                boolean readInside = all.stream().anyMatch(n -> Walk.reads(n).contains(value));
                Optional<Long> room = room(value, prefix);
                if (readInside && room.isPresent() && room.get() > Cluster.LARGEST_LOCAL) {
                    return Optional.of(
                            value.name() + " has too many elements to stay inside");
                }
                if (readInside && room.isEmpty()
                        && (streaming.isEmpty() || isReadOutside(value, all))) {
                    return Optional.of(value.name()
                            + " has a run-time size and is not only streamed through");
                }
            }
        }
        return Optional.empty();
    }

    private static String names(Group group) {
        return group.nodes.getLast().results().getFirst().name();
    }

    /** Whether a contraction keeps its register blocks in a kernel over so many shared axes. */
    private boolean fits(Contraction contraction, int prefix, List<Node> all) {
        // All nodes over the same points: the others must be epilogues of columns side by side.
        return prefix == contraction.compute().axes().size()
                && all.stream().allMatch(n -> Epilogue.fits(n, contraction, all, facts));
    }

    private boolean isReadOutside(Value value, List<Node> all) {
        if (resultsOfRegion.contains(value)) {
            return true;
        }
        return readers.getOrDefault(value, Set.of()).stream()
                .flatMap(g -> g.nodes.stream())
                .anyMatch(n -> deepReads(n).contains(value) && !all.contains(n));
    }

    /** How many elements of a value there are at one point; empty if that is a run-time size. */
    private static Optional<Long> room(Value value, int prefix) {
        long room = 1;
        List<Size> shape = value.type().shape();
        for (Size size : shape.subList(Math.min(prefix, shape.size()), shape.size())) {
            if (!size.isConstant()) {
                return Optional.empty();
            }
            room *= size.constant().orElseThrow();
        }
        return Optional.of(room);
    }

    /** The largest number of leading axes at whose points everything between the two is local. */
    private static int sharedPrefix(Group producer, Group consumer) {
        int prefix = Math.min(producer.prefix, consumer.prefix);
        Map<Value, Node> defined = new HashMap<>();
        producer.nodes.forEach(n -> n.results().forEach(v -> defined.put(v, n)));
        for (Node node : consumer.nodes) {
            if (node instanceof Node.TopK topK && defined.containsKey(topK.operand())) {
                prefix = Math.min(prefix, topK.operand().type().rank() - 1);
            }
            if (node instanceof Node.Compute compute) {
                List<Scalar.Load> loads = new ArrayList<>();
                Walk.scalars(compute).forEach(s -> Walk.loads(s, loads::add));
                for (Scalar.Load load : loads) {
                    if (defined.containsKey(load.source())) {
                        prefix = Math.min(prefix, matching(load, compute));
                    }
                }
            }
        }
        while (prefix > 0 && !sameExtents(producer, consumer, prefix)) {
            prefix--;
        }
        return prefix;
    }

    /** How many leading coordinates of a load are the reading node's own leading indices. */
    private static int matching(Scalar.Load load, Node.Compute reader) {
        int n = 0;
        while (n < load.coordinates().size()
                && n < reader.axes().size()
                && load.coordinates().get(n).equals(
                        Scalar.variable(reader.axes().get(n).index()))) {
            n++;
        }
        return n;
    }

    private static boolean sameExtents(Group producer, Group consumer, int prefix) {
        List<Size> first = shape(producer.nodes.getFirst(), prefix);
        List<Node> all = new ArrayList<>(producer.nodes);
        all.addAll(consumer.nodes);
        return all.stream().allMatch(n -> shape(n, prefix).equals(first) && isFull(n, prefix));
    }

    private static List<Size> shape(Node node, int prefix) {
        List<Size> shape = node.results().getFirst().type().shape();
        return shape.subList(0, Math.min(prefix, shape.size()));
    }

    private static boolean isFull(Node node, int prefix) {
        if (!(node instanceof Node.Compute compute)) {
            return true;
        }
        for (int axis = 0; axis < prefix; axis++) {
            if (!compute.axes().get(axis).covers(compute.result().type().shape().get(axis))) {
                return false;
            }
        }
        return true;
    }

    /** Whether a third group must run between the two. */
    private boolean detour(Group producer, Group consumer) {
        for (Group next : producer.after) {
            if (next != consumer && reaches(next, consumer)) {
                return true;
            }
        }
        return false;
    }

    private boolean reaches(Group from, Group to) {
        mark++;
        return reaches(from, to, mark);
    }

    private static boolean reaches(Group from, Group to, int mark) {
        if (from == to) {
            return true;
        }
        if (from.visited == mark) {
            return false;
        }
        from.visited = mark;
        for (Group next : from.after) {
            if (reaches(next, to, mark)) {
                return true;
            }
        }
        return false;
    }

    private void merge(Group producer, Group consumer, int prefix) {
        producer.nodes.addAll(consumer.nodes);
        producer.fused.addAll(consumer.fused);
        producer.prefix = prefix;
        for (Group g : consumer.before) {
            g.after.remove(consumer);
            link(g, producer);
        }
        for (Group g : consumer.after) {
            g.before.remove(consumer);
            link(producer, g);
        }
        consumer.nodes.forEach(n -> n.results().forEach(v -> producers.put(v, producer)));
        readers.values().forEach(set -> {
            if (set.remove(consumer)) {
                set.add(producer);
            }
        });
        groups.remove(consumer);
    }

    // ------------------------------------------------------------------ the result

    private List<Cluster> ordered() {
        List<Cluster> result = new ArrayList<>();
        Set<Group> done = new HashSet<>();
        while (done.size() < groups.size()) {
            Group next = groups.stream()
                    .filter(g -> !done.contains(g) && done.containsAll(g.before))
                    .min(java.util.Comparator.comparingInt(g -> g.order))
                    .orElseThrow(() -> new IllegalStateException("a cycle between clusters"));
            done.add(next);
            List<Node> nodes = sorted(next.nodes);
            Set<Value> exported = new HashSet<>();
            nodes.forEach(n -> n.results().forEach(v -> {
                if (isReadOutside(v, nodes)) {
                    exported.add(v);
                }
            }));
            result.add(new Cluster(
                    nodes, next.prefix, exported, next.fused, apart(next)));
        }
        return result;
    }

    /** Why the producers of what a group reads are not in it. */
    private List<Cluster.Apart> apart(Group group) {
        List<Cluster.Apart> apart = new ArrayList<>();
        for (Value value : readsOf(group)) {
            Group producer = producers.get(value);
            if (producer != null && producer != group
                    && isFusible(producer.nodes.getFirst())
                    && isFusible(group.nodes.getFirst())) {
                obstacle(producer, group).ifPresent(
                        reason -> apart.add(new Cluster.Apart(value, reason)));
            }
        }
        return apart;
    }

    /** Nodes in an order in which each stands behind what it reads. */
    private static List<Node> sorted(List<Node> nodes) {
        List<Node> rest = new ArrayList<>(nodes);
        List<Node> sorted = new ArrayList<>();
        while (!rest.isEmpty()) {
            Set<Value> missing = new HashSet<>();
            rest.forEach(n -> missing.addAll(n.results()));
            Node next = rest.stream()
                    .filter(n -> Walk.reads(n).stream().noneMatch(missing::contains))
                    .findFirst()
                    .orElseThrow();
            rest.remove(next);
            sorted.add(next);
        }
        return sorted;
    }

    /** Two axes of run-time extent are one if their bounds agree under the shared axes' names. */
    static boolean sameRange(Axis a, List<Axis> sharedA, Axis b, List<Axis> sharedB) {
        Map<Index, Scalar> renaming = Substitution.renaming(sharedA, sharedB);
        return Substitution.apply(a.lower(), renaming).equals(b.lower())
                && Substitution.apply(a.upper(), renaming).equals(b.upper());
    }
}
