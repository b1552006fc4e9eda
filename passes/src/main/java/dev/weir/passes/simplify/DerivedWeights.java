package dev.weir.passes.simplify;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.passes.analysis.Faults;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Computes what depends on weights and on the number of an instance once for each instance, where
 * it stood in a loop over the instances or was made for each row that chose one.
 *
 * <pre>
 *   loop i { k[d, e] = sum[f] w[i, d, f] · v[i, f, e];  y = g(k) }
 *       ⇒  k[n, d, e] = sum[f] w[n, d, f] · v[n, f, e];  loop i { y = g(k[i]) }
 * </pre>
 *
 * <p>What is made here reads nothing but weights, so it is computed when the model is loaded.
 */
public final class DerivedWeights {
    /** What may be made in any case, however small the model is: 256 MiB of f32. */
    private static final double LITTLE = 1 << 26;

    private final Identifiers identifiers;
    private final Set<Value> weights = new HashSet<>();
    private final Set<Value> made = new HashSet<>();
    private final Set<Value> pinned = new HashSet<>();
    private final Map<Value, Derived> derived = new HashMap<>();
    private final List<Node> first = new ArrayList<>();
    /** Elements that may still be made beyond what they are made of. */
    private double spare;

    /**
     * What has become of a compute.
     *
     * @param axes the indices of the compute's axes
     * @param row the place of the axis that the instances have replaced, if one was
     * @param instances the numbers of the instances, in the order of {@code all}'s leading axes
     * @param all the same for all instances
     */
    private record Derived(
            List<Index> axes, Optional<Integer> row, List<Scalar> instances, Value all) {}

    private DerivedWeights(TensorProgram program) {
        this.identifiers = Identifiers.behind(program);
        for (Parameter parameter : program.parameters()) {
            weights.add(parameter.value());
            spare += elements(parameter.value());
        }
        spare = Math.max(spare, LITTLE);
        pin(program.entry().body());
    }

    public static TensorProgram run(TensorProgram program) {
        DerivedWeights pass = new DerivedWeights(program);
        Region body = pass.region(program.entry().body());
        if (pass.first.isEmpty()) {
            return program;
        }
        List<Node> nodes = new ArrayList<>(pass.first);
        nodes.addAll(body.nodes());
        return Rewrite.entry(program, new Region(body.arguments(), nodes, body.results()));
    }

    /** Values that something else than the element of another reads stay as they are. */
    private void pin(Region region) {
        pinned.addAll(region.results());
        for (Node node : region.nodes()) {
            pinned.addAll(Walk.operands(node));
            boolean elements = node instanceof Node.Compute || node instanceof Node.Scatter;
            for (Scalar scalar : Walk.scalars(node)) {
                Walk.loads(scalar, load -> {
                    if (!elements || load.bounds() != Scalar.Bounds.PROVED) {
                        pinned.add(load.source());
                    }
                });
            }
            Walk.regions(node).forEach(this::pin);
        }
    }

    private Region region(Region region) {
        List<Node> nodes = new ArrayList<>();
        for (Node original : region.nodes()) {
            Node node = Rewrite.elements(original, this::scalar);
            switch (node) {
                case Node.Compute n -> {
                    if (!derive(n)) {
                        nodes.add(n);
                    }
                }
                case Node.If n -> nodes.add(new Node.If(n.results(), n.condition(),
                        region(n.then()), region(n.otherwise()), n.span()));
                case Node.Loop n -> nodes.add(new Node.Loop(n.results(), n.index(), n.from(),
                        n.to(), n.initial(), n.active(), region(n.body()), n.path(), n.span()));
                default -> nodes.add(node);
            }
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    /** An expression that reads what has been derived where it is now. */
    private Scalar scalar(Scalar scalar) {
        Scalar inner = Walk.map(scalar, this::scalar);
        if (!(inner instanceof Scalar.Load load) || !derived.containsKey(load.source())) {
            return inner;
        }
        Derived found = derived.get(load.source());
        Map<Index, Scalar> at = new HashMap<>();
        List<Scalar> own = new ArrayList<>();
        for (int axis = 0; axis < found.axes.size(); axis++) {
            at.put(found.axes.get(axis), load.coordinates().get(axis));
            if (!found.row.equals(Optional.of(axis))) {
                own.add(load.coordinates().get(axis));
            }
        }
        List<Scalar> coordinates = new ArrayList<>();
        found.instances.forEach(i -> coordinates.add(Substitution.apply(i, at)));
        coordinates.addAll(own);
        return Scalar.load(found.all, coordinates);
    }

    // ------------------------------------------------------------------ what can be derived

    private boolean derive(Node.Compute compute) {
        if (pinned.contains(compute.result()) || Faults.possible(compute) || !isWorth(compute)) {
            return false;
        }
        Map<Scalar, Long> instances = new LinkedHashMap<>();
        boolean fits = expressions(compute).stream().allMatch(s -> collect(s, instances));
        if (!fits || instances.isEmpty()) {
            return false;
        }
        List<Size> shape = compute.result().type().shape();
        Optional<Integer> row = Optional.empty();
        for (int axis = 0; axis < shape.size(); axis++) {
            List<Index> index = List.of(compute.axes().get(axis).index());
            boolean chooses = instances.keySet().stream().anyMatch(i -> Walk.mentions(i, index));
            if (!chooses && !shape.get(axis).isConstant() || chooses && row.isPresent()
                    || chooses && !compute.axes().get(axis).isRectangular()) {
                return false;
            }
            row = chooses ? Optional.of(axis) : row;
        }
        List<Index> rowIndex = row.map(r -> List.of(compute.axes().get(r).index()))
                .orElse(List.of());
        boolean rowElsewhere = expressions(compute).stream()
                .anyMatch(s -> Walk.mentions(without(s, instances.keySet()), rowIndex));
        if (rowElsewhere || reducedIn(instances.keySet(), compute)
                || !isSmaller(compute, instances, row)) {
            return false;
        }
        make(compute, instances, row);
        return true;
    }

    /** What a compute evaluates, but for the ranges of its own axes of run-time size. */
    private static List<Scalar> expressions(Node.Compute compute) {
        List<Scalar> expressions = new ArrayList<>(List.of(compute.body()));
        compute.reduction().flatMap(Reduction::filter).ifPresent(expressions::add);
        for (Axis axis : Walk.axes(compute)) {
            if (!(compute.axes().contains(axis) && axis.upper() instanceof Scalar.Extent)) {
                expressions.add(axis.lower());
                expressions.add(axis.upper());
            }
        }
        return expressions;
    }

    /** Sums, elementary functions and what is made of these; anything else is cheap to repeat. */
    private boolean isWorth(Node.Compute compute) {
        return compute.reduction().isPresent() || isElementary(compute.body())
                || Walk.reads(compute).stream().anyMatch(made::contains);
    }

    private static boolean isElementary(Scalar scalar) {
        return scalar instanceof Scalar.Apply a && a.operation().isElementary()
                || Walk.operands(scalar).stream().anyMatch(DerivedWeights::isElementary);
    }

    /**
     * Notes the coordinates of weights that something else than weights and indices decides:
     * numbers of instances. False if anything but weights is read otherwise.
     */
    private boolean collect(Scalar scalar, Map<Scalar, Long> instances) {
        if (scalar instanceof Scalar.Extent) {
            return false;
        }
        if (!(scalar instanceof Scalar.Load load)) {
            return Walk.operands(scalar).stream().allMatch(o -> collect(o, instances));
        }
        if (!weights.contains(load.source())) {
            return false;
        }
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            Scalar coordinate = load.coordinates().get(axis);
            if (readsOnlyWeights(coordinate)) {
                if (!collect(coordinate, instances)) {
                    return false;
                }
                continue;
            }
            Optional<Long> size = load.source().type().shape().get(axis).constant();
            boolean whole = size.isPresent() && coordinate.format() == Format.I64
                    && load.bounds() == Scalar.Bounds.PROVED && isProved(coordinate);
            Long known = whole ? instances.putIfAbsent(coordinate, size.get()) : null;
            if (!whole || known != null && !known.equals(size.get())) {
                return false;
            }
        }
        return load.otherwise().stream().allMatch(o -> collect(o, instances));
    }

    private boolean readsOnlyWeights(Scalar scalar) {
        boolean here = !(scalar instanceof Scalar.Load load) || weights.contains(load.source());
        return here && Walk.operands(scalar).stream().allMatch(this::readsOnlyWeights);
    }

    private static boolean isProved(Scalar scalar) {
        boolean here = !(scalar instanceof Scalar.Load load)
                || load.bounds() == Scalar.Bounds.PROVED;
        return here && !(scalar instanceof Scalar.Extent)
                && Walk.operands(scalar).stream().allMatch(DerivedWeights::isProved);
    }

    private static Scalar without(Scalar scalar, Set<Scalar> parts) {
        return parts.contains(scalar) ? Scalar.whole(0)
                : Walk.map(scalar, s -> without(s, parts));
    }

    private static boolean reducedIn(Set<Scalar> instances, Node.Compute compute) {
        List<Index> reduced = compute.reduction().stream()
                .flatMap(r -> r.axes().stream()).map(Axis::index).toList();
        return instances.stream().anyMatch(i -> Walk.mentions(i, reduced));
    }

    /**
     * Whether it takes no more room than the weights that it is made of; what takes more may at
     * most double the room of the model's weights, all together, or be little.
     */
    private boolean isSmaller(
            Node.Compute compute, Map<Scalar, Long> instances, Optional<Integer> row) {
        double room = instances.values().stream().mapToDouble(n -> n).reduce(1, (a, b) -> a * b);
        List<Size> shape = compute.result().type().shape();
        for (int axis = 0; axis < shape.size(); axis++) {
            if (!row.equals(Optional.of(axis))) {
                room *= shape.get(axis).constant().orElseThrow();
            }
        }
        double read = Walk.reads(compute).stream().distinct().filter(weights::contains)
                .mapToDouble(DerivedWeights::elements).sum();
        double more = room > read ? room : 0;
        if (more > spare) {
            return false;
        }
        spare -= more;
        return true;
    }

    private static double elements(Value value) {
        return value.type().shape().stream()
                .mapToDouble(s -> s.constant().orElse(0L)).reduce(1, (a, b) -> a * b);
    }

    // ------------------------------------------------------------------ what is made

    private void make(Node.Compute compute, Map<Scalar, Long> instances, Optional<Integer> row) {
        List<Axis> axes = new ArrayList<>();
        List<Size> shape = new ArrayList<>();
        Map<Scalar, Scalar> numbers = new HashMap<>();
        instances.forEach((expression, count) -> {
            Index number = identifiers.index("n");
            axes.add(Axis.over(number, Size.of(count)));
            shape.add(Size.of(count));
            numbers.put(expression, Scalar.variable(number));
        });
        for (int axis = 0; axis < compute.axes().size(); axis++) {
            if (!row.equals(Optional.of(axis))) {
                axes.add(compute.axes().get(axis));
                shape.add(compute.result().type().shape().get(axis));
            }
        }
        Value all = identifiers.value(compute.result().name(),
                new TensorType(compute.result().type().format(), shape));
        Node.Compute renumbered = (Node.Compute) Rewrite.elements(
                new Node.Compute(all, axes, compute.reduction(), compute.body(), compute.span()),
                s -> numbered(s, numbers));
        first.add(renumbered);
        weights.add(all);
        made.add(all);
        derived.put(compute.result(), new Derived(
                compute.axes().stream().map(Axis::index).toList(), row,
                List.copyOf(instances.keySet()), all));
    }

    private static Scalar numbered(Scalar scalar, Map<Scalar, Scalar> numbers) {
        Scalar number = numbers.get(scalar);
        return number != null ? number : Walk.map(scalar, s -> numbered(s, numbers));
    }
}
