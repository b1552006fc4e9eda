package dev.weir.passes.fuse;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Substitution;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Moves computes without a reduction into the computes that read them.
 *
 * <pre>
 *   a[i] = f(x[i]);  b[i, j] = a[i] + y[j]     ⇒     b[i, j] = f(x[i]) + y[j]
 * </pre>
 *
 * <p>Declines where work would be done more often than before: a compute with arithmetic moves only
 * if it is read once, at a place that is visited no more often than its own elements. Pure access
 * (a gather, a shift, a change of shape) always moves. Rounding to a stored float format moves
 * along; whole numbers that wrap in theirs stay where they are stored.
 */
public final class Inline {
    private static final int LARGEST_BODY = 160;

    private final Map<Value, Integer> reads = new HashMap<>();
    private final Set<Value> kept = new HashSet<>();

    private final Set<Value> states = new HashSet<>();

    private Inline() {}

    public static TensorProgram run(TensorProgram program) {
        Inline inline = new Inline();
        inline.count(program);
        program.states().forEach(state -> {
            inline.states.add(state.value());
            state.lengths().ifPresent(inline.states::add);
        });
        Region body = inline.region(program.entry().body(), new HashMap<>());
        Function entry = new Function(
                program.entry().name(), program.entry().path(), List.of(), body);
        TensorProgram result = new TensorProgram(
                program.name(), program.parameters(), program.states(), List.of(), entry,
                program.stream(), program.resultNames(), program.frames(),
                program.configuration());
        return DeadCode.run(result);
    }

    private void count(TensorProgram program) {
        Walk.nodes(program, node -> {
            for (Scalar scalar : Walk.scalars(node)) {
                Walk.loads(scalar, load -> reads.merge(load.source(), 1, Integer::sum));
            }
            kept.addAll(Walk.operands(node));
            Walk.regions(node).forEach(region -> kept.addAll(region.results()));
        });
        kept.addAll(program.entry().body().results());
    }

    private Region region(Region region, Map<Value, Node.Compute> candidates) {
        List<Node> nodes = new ArrayList<>();
        for (Node node : region.nodes()) {
            Node rewritten = rewrite(node, candidates);
            nodes.add(rewritten);
            forget(node, candidates);
            if (rewritten instanceof Node.Compute compute && isCandidate(compute)) {
                candidates.put(compute.result(), compute);
            }
        }
        return new Region(region.arguments(), nodes, region.results());
    }

    /** Elements outside a range that is narrower than its axis are never read, so nor are these. */
    private static boolean isCandidate(Node.Compute compute) {
        return compute.reduction().isEmpty();
    }

    /** After a state has changed, what reads it must not move behind the change. */
    private void forget(Node node, Map<Value, Node.Compute> candidates) {
        Set<String> changed = changedStates(node);
        if (!changed.isEmpty()) {
            candidates.values().removeIf(this::readsStates);
        }
    }

    private static Set<String> changedStates(Node node) {
        Set<String> changed = new HashSet<>();
        if (node instanceof Node.AppendRows append) {
            changed.add(append.state());
        }
        if (node instanceof Node.WriteRows write) {
            changed.add(write.state());
        }
        for (Region region : Walk.regions(node)) {
            region.nodes().forEach(inner -> changed.addAll(changedStates(inner)));
        }
        return changed;
    }

    private boolean readsStates(Node.Compute compute) {
        return Walk.reads(compute).stream().anyMatch(states::contains);
    }

    private Node rewrite(Node node, Map<Value, Node.Compute> candidates) {
        return switch (node) {
            case Node.Compute n -> compute(n, candidates);
            case Node.Scatter n -> {
                List<Index> indices = n.axes().stream().map(Axis::index).toList();
                yield new Node.Scatter(
                        n.result(), n.base(), axes(n.axes(), indices, candidates),
                        n.target().stream().map(t -> scalar(t, indices, candidates)).toList(),
                        n.combine(), n.checked(), scalar(n.body(), indices, candidates),
                        n.span());
            }
            case Node.If n -> new Node.If(
                    n.results(), n.condition(),
                    nested(n.then(), candidates, n), nested(n.otherwise(), candidates, n),
                    n.span());
            case Node.Loop n -> new Node.Loop(
                    n.results(), n.index(), n.from(), n.to(), n.initial(), n.active(),
                    nested(n.body(), candidates, n), n.path(), n.span());
            default -> node;
        };
    }

    /** Inside a loop, only what costs nothing may be done again. */
    private Region nested(Region region, Map<Value, Node.Compute> candidates, Node owner) {
        Map<Value, Node.Compute> inner = new HashMap<>(candidates);
        if (!changedStates(owner).isEmpty()) {
            inner.values().removeIf(this::readsStates);
        }
        inner.values().removeIf(c -> !isAccess(c.body()));
        return region(region, inner);
    }

    private Node compute(Node.Compute node, Map<Value, Node.Compute> candidates) {
        List<Index> indices =
                new ArrayList<>(node.axes().stream().map(Axis::index).toList());
        List<Axis> axes = axes(node.axes(), indices, candidates);
        node.reduction().ifPresent(r -> r.axes().forEach(a -> indices.add(a.index())));
        Optional<Reduction> reduction = node.reduction().map(r -> new Reduction(
                r.kind(),
                axes(r.axes(), indices, candidates),
                r.filter().map(f -> scalar(f, indices, candidates))));
        return new Node.Compute(
                node.result(), axes, reduction, scalar(node.body(), indices, candidates),
                node.span());
    }

    private List<Axis> axes(
            List<Axis> axes, List<Index> indices, Map<Value, Node.Compute> candidates) {
        return axes.stream()
                .map(a -> new Axis(
                        a.index(),
                        scalar(a.lower(), indices, candidates),
                        scalar(a.upper(), indices, candidates)))
                .toList();
    }

    private Scalar scalar(
            Scalar scalar, List<Index> indices, Map<Value, Node.Compute> candidates) {
        Scalar inner = Walk.map(scalar, operand -> scalar(operand, indices, candidates));
        if (inner instanceof Scalar.Load load
                && load.bounds() == Scalar.Bounds.PROVED
                && candidates.get(load.source()) instanceof Node.Compute compute
                && mayMove(compute, load, indices)) {
            Scalar body = Substitution.apply(
                    compute.body(), Substitution.at(compute.axes(), load.coordinates()));
            Format format = compute.result().type().format();
            return keeps(format, compute.body()) ? body : new Scalar.Round(format, body);
        }
        return inner;
    }

    private boolean mayMove(Node.Compute compute, Scalar.Load load, List<Index> indices) {
        Format format = compute.result().type().format();
        if (size(compute.body()) > LARGEST_BODY
                || !format.isFloat() && !keeps(format, compute.body())) {
            return false;
        }
        if (isAccess(compute.body())) {
            return true;
        }
        boolean once = reads.getOrDefault(compute.result(), 0) == 1
                && !kept.contains(compute.result());
        boolean noMoreOften = indices.stream().allMatch(
                i -> load.coordinates().stream().anyMatch(c -> isIndex(c, i)));
        return once && noMoreOften;
    }

    /** Whether storing a body in a format changes nothing: it is as wide, or was stored in it. */
    private static boolean keeps(Format format, Scalar body) {
        return format == format.compute()
                || body instanceof Scalar.Load load && load.source().type().format() == format;
    }

    private static boolean isIndex(Scalar coordinate, Index index) {
        return coordinate instanceof Scalar.Variable variable && variable.index().equals(index);
    }

    /** Whether a body does no float arithmetic and next to no other: it only says where to read. */
    private static boolean isAccess(Scalar body) {
        return operations(body) <= 4 && noFloats(body);
    }

    private static boolean noFloats(Scalar scalar) {
        boolean here = !(scalar instanceof Scalar.Apply apply)
                || !apply.operands().getFirst().format().isFloat()
                        && (apply.operation() == Operation.SELECT || !apply.format().isFloat());
        return here && Walk.operands(scalar).stream().allMatch(Inline::noFloats);
    }

    private static int operations(Scalar scalar) {
        int here = scalar instanceof Scalar.Apply ? 1 : 0;
        return here + Walk.operands(scalar).stream().mapToInt(Inline::operations).sum();
    }

    private static int size(Scalar scalar) {
        return 1 + Walk.operands(scalar).stream().mapToInt(Inline::size).sum();
    }
}
