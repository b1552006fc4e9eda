package dev.weir.passes.schedule;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.HostStatement.WeightUse;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.Facts;
import dev.weir.passes.analysis.WorkOf;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import dev.weir.passes.fuse.Cluster;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a kernel reads of parameters, for the ledger and for the cost of its launch. */
final class WeightUses {
    private final Cluster cluster;
    private final Facts facts;
    /** What the kernel computes itself. */
    private final Set<Value> inside = new HashSet<>();

    private WeightUses(Cluster cluster, Facts facts) {
        this.cluster = cluster;
        this.facts = facts;
        cluster.nodes().forEach(n -> inside.addAll(n.results()));
    }

    /** Which weights a use is of, as far as that is known: those of a block that has others. */
    private record Instance(Value parameter, List<Scalar> places) {
        static Instance of(Scalar.Load load, int instanceAxes) {
            List<Scalar> places = load.coordinates().subList(0, instanceAxes);
            boolean isKnown = places.stream().allMatch(c -> c instanceof Scalar.Whole);
            return new Instance(load.source(), isKnown ? places : List.of());
        }
    }

    /** Parameters that are read whole, and what data picks out of others. */
    static List<WeightUse> of(Cluster cluster, Facts facts) {
        return List.copyOf(new WeightUses(cluster, facts).plain().values());
    }

    /** The weights of contractions, and what is read beside them, such as a bias. */
    static List<WeightUse> of(Cluster cluster, List<Contraction> contractions, Facts facts) {
        WeightUses beside = new WeightUses(cluster, facts);
        Map<Instance, WeightUse> plain = beside.plain();
        List<WeightUse> uses = new ArrayList<>();
        for (Contraction contraction : contractions) {
            for (Weights.Operand operand : contraction.weights().operands()) {
                uses.add(contracted(contraction, operand));
                facts.parameter(operand.load().source()).ifPresent(
                        p -> plain.remove(Instance.of(operand.load(), p.instanceAxes())));
            }
        }
        uses.addAll(plain.values());
        return uses;
    }

    private static WeightUse contracted(Contraction contraction, Weights.Operand operand) {
        Value source = operand.load().source();
        long elements = source.type().shape().stream().skip(operand.leading())
                .mapToLong(x -> x.constant().orElseThrow())
                .reduce(1, (a, b) -> a * b);
        return whole(source, elements * source.type().format().bytes(),
                contraction.group().map(g -> new Rows(g, contraction.rows().getFirst())));
    }

    private Map<Instance, WeightUse> plain() {
        Map<Instance, WeightUse> uses = new LinkedHashMap<>();
        for (Node node : cluster.nodes()) {
            Walk.scalars(node).forEach(s -> Walk.loads(s, load -> {
                Optional<Parameter> parameter = facts.parameter(load.source());
                parameter.ifPresent(p -> uses.merge(
                        Instance.of(load, p.instanceAxes()),
                        plain(node, load, p.instanceAxes()),
                        (a, b) -> a.picked().isPresent() ? b : a));
            }));
        }
        return uses;
    }

    private WeightUse plain(Node node, Scalar.Load load, int leading) {
        Value value = load.source();
        List<Scalar> own = load.coordinates().subList(leading, load.coordinates().size());
        List<Scalar> picked = own.stream()
                .filter(c -> WorkOf.picks(c, inside, facts).isPresent()).toList();
        long element = value.type().format().bytes();
        long all = element;
        long each = element;
        for (int axis = 0; axis < own.size(); axis++) {
            long extent = value.type().shape().get(leading + axis).constant().orElse(0L);
            all *= extent;
            // An index by which picks differ is counted with them.
            boolean counted = picked.contains(own.get(axis)) || facts.isFixed(own.get(axis))
                    || own.get(axis) instanceof Scalar.Variable v
                            && picked.stream().anyMatch(p -> Walk.mentions(p, List.of(v.index())));
            each *= counted ? 1 : extent;
        }
        if (own.stream().allMatch(c -> c instanceof Scalar.Variable)) {
            return whole(value, all, rows(node, load.coordinates().subList(0, leading)));
        }
        Optional<Size> picks = picked.stream()
                .flatMap(c -> WorkOf.picks(c, inside, facts).stream())
                .reduce((a, b) -> a.equals(b) ? a : Size.product(a, b));
        if (picks.isEmpty() && own.stream().noneMatch(facts::isFixed)) {
            // Computed from indices: an element for each of their values.
            each = element;
            Size points = WorkOf.points(load, node, facts);
            picks = Optional.of(facts.isOfFrames(points) ? points : Size.of(all / element));
        }
        var count = Scalar.extent(picks.orElse(Size.of(1)));
        return new WeightUse(value, each, Optional.empty(), Optional.empty(),
                Optional.of(new HostStatement.Picked(count, all)));
    }

    /** Rows that are sorted by the instance that they read, and the axis along which they lie. */
    private record Rows(Contraction.Group group, Axis axis) {
        /** A route to unlike blocks sorts the rows of all of them together. */
        Optional<HostStatement.Part> part() {
            Scalar count = axis.upper() instanceof Scalar.Whole w
                    ? Scalar.extent(Size.of(w.value())) : axis.upper();
            boolean isAll = group.shift().equals(Scalar.whole(0)) && count.equals(
                    Scalar.extent(group.grouping().members().type().elements()));
            return isAll
                    ? Optional.empty()
                    : Optional.of(new HostStatement.Part(group.shift(), count));
        }
    }

    private Optional<Rows> rows(Node node, List<Scalar> instances) {
        return Walk.axes(node).stream().filter(Axis::isRectangular)
                .flatMap(axis -> Contraction.Group.of(instances, axis.index(), facts)
                        .map(group -> new Rows(group, axis)).stream())
                .findFirst();
    }

    /** All of an instance; of each that has rows, where these are sorted by instance. */
    private static WeightUse whole(Value value, long bytes, Optional<Rows> rows) {
        return new WeightUse(value, bytes,
                rows.map(r -> r.group().grouping().offsets()), rows.flatMap(Rows::part),
                Optional.empty());
    }
}
