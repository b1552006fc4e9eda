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
     */
    public static List<HostStatement> release(List<HostStatement> statements, Set<Value> kept) {
        Map<Value, Integer> lastUse = new HashMap<>();
        Set<Value> named = new LinkedHashSet<>();
        for (int i = 0; i < statements.size(); i++) {
            named.addAll(names(statements.get(i)));
            for (Value value : uses(statements.get(i))) {
                lastUse.put(value, i);
            }
        }
        List<HostStatement> result = new ArrayList<>();
        for (int i = 0; i < statements.size(); i++) {
            HostStatement statement = statements.get(i);
            Set<Value> ending = new LinkedHashSet<>();
            for (Value value : named) {
                if (lastUse.getOrDefault(value, -1) == i && !kept.contains(value)) {
                    ending.add(value);
                }
            }
            if (statement instanceof HostStatement.Own own && ending.remove(own.source())) {
                statement = new HostStatement.Own(own.target(), own.source(), true);
            }
            result.add(statement);
            ending.forEach(v -> result.add(new HostStatement.Release(v)));
        }
        return result;
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
