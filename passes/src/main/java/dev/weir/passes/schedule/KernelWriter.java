package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.HostStatement.Operand;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Collects the parts of one kernel: its buffers, scalars and scratch memory, and its statements in
 * nested scopes. Names are given in order of first use, so that two kernels with the same structure
 * are equal.
 */
final class KernelWriter {
    /** Open lists of statements, innermost last. */
    private final Deque<Scope> scopes = new ArrayDeque<>();

    private final Map<Operand, Buffer> buffers = new LinkedHashMap<>();
    private final Map<Scalar, Variable> scalars = new LinkedHashMap<>();
    private final List<Kernel.Scratch> scratch = new ArrayList<>();
    private final Checks checks;
    private final Set<Variable> mutables = new HashSet<>();
    private final Variable tile = new Variable("tile", Type.I64);
    private int names;
    private long jamming;

    /**
     * A list of statements that is still being written.
     *
     * @param guarded whether it runs only under a condition, so that nothing may move out of it
     * @param known expressions that have a variable or buffer here already
     * @param bound buffers whose addresses are known from here on
     */
    record Scope(
            List<Statement> statements,
            boolean guarded,
            Map<Object, Object> known,
            Set<Variable> defined,
            Set<Buffer> bound) {}

    KernelWriter(Checks checks) {
        this.checks = checks;
        open(false);
        scopes.getLast().defined.add(tile);
    }

    Expression tile() {
        return new Expression.Get(tile);
    }

    // ------------------------------------------------------------------ memory and scalars

    /** The buffer through which the kernel sees an operand. */
    Buffer buffer(Operand operand) {
        return buffers.computeIfAbsent(operand, o -> new Buffer(
                "b" + buffers.size(),
                switch (o) {
                    case Operand.Tensor t -> t.value().type().format();
                    case Operand.ParameterTable p -> Format.I64;
                    case Operand.StateTable s -> Format.I64;
                }));
    }

    Buffer buffer(Value value) {
        return buffer(new Operand.Tensor(value));
    }

    /** A scalar that the host computes and hands over, i64. */
    Expression scalar(Scalar host) {
        return new Expression.Get(scalars.computeIfAbsent(
                host, h -> new Variable("n" + scalars.size(), Type.I64)));
    }

    Buffer scratch(Format format, long elements) {
        Buffer buffer = new Buffer("s" + scratch.size(), format);
        scratch.add(new Kernel.Scratch(buffer, elements));
        return buffer;
    }

    int check(String text) {
        return checks.code(text);
    }

    // ------------------------------------------------------------------ statements

    private Scope open(boolean guarded) {
        Scope scope = new Scope(
                new ArrayList<>(), guarded, new HashMap<>(), new HashSet<>(), new HashSet<>());
        scopes.addLast(scope);
        return scope;
    }

    void add(Statement statement) {
        scopes.getLast().statements.add(statement);
    }

    private Variable fresh(Type type) {
        return new Variable("v" + names++, type);
    }

    /**
     * A variable that keeps its value. What never changes anyway (a constant, another such
     * variable)
     * is given back as it is; of a mutable variable this takes the present value.
     */
    Expression let(Expression value) {
        if (value instanceof Expression.Get get && !mutables.contains(get.variable())
                || value instanceof Expression.Real
                || value instanceof Expression.Whole) {
            return value;
        }
        Variable variable = fresh(value.type());
        add(new Statement.Declare(variable, value, false));
        scopes.getLast().defined.add(variable);
        return new Expression.Get(variable);
    }

    /** A variable that may be assigned to. */
    Variable mutable(Expression initial) {
        Variable variable = fresh(initial.type());
        mutables.add(variable);
        add(new Statement.Declare(variable, initial, true));
        scopes.getLast().defined.add(variable);
        return variable;
    }

    void assign(Variable variable, Expression value) {
        add(new Statement.Assign(variable, value));
    }

    void store(Buffer buffer, Expression index, Expression value) {
        add(new Statement.Store(buffer, index, value, Optional.empty()));
    }

    void store(Buffer buffer, Expression index, Expression value, Optional<Expression> active) {
        add(new Statement.Store(buffer, index, value, active));
    }

    /** A counting loop; the body gets the index. */
    void loop(
            Expression from,
            Expression to,
            long step,
            Consumer<Expression> body) {
        add(counting(from, to, step, body));
    }

    /**
     * As {@link #loop} for rounds that do not depend on one another: neighbours go through loops
     * inside together where that pays.
     *
     * @param registers that their sums may take
     * @param isApart whether no round reads what another one writes, though they share buffers
     */
    void points(
            Expression from,
            Expression to,
            long step,
            int registers,
            boolean isApart,
            Consumer<Expression> body) {
        Statement.For loop = counting(from, to, step, body);
        long begin = System.nanoTime();
        Optional<UnrollAndJam.Jammed> together =
                UnrollAndJam.of(loop, registers, isApart, new Renamed(), this::let);
        jamming += System.nanoTime() - begin;
        together.ifPresentOrElse(
                jammed -> {
                    add(jammed.together());
                    jammed.rest().ifPresent(this::add);
                },
                () -> add(loop));
    }

    /** Nanoseconds that {@link #points} took to bring rounds together. */
    long jamming() {
        return jamming;
    }

    private final class Renamed implements UnrollAndJam.Names {
        @Override
        public Variable fresh(Variable like) {
            return KernelWriter.this.fresh(like.type());
        }

        @Override
        public Buffer fresh(Buffer like) {
            return new Buffer("a" + names++, like.format());
        }
    }

    private Statement.For counting(
            Expression from, Expression to, long step, Consumer<Expression> body) {
        Variable index = fresh(Type.I64);
        // A loop may run no times at all, so what may fault or read memory stays inside; what is
        // invariant moves out where that is safe (see hoist).
        Scope scope = open(false);
        scope.defined.add(index);
        body.accept(new Expression.Get(index));
        scopes.removeLast();
        return new Statement.For(index, from, to, step, scope.statements);
    }

    void when(Expression condition, Runnable then, Runnable otherwise) {
        Scope thenScope = open(true);
        then.run();
        scopes.removeLast();
        Scope otherwiseScope = open(true);
        otherwise.run();
        scopes.removeLast();
        add(new Statement.If(condition, thenScope.statements, otherwiseScope.statements));
    }

    void when(Expression condition, Runnable then) {
        when(condition, then, () -> { });
    }

    /** Does something where a condition holds; always, if there is none. */
    void when(Optional<Expression> condition, Runnable then) {
        condition.ifPresentOrElse(c -> when(c, then), then);
    }

    void fault(int code, Expression value, Expression limit) {
        add(new Statement.Fault(code, value, limit));
    }

    /**
     * Evaluates an expression once, as far out as its variables allow and no guard is left, and
     * gives the same variable to everybody who asks again.
     */
    Expression hoist(Expression expression) {
        if (expression instanceof Expression.Get
                || expression instanceof Expression.Real
                || expression instanceof Expression.Whole) {
            return expression;
        }
        if (uses(expression, mutables) || readsScratch(expression)) {
            return let(expression);
        }
        Scope home = home(expression);
        for (Scope scope : scopes) {
            Object known = scope.known.get(expression);
            if (known != null) {
                return (Expression) known;
            }
        }
        Variable variable = fresh(expression.type());
        home.statements.add(new Statement.Declare(variable, expression, false));
        home.defined.add(variable);
        Expression result = new Expression.Get(variable);
        home.known.put(expression, result);
        return result;
    }

    /** A buffer whose address stands in a table, bound as far out as the index allows. */
    Buffer bind(Operand table, Format format, Expression index) {
        record Key(Operand table, Expression index) {}

        Key key = new Key(table, uses(index, mutables) ? let(index) : index);
        for (Scope scope : scopes) {
            Object known = scope.known.get(key);
            if (known != null) {
                return (Buffer) known;
            }
        }
        Scope home = home(key.index);
        Buffer bound = new Buffer("a" + names++, format);
        home.statements.add(new Statement.Bind(bound, buffer(table), key.index));
        home.bound.add(bound);
        home.known.put(key, bound);
        return bound;
    }

    /** The outermost scope in which an expression can be evaluated. */
    private Scope home(Expression expression) {
        Scope home = scopes.getLast();
        Iterator<Scope> outwards = scopes.descendingIterator();
        while (outwards.hasNext()) {
            Scope scope = outwards.next();
            home = scope;
            if (scope.guarded
                    || uses(expression, scope.defined)
                    || readsFrom(expression, scope.bound)) {
                break;
            }
        }
        return home;
    }

    /** Whether an expression reads what the kernel itself writes while it runs. */
    private boolean readsScratch(Expression expression) {
        return expression instanceof Expression.Load load
                        && scratch.stream().anyMatch(s -> s.buffer().equals(load.buffer()))
                || expression.operands().stream().anyMatch(this::readsScratch);
    }

    private static boolean readsFrom(Expression expression, Set<Buffer> buffers) {
        return expression instanceof Expression.Load load && buffers.contains(load.buffer())
                || expression.operands().stream().anyMatch(o -> readsFrom(o, buffers));
    }

    private static boolean uses(Expression expression, Set<Variable> variables) {
        return expression instanceof Expression.Get get && variables.contains(get.variable())
                || expression.operands().stream().anyMatch(o -> uses(o, variables));
    }

    // ------------------------------------------------------------------ the result

    /** The finished kernel with what the caller has to hand over. */
    record Written(Kernel kernel, List<Operand> operands, List<Scalar> scalars) {}

    Written finish(String name) {
        return new Written(
                new Kernel(
                        name,
                        List.copyOf(buffers.values()),
                        List.copyOf(scalars.values()),
                        scratch,
                        tile,
                        scopes.getFirst().statements),
                List.copyOf(buffers.keySet()),
                List.copyOf(scalars.keySet()));
    }
}
