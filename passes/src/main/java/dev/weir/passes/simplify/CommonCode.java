package dev.weir.passes.simplify;

import dev.weir.ir.tensor.Axis;
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

/**
 * Computes equal things once, and what a loop computes anew in every iteration before the loop; a
 * copy of a value becomes the value.
 *
 * <pre>
 *   loop i { a = cos(angle(positions));  y = f(y, a) }   ⇒   a = cos(angle(positions));
 *                                                             loop i { y = f(y, a) }
 * </pre>
 *
 * <p>Declines for what reads a state that changes, for what depends on sizes found in the loop, and
 * for what may fault if the loop may run no times.
 */
public final class CommonCode {
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
        Region body = common.region(program.entry().body(), new HashMap<>());
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
        Set<Value> inside = new HashSet<>(body.arguments());
        inside.add(loop.index());
        Set<String> sizesInside = new HashSet<>();
        for (Node node : body.nodes()) {
            inside.addAll(node.results());
            if (node instanceof Node.Selection selection) {
                sizesInside.add(selection.count().name());
            }
            if (node instanceof Node.Measure measure) {
                sizesInside.add(measure.size().name());
            }
        }
        List<Node> out = new ArrayList<>();
        List<Node> stay = new ArrayList<>();
        for (Node node : body.nodes()) {
            boolean leaves = node instanceof Node.Compute compute
                    && movable(compute)
                    && (runs(loop) || !Faults.possible(compute))
                    && Walk.reads(compute).stream().noneMatch(inside::contains)
                    && symbols(compute).stream().noneMatch(sizesInside::contains);
            if (leaves) {
                out.add(node);
                inside.removeAll(node.results());
            } else {
                stay.add(node);
            }
        }
        out.add(new Node.Loop(
                loop.results(), loop.index(), loop.from(), loop.to(), loop.initial(),
                loop.active(), new Region(body.arguments(), stay, body.results()),
                loop.path(), loop.span()));
        return out;
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
