package dev.weir.passes.memory;

import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Ends the life of every tensor right behind its last use, so that its memory serves the next one.
 * Memory has as many names as it has aliases and goes back with the last.
 */
public final class Lifetimes {
    private Lifetimes() {}

    /**
     * The statements of one region with releases put in.
     *
     * @param kept names that live on behind the region
     * @param given names from outside that end in the region: what a round of a loop is handed
     */
    public static List<HostStatement> release(
            List<HostStatement> statements, Set<Value> kept, Set<Value> given) {
        Set<Value> ending = new LinkedHashSet<>(given);
        statements.forEach(s -> ending.addAll(names(s)));
        ending.removeAll(kept);
        return end(statements, ending);
    }

    /** Ends some names behind their last uses; those without a use at the beginning. */
    private static List<HostStatement> end(
            List<HostStatement> statements, Set<Value> names) {
        Map<Value, Integer> lastUse = new HashMap<>();
        for (int i = 0; i < statements.size(); i++) {
            for (Value value : uses(statements.get(i))) {
                lastUse.put(value, i);
            }
        }
        List<HostStatement> result = new ArrayList<>();
        names.stream().filter(v -> !lastUse.containsKey(v))
                .forEach(v -> result.add(new HostStatement.Release(v)));
        for (int i = 0; i < statements.size(); i++) {
            Set<Value> ending = new LinkedHashSet<>();
            for (Value value : names) {
                if (lastUse.getOrDefault(value, -1) == i) {
                    ending.add(value);
                }
            }
            result.add(ended(statements.get(i), ending));
            ending.forEach(v -> result.add(new HostStatement.Release(v)));
        }
        return result;
    }

    /**
     * A statement that ends names itself: {@code own} its source, a branch what comes from before
     * it, in each of its arms, so that an {@code own} in there has a last use.
     *
     * @param ending loses the names that the statement ends
     */
    private static HostStatement ended(HostStatement statement, Set<Value> ending) {
        return switch (statement) {
            case HostStatement.Own own when ending.remove(own.source()) ->
                    new HostStatement.Own(own.target(), own.source(), true);
            case HostStatement.If branch -> {
                Set<Value> before = new LinkedHashSet<>(ending);
                before.removeAll(names(branch));
                ending.removeAll(before);
                yield new HostStatement.If(branch.condition(),
                        end(branch.then(), before), end(branch.otherwise(), before));
            }
            default -> statement;
        };
    }

    /** The tensors to which a statement itself gives a name in its region. */
    private static Set<Value> names(HostStatement statement) {
        Set<Value> names = new LinkedHashSet<>();
        switch (statement) {
            case HostStatement.Allocate s -> names.add(s.value());
            case HostStatement.Alias s -> names.add(s.target());
            case HostStatement.Own s -> names.add(s.target());
            // What both arms name for the outside.
            case HostStatement.If s -> {
                Set<Value> then = surviving(s.then());
                then.retainAll(surviving(s.otherwise()));
                names.addAll(then);
            }
            default -> { }
        }
        return names;
    }

    private static Set<Value> surviving(List<HostStatement> statements) {
        Set<Value> names = new LinkedHashSet<>();
        for (HostStatement statement : statements) {
            names.addAll(names(statement));
            if (statement instanceof HostStatement.Release release) {
                names.remove(release.value());
            }
            if (statement instanceof HostStatement.Own own && own.last()) {
                names.remove(own.source());
            }
        }
        return names;
    }

    /** The tensors that a statement, or one inside it, names. */
    public static Set<Value> uses(HostStatement statement) {
        Set<Value> uses = new LinkedHashSet<>();
        switch (statement) {
            case HostStatement.Allocate s -> uses.add(s.value());
            case HostStatement.Release s -> uses.add(s.value());
            case HostStatement.Alias s -> {
                uses.add(s.target());
                uses.add(s.source());
            }
            case HostStatement.Own s -> {
                uses.add(s.target());
                uses.add(s.source());
            }
            case HostStatement.Launch s -> {
                for (Operand operand : s.buffers()) {
                    if (operand instanceof Operand.Tensor tensor) {
                        uses.add(tensor.value());
                    }
                }
                s.scalars().forEach(x -> loads(x, uses));
                loads(s.tiles(), uses);
                s.weights().forEach(w -> w.groups().ifPresent(uses::add));
                s.weights().forEach(w -> w.part().ifPresent(part -> {
                    loads(part.first(), uses);
                    loads(part.count(), uses);
                }));
                s.weights().forEach(w -> w.picked().ifPresent(
                        picked -> loads(picked.count(), uses)));
            }
            case HostStatement.SetSize s -> loads(s.value(), uses);
            case HostStatement.SetSizeToLargest s -> uses.add(s.table());
            case HostStatement.SetScalar s -> loads(s.value(), uses);
            case HostStatement.If s -> {
                loads(s.condition(), uses);
                s.then().forEach(inner -> uses.addAll(uses(inner)));
                s.otherwise().forEach(inner -> uses.addAll(uses(inner)));
            }
            case HostStatement.Loop s -> {
                loads(s.from(), uses);
                loads(s.to(), uses);
                s.active().ifPresent(uses::add);
                s.body().forEach(inner -> uses.addAll(uses(inner)));
            }
            case HostStatement.Reserve s -> {
                s.instances().forEach(x -> loads(x, uses));
                uses.add(s.offsets());
            }
            case HostStatement.Extend s -> {
                s.instances().forEach(x -> loads(x, uses));
                uses.add(s.offsets());
            }
            case HostStatement.Advance s -> {
                s.instances().forEach(x -> loads(x, uses));
                uses.add(s.offsets());
            }
            case HostStatement.Trace s -> {
                s.instances().forEach(x -> loads(x, uses));
                uses.add(s.value());
            }
            case HostStatement.Tally s -> {
                s.instances().forEach(x -> loads(x, uses));
                s.amounts().forEach(x -> loads(x, uses));
                s.offsets().ifPresent(uses::add);
            }
        }
        return uses;
    }

    private static void loads(Scalar scalar, Set<Value> uses) {
        Walk.loads(scalar, load -> uses.add(load.source()));
    }
}
