package dev.weir.passes.simplify;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Rewrite;
import dev.weir.passes.analysis.Substitution;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Computes an element only where somebody wants it: if every reader reads a value under one and the
 * same condition, the value is put under that condition itself. Behind a mask nothing is computed.
 *
 * <pre>
 *   s[t, k] = f(t, k);  m[t] = max[k] s[t, k] where seen(t, k)
 *       ⇒  s[t, k] = seen(t, k) ? f(t, k) : 0;  m[t] = max[k] s[t, k] where seen(t, k)
 * </pre>
 *
 * <p>Declines for values that leave the region, for cheap ones (one load and no more than a few
 * operations on it), where readers disagree, and where the value stands before what the condition
 * loads.
 */
public final class Demand {
    private final Map<Value, Node.Compute> computes = new HashMap<>();
    private final Map<Value, Set<Scalar>> conditions = new HashMap<>();
    private final Set<Value> unconditional = new HashSet<>();
    private final Map<Value, Scope> scopes = new HashMap<>();
    private int place;

    /**
     * Where a value can be read: behind its definition, up to the end of its region.
     *
     * @param end one element: the place behind the region, once it is known
     */
    private record Scope(int begin, int[] end) {}

    private Demand() {}

    public static TensorProgram run(TensorProgram program) {
        Demand demand = new Demand();
        demand.region(program.entry().body());
        demand.unconditional.addAll(program.entry().body().results());
        return Rewrite.computes(program, (compute, out) -> out.add(demand.wanted(compute)));
    }

    private void region(Region region) {
        int[] end = {Integer.MAX_VALUE};
        region.arguments().forEach(v -> scopes.put(v, new Scope(place, end)));
        for (Node node : region.nodes()) {
            place++;
            if (node instanceof Node.Loop loop) {
                scopes.put(loop.index(), new Scope(place, end));
            }
            see(node);
            Walk.regions(node).forEach(this::region);
            node.results().forEach(v -> scopes.put(v, new Scope(place, end)));
            place++;
        }
        end[0] = place;
    }

    /** Whether everything that an expression loads is known where a compute stands. */
    private boolean isKnown(Scalar scalar, Node.Compute compute) {
        int at = scopes.get(compute.result()).begin();
        boolean[] known = {true};
        Walk.loads(scalar, load -> {
            Scope scope = scopes.get(load.source());
            // What no node defines is a parameter, a state or a table of the batch.
            known[0] &= scope == null || scope.begin() < at && at <= scope.end()[0];
        });
        return known[0];
    }

    private void see(Node node) {
        if (node instanceof Node.Compute compute) {
            computes.put(compute.result(), compute);
            Optional<Scalar> filter = compute.reduction().flatMap(Reduction::filter);
            for (Axis axis : Walk.axes(compute)) {
                reads(axis.lower(), Optional.empty());
                reads(axis.upper(), Optional.empty());
            }
            filter.ifPresent(f -> reads(f, Optional.empty()));
            reads(compute.body(), filter);
        } else {
            unconditional.addAll(Walk.reads(node));
            Walk.regions(node).forEach(r -> unconditional.addAll(r.results()));
        }
    }

    /** Notes under which condition each load of an expression happens. */
    private void reads(Scalar scalar, Optional<Scalar> condition) {
        if (scalar instanceof Scalar.Apply select && select.operation() == Operation.SELECT) {
            reads(select.operands().get(0), condition);
            reads(select.operands().get(1),
                    condition.isPresent() ? condition : Optional.of(select.operands().get(0)));
            reads(select.operands().get(2), condition);
            return;
        }
        if (scalar instanceof Scalar.Load load && computes.containsKey(load.source())) {
            Optional<Scalar> atSource = condition.flatMap(c -> atSource(c, load));
            if (atSource.isPresent()) {
                conditions.computeIfAbsent(load.source(), v -> new HashSet<>())
                        .add(atSource.get());
            } else {
                unconditional.add(load.source());
            }
        }
        Walk.operands(scalar).forEach(operand -> reads(operand, condition));
    }

    /** A reader's condition in the names of the value's own indices, if it can be said so. */
    private Optional<Scalar> atSource(Scalar condition, Scalar.Load load) {
        Node.Compute compute = computes.get(load.source());
        Map<Index, Scalar> renaming = new HashMap<>();
        for (int axis = 0; axis < load.coordinates().size(); axis++) {
            if (!(load.coordinates().get(axis) instanceof Scalar.Variable variable)) {
                return Optional.empty();
            }
            renaming.put(variable.index(),
                    Scalar.variable(compute.axes().get(axis).index()));
        }
        return indicesOf(condition).stream().allMatch(renaming::containsKey)
                ? Optional.of(Substitution.apply(condition, renaming))
                : Optional.empty();
    }

    private static Set<Index> indicesOf(Scalar scalar) {
        Set<Index> indices = new HashSet<>();
        if (scalar instanceof Scalar.Variable variable) {
            indices.add(variable.index());
        }
        Walk.operands(scalar).forEach(operand -> indices.addAll(indicesOf(operand)));
        return indices;
    }

    private Node.Compute wanted(Node.Compute compute) {
        Set<Scalar> all = conditions.getOrDefault(compute.result(), Set.of());
        boolean fires = all.size() == 1
                && !unconditional.contains(compute.result())
                && compute.reduction().isEmpty()
                && compute.result().type().format() == Format.F32
                && readsASum(compute)
                && isKnown(all.iterator().next(), compute)
                && !isGuardedBy(compute.body(), all.iterator().next());
        return fires
                ? Rewrite.body(compute, Scalar.apply(
                        Operation.SELECT, all.iterator().next(), compute.body(),
                        new Scalar.Real(Format.F32, 0)))
                : compute;
    }

    private static boolean isGuardedBy(Scalar body, Scalar condition) {
        return body instanceof Scalar.Apply select
                && select.operation() == Operation.SELECT
                && select.operands().get(0).equals(condition);
    }

    /** Whether there is work to save: a sum that is read at the element's own place. */
    private boolean readsASum(Node.Compute compute) {
        boolean[] found = {false};
        Walk.loads(compute.body(), load -> found[0] |=
                computes.get(load.source()) instanceof Node.Compute source
                        && source.reduction().isPresent()
                        && load.coordinates().size() == compute.axes().size());
        return found[0];
    }
}
