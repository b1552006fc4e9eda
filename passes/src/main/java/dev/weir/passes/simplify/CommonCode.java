package dev.weir.passes.simplify;

import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.HostScalars;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.analysis.Faults;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * Computes equal things once, and what a loop computes anew in every iteration before the loop; a
 * copy of a value becomes the value.
 *
 * <pre>
 *   loop i { a = cos(angle(positions));  y = f(y, a) }   ⇒   a = cos(angle(positions));
 *                                                             loop i { y = f(y, a) }
 * </pre>
 *
 * <p>What only some rounds compute leaves the loop too, if the round's number alone says which they
 * are and there are some: layers of several kinds, in one list. What stands behind a gate stays.
 *
 * <p>Declines for what reads a state that changes, for what depends on sizes found in the loop, and
 * for what may fault if the loop may run no times.
 */
public final class CommonCode {
    /** Loops of more rounds are not looked at round by round. */
    private static final int MOST_ROUNDS = 1024;

    private final Set<Value> stateValues = new HashSet<>();
    /** Parameters and states, which have memory of their own kind. */
    private final Set<Value> fixed = new HashSet<>();
    private final Map<Value, Value> replaced = new HashMap<>();

    private CommonCode() {}

    public static TensorProgram run(TensorProgram program) {
        CommonCode common = new CommonCode();
        for (State state : program.states()) {
            common.stateValues.add(state.value());
            state.lengths().ifPresent(common.stateValues::add);
        }
        common.fixed.addAll(common.stateValues);
        program.parameters().forEach(p -> common.fixed.add(p.value()));
        // What leaves two branches may be equal.
        Region once = common.region(program.entry().body(), new HashMap<>());
        Region body = common.region(once, new HashMap<>());
        return Rewrite.entry(program, body);
    }

    private Region region(Region region, Map<Object, Value> known) {
        List<Node> nodes = new ArrayList<>();
        for (Node node : region.nodes()) {
            Node renamed = Rewrite.values(node, replaced);
            switch (renamed) {
                case Node.Compute compute when original(compute).isPresent() ->
                    replaced.put(compute.result(), original(compute).get());
                case Node.Compute compute when movable(compute) -> {
                    Object key = key(compute);
                    Value first = known.get(key);
                    if (first == null) {
                        known.put(key, compute.result());
                        nodes.add(compute);
                    } else {
                        replaced.put(compute.result(), first);
                    }
                }
                case Node.Loop loop -> nodes.addAll(loop(loop, known));
                case Node.If branch -> nodes.add(new Node.If(
                        branch.results(), branch.condition(),
                        region(branch.then(), new HashMap<>(known)),
                        region(branch.otherwise(), new HashMap<>(known)), branch.span()));
                default -> nodes.add(renamed);
            }
        }
        return new Region(region.arguments(), nodes,
                region.results().stream().map(v -> replaced.getOrDefault(v, v)).toList());
    }

    /** The value of which a compute is nothing but a copy. */
    private Optional<Value> original(Node.Compute compute) {
        if (compute.reduction().isPresent()
                || !(compute.body() instanceof Scalar.Load load)
                || load.bounds() != Scalar.Bounds.PROVED
                || !load.source().type().equals(compute.result().type())
                || fixed.contains(load.source())) {
            return Optional.empty();
        }
        for (int axis = 0; axis < compute.axes().size(); axis++) {
            Axis own = compute.axes().get(axis);
            if (!load.coordinates().get(axis).equals(Scalar.variable(own.index()))
                    || !own.equals(Axis.over(
                            own.index(), compute.result().type().shape().get(axis)))) {
                return Optional.empty();
            }
        }
        return Optional.of(load.source());
    }

    private boolean movable(Node.Compute compute) {
        return Walk.reads(compute).stream().noneMatch(stateValues::contains);
    }

    /** A loop, behind what could be taken out of it. */
    private List<Node> loop(Node.Loop loop, Map<Object, Value> known) {
        Region body = region(loop.body(), new HashMap<>(known));
        Invariants invariants = new Invariants(loop);
        Region rest = invariants.taken(body, rounds(loop));
        List<Node> nodes = new ArrayList<>(invariants.out);
        nodes.add(new Node.Loop(
                loop.results(), loop.index(), loop.from(), loop.to(), loop.initial(),
                loop.active(), rest, loop.path(), loop.span()));
        return nodes;
    }

    /** What leaves a loop. */
    private final class Invariants {
        private final Node.Loop loop;
        private final List<Node> out = new ArrayList<>();
        private final Set<Value> inside = new HashSet<>();
        private final Set<String> sizesInside = new HashSet<>();
        /** Single numbers that the loop computes. */
        private final Map<Value, Scalar> numbers = new HashMap<>();

        Invariants(Node.Loop loop) {
            this.loop = loop;
            inside.add(loop.index());
        }

        /**
         * A part of the loop without what leaves it.
         *
         * @param rounds in which the part surely runs, as far as they are known
         */
        Region taken(Region region, List<Long> rounds) {
            inside.addAll(region.arguments());
            region.nodes().forEach(this::find);
            List<Node> stay = new ArrayList<>();
            for (Node node : region.nodes()) {
                if (leaves(node)) {
                    out.add(node);
                    inside.removeAll(node.results());
                } else if (node instanceof Node.If branch) {
                    stay.add(taken(branch, rounds));
                } else {
                    stay.add(node);
                }
            }
            return new Region(region.arguments(), stay, region.results());
        }

        private void find(Node node) {
            inside.addAll(node.results());
            switch (node) {
                case Node.Selection selection -> sizesInside.add(selection.count().name());
                case Node.Measure measure -> sizesInside.add(measure.size().name());
                case Node.Compute compute when compute.axes().isEmpty()
                        && compute.reduction().isEmpty() ->
                        numbers.put(compute.result(), compute.body());
                default -> { }
            }
        }

        /** What only some rounds do leaves as well, if the round's number says that some do. */
        private Node taken(Node.If branch, List<Long> rounds) {
            Scalar condition = Scalar.load(branch.condition(), List.of());
            if (rounds.isEmpty() || !isOfRound(condition)) {
                return branch;
            }
            Map<Boolean, List<Long>> parts = rounds.stream().collect(
                    Collectors.partitioningBy(round -> evaluate(condition, round) != 0));
            return new Node.If(branch.results(), branch.condition(),
                    part(branch.then(), parts.get(true)),
                    part(branch.otherwise(), parts.get(false)), branch.span());
        }

        private Region part(Region region, List<Long> rounds) {
            return rounds.isEmpty() ? region : taken(region, rounds);
        }

        private boolean leaves(Node node) {
            return node instanceof Node.Compute compute
                    && movable(compute)
                    && (runs(loop) || !Faults.possible(compute))
                    && Walk.reads(compute).stream().noneMatch(inside::contains)
                    && symbols(compute).stream().noneMatch(sizesInside::contains);
        }

        private boolean isOfRound(Scalar scalar) {
            return switch (scalar) {
                case Scalar.Whole whole -> true;
                case Scalar.Convert convert -> convert.format().isInteger()
                        && isOfRound(convert.operand());
                case Scalar.Load load -> load.source().equals(loop.index())
                        || numbers.containsKey(load.source())
                                && isOfRound(numbers.get(load.source()));
                case Scalar.Apply apply -> switch (apply.operation()) {
                    case ADD, SUBTRACT, MULTIPLY, MINIMUM, MAXIMUM, EQUAL, NOT_EQUAL, LESS,
                            LESS_EQUAL, GREATER, GREATER_EQUAL, AND, OR, NOT, SELECT ->
                            apply.operands().stream().allMatch(this::isOfRound);
                    case DIVIDE, REMAINDER -> isOfRound(apply.operands().getFirst())
                            && apply.operands().getLast() instanceof Scalar.Whole divisor
                            && divisor.value() > 0;
                    default -> false;
                };
                default -> false;
            };
        }

        private long evaluate(Scalar scalar, long round) {
            return new HostScalars(
                    load -> load.source().equals(loop.index())
                            ? round : evaluate(numbers.get(load.source()), round),
                    size -> {
                        throw new IllegalStateException("the extent " + size);
                    }).evaluate(scalar);
        }
    }

    /** The rounds that a loop surely makes: the first one, if it can be left behind it. */
    private static List<Long> rounds(Node.Loop loop) {
        if (loop.from() instanceof Scalar.Whole from && loop.to() instanceof Scalar.Whole to
                && to.value() - from.value() <= MOST_ROUNDS) {
            return LongStream.range(from.value(), to.value()).boxed()
                    .limit(loop.active().isEmpty() ? MOST_ROUNDS : 1).toList();
        }
        return List.of();
    }

    /** Whether a loop's body surely runs once, so that what faults before it faults in it too. */
    private static boolean runs(Node.Loop loop) {
        return loop.active().isEmpty()
                && loop.from() instanceof Scalar.Whole from
                && loop.to() instanceof Scalar.Whole to
                && from.value() < to.value();
    }

    private static Set<String> symbols(Node.Compute compute) {
        Set<String> symbols = new HashSet<>();
        compute.result().type().shape().forEach(s -> symbols.addAll(s.symbols()));
        Walk.scalars(compute).forEach(s -> extents(s, symbols));
        return symbols;
    }

    private static void extents(Scalar scalar, Set<String> symbols) {
        if (scalar instanceof Scalar.Extent extent) {
            symbols.addAll(extent.size().symbols());
        }
        Walk.operands(scalar).forEach(s -> extents(s, symbols));
    }

    /** Equal for computes that differ in the names of their indices only. */
    private static Object key(Node.Compute compute) {
        Map<Index, Scalar> renaming = new HashMap<>();
        int next = -1;
        List<Scalar> bounds = new ArrayList<>();
        List<Axis> axes = new ArrayList<>(compute.axes());
        compute.reduction().ifPresent(r -> axes.addAll(r.axes()));
        for (Axis axis : axes) {
            bounds.add(Substitution.apply(axis.lower(), renaming));
            bounds.add(Substitution.apply(axis.upper(), renaming));
            renaming.put(axis.index(), Scalar.variable(new Index(next--, "")));
        }
        Optional<Reduction> reduction = compute.reduction();
        List<Size> shape = compute.result().type().shape();
        return List.of(
                compute.result().type().format(),
                shape,
                bounds,
                reduction.map(r -> List.of(r.kind(), r.axes().size())).orElse(List.of()),
                reduction.flatMap(Reduction::filter)
                        .map(f -> Substitution.apply(f, renaming))
                        .map(List::of)
                        .orElse(List.of()),
                Substitution.apply(compute.body(), renaming));
    }
}
