package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Variable;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** What statements read, assign, declare and access, nested ones included. */
final class Usage {

    final Set<Variable> read = new LinkedHashSet<>();
    final Set<Variable> assigned = new LinkedHashSet<>();
    final Set<Variable> declared = new LinkedHashSet<>();
    final Set<Buffer> accessed = new LinkedHashSet<>();
    final Set<Buffer> bound = new LinkedHashSet<>();
    boolean faults;
    boolean loops;
    boolean loadsVectors;
    private final Set<Expression> seen = Collections.newSetFromMap(new IdentityHashMap<>());

    static Usage of(List<Statement> statements) {
        Usage usage = new Usage();
        statements.forEach(usage::statement);
        return usage;
    }

    /** Variables from outside that are read or assigned. */
    Set<Variable> freeVariables() {
        Set<Variable> free = new LinkedHashSet<>(read);
        free.addAll(assigned);
        free.removeAll(declared);
        return free;
    }

    Set<Buffer> freeBuffers() {
        Set<Buffer> free = new LinkedHashSet<>(accessed);
        free.removeAll(bound);
        return free;
    }

    /** Whether nothing from outside is assigned. */
    boolean isClosed() {
        return declared.containsAll(assigned);
    }

    private void statement(Statement statement) {
        switch (statement) {
            case Declare d -> {
                expression(d.value());
                declared.add(d.variable());
            }
            case Assign a -> {
                expression(a.value());
                assigned.add(a.variable());
            }
            // The JVM has no instruction for it.
            case Prefetch p -> { }
            case Store s -> {
                expression(s.index());
                expression(s.value());
                s.active().ifPresent(this::expression);
                accessed.add(s.buffer());
            }
            case Bind b -> {
                expression(b.index());
                accessed.add(b.table());
                bound.add(b.buffer());
            }
            case For f -> {
                loops = true;
                expression(f.from());
                expression(f.to());
                declared.add(f.index());
                f.body().forEach(this::statement);
            }
            case If i -> {
                expression(i.condition());
                i.then().forEach(this::statement);
                i.otherwise().forEach(this::statement);
            }
            case Fault f -> {
                faults = true;
                expression(f.value());
                expression(f.limit());
            }
        }
    }

    private void expression(Expression expression) {
        if (!seen.add(expression)) {
            return;
        }
        switch (expression) {
            case Expression.Get g -> read.add(g.variable());
            case Expression.Load l -> {
                accessed.add(l.buffer());
                loadsVectors |= l.lanes() > 1;
            }
            case Expression.Real r -> { }
            case Expression.Whole w -> { }
            case Expression.Unary u -> { }
            case Expression.Binary b -> { }
            case Expression.Compare c -> { }
            case Expression.Select s -> { }
            case Expression.FusedMultiplyAdd f -> { }
            case Expression.DotBytes d -> { }
            case Expression.Convert c -> { }
            case Expression.Bitcast b -> { }
            case Expression.RoundTo r -> { }
            case Expression.Broadcast b -> { }
            case Expression.Fold f -> { }
            case Expression.FoldEach f -> { }
        }
        expression.operands().forEach(this::expression);
    }
}
