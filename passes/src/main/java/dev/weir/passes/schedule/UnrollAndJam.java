package dev.weir.passes.schedule;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Unroll and jam: neighbouring rounds of a loop over points go through the loops inside together.
 * What they have in common is loaded once, and their sums do not wait for one another. Every round
 * does what it would do alone, in the same order, so the bits are the same.
 *
 * <pre>
 *   for d { s = 0;  for k { s = fma(a[k], b[k, d], s) };  y[d] = s }
 *     ⇒  for d by 2 { s = 0;  t = 0
 *            for k { c = a[k];  s = fma(c, b[k, d], s);  t = fma(c, b[k, d + 1], t) }
 *            y[d] = s;  y[d + 1] = t }
 * </pre>
 */
final class UnrollAndJam {
    /** Of a number of rounds that is known; otherwise half, since more would be left over. */
    private static final int MOST_COPIES = 16;
    /** Of what all rounds together may have; methods of bytecode have a largest length. */
    private static final int MOST_STATEMENTS = 256;

    private final Statement.For loop;
    private final Names names;
    /** What differs from round to round. */
    private final Set<Variable> varying = new HashSet<>();
    private final Set<Buffer> varyingBuffers = new HashSet<>();
    /** Sums of the rounds' own that a loop inside adds to. */
    private final Set<Variable> sums = new LinkedHashSet<>();

    /** Makes variables and buffers that the kernel does not have yet. */
    interface Names {
        Variable fresh(Variable like);

        Buffer fresh(Buffer like);
    }

    /**
     * A loop in two parts.
     *
     * @param together the rounds that go together
     * @param rest the others, one by one, if there may be any
     */
    record Jammed(Statement.For together, Optional<Statement.For> rest) {}

    private UnrollAndJam(Statement.For loop, Names names) {
        this.loop = loop;
        this.names = names;
    }

    /**
     * Takes rounds of a loop together, if there is something to gain.
     *
     * @param loop whose rounds do not depend on one another
     * @param registers that sums may take
     * @param isApart whether rounds are known to read nothing that another one writes
     * @param let gives an expression a name in front of the loops
     */
    static Optional<Jammed> of(
            Statement.For loop, int registers, boolean isApart, Names names,
            UnaryOperator<Expression> let) {
        UnrollAndJam jam = new UnrollAndJam(loop, names);
        jam.mark();
        jam.findSums(loop.body());
        if (!jam.isPossible(loop.body()) || !(isApart || jam.isDisjoint())
                || jam.sums.isEmpty()) {
            return Optional.empty();
        }
        Optional<Long> rounds = jam.rounds();
        long most = Math.min(rounds.isPresent() ? MOST_COPIES : MOST_COPIES / 2, Math.min(
                registers / jam.sums.size(), MOST_STATEMENTS / count(loop.body())));
        long copies = rounds.map(r -> divisor(r, most)).orElse(most);
        if (copies < 2) {
            return Optional.empty();
        }
        return Optional.of(jam.jam(copies, let));
    }

    /** A number of rounds that leaves none over if it can, and never takes more than there are. */
    private static long divisor(long rounds, long most) {
        for (long copies = most; 2 * copies > most && copies > 1; copies--) {
            if (rounds % copies == 0) {
                return copies;
            }
        }
        return Math.min(rounds, most);
    }

    private Optional<Long> rounds() {
        return loop.from() instanceof Expression.Whole from
                        && loop.to() instanceof Expression.Whole to
                ? Optional.of(Math.ceilDiv(Math.max(0, to.value() - from.value()), loop.step()))
                : Optional.empty();
    }

    private static int count(List<Statement> statements) {
        int count = 1;
        for (Statement statement : statements) {
            count += switch (statement) {
                case Statement.For f -> count(f.body());
                case Statement.If i -> count(i.then()) + count(i.otherwise());
                default -> 1;
            };
        }
        return count;
    }

    // ------------------------------------------------------------------ what differs

    private void mark() {
        varying.add(loop.index());
        int before;
        do {
            before = varying.size() + varyingBuffers.size();
            mark(loop.body(), false);
        } while (varying.size() + varyingBuffers.size() > before);
    }

    /**
     * @param differently whether rounds may disagree on whether they come here
     */
    private void mark(List<Statement> statements, boolean differently) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Declare d -> {
                    if (differently || varies(d.value())) {
                        varying.add(d.variable());
                    }
                }
                case Statement.Assign a -> {
                    if (differently || varies(a.value())) {
                        varying.add(a.variable());
                    }
                }
                case Statement.Bind b -> {
                    if (differently || varies(b.index())
                            || varyingBuffers.contains(b.table())) {
                        varyingBuffers.add(b.buffer());
                    }
                }
                case Statement.For f ->
                        mark(f.body(), differently || varies(f.from()) || varies(f.to()));
                case Statement.If i -> {
                    mark(i.then(), differently || varies(i.condition()));
                    mark(i.otherwise(), differently || varies(i.condition()));
                }
                case Statement.Store s -> { }
                case Statement.Prefetch p -> { }
                case Statement.Fault f -> { }
            }
        }
    }

    private boolean varies(Expression expression) {
        return expression instanceof Expression.Get get && varying.contains(get.variable())
                || expression instanceof Expression.Load load
                        && varyingBuffers.contains(load.buffer())
                || expression.operands().stream().anyMatch(this::varies);
    }

    /** Whether rounds can go through the statements together. */
    private boolean isPossible(List<Statement> statements) {
        for (Statement statement : statements) {
            boolean possible = switch (statement) {
                case Statement.For f ->
                        !varies(f.from()) && !varies(f.to()) && isPossible(f.body());
                case Statement.If i -> isPossible(i.then()) && isPossible(i.otherwise());
                case Statement.Store s -> varies(s.index());
                case Statement.Prefetch p -> true;
                // Which round fails first has to stay as it is.
                case Statement.Fault f -> false;
                case Statement.Declare d -> true;
                case Statement.Assign a -> true;
                case Statement.Bind b -> true;
            };
            if (!possible) {
                return false;
            }
        }
        return true;
    }

    private void findSums(List<Statement> statements) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.For f -> {
                    sums(f.body(), new HashSet<>());
                    findSums(f.body());
                }
                case Statement.If i -> {
                    findSums(i.then());
                    findSums(i.otherwise());
                }
                default -> { }
            }
        }
    }

    /**
     * Of a loop inside.
     *
     * @param inside what this loop declares: it is no sum that lives longer than a round of it
     */
    private void sums(List<Statement> statements, Set<Variable> inside) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.Declare d -> inside.add(d.variable());
                case Statement.Assign a -> {
                    if (varying.contains(a.variable()) && !inside.contains(a.variable())) {
                        sums.add(a.variable());
                    }
                }
                case Statement.For f -> sums(f.body(), inside);
                case Statement.If i -> {
                    sums(i.then(), inside);
                    sums(i.otherwise(), inside);
                }
                default -> { }
            }
        }
    }

    /** Whether nothing is read that is written here: a round would see what a later one wrote. */
    private boolean isDisjoint() {
        Set<Buffer> read = new HashSet<>();
        Set<Buffer> written = new HashSet<>();
        memory(loop.body(), read, written);
        written.retainAll(read);
        return written.isEmpty();
    }

    private static void memory(List<Statement> all, Set<Buffer> read, Set<Buffer> written) {
        for (Statement statement : all) {
            switch (statement) {
                case Statement.Declare d -> loads(d.value(), read);
                case Statement.Assign a -> loads(a.value(), read);
                case Statement.Store s -> {
                    written.add(s.buffer());
                    loads(s.index(), read);
                    loads(s.value(), read);
                    s.active().ifPresent(a -> loads(a, read));
                }
                case Statement.Prefetch p -> loads(p.index(), read);
                case Statement.Bind b -> loads(b.index(), read);
                case Statement.For f -> {
                    loads(f.from(), read);
                    loads(f.to(), read);
                    memory(f.body(), read, written);
                }
                case Statement.If i -> {
                    loads(i.condition(), read);
                    memory(i.then(), read, written);
                    memory(i.otherwise(), read, written);
                }
                case Statement.Fault f -> { }
            }
        }
    }

    private static void loads(Expression expression, Set<Buffer> read) {
        if (expression instanceof Expression.Load load) {
            read.add(load.buffer());
        }
        expression.operands().forEach(o -> loads(o, read));
    }

    // ------------------------------------------------------------------ the new loops

    private Jammed jam(long copies, UnaryOperator<Expression> let) {
        long stride = loop.step() * copies;
        Optional<Long> rounds = rounds();
        Expression end = rounds
                .<Expression>map(r -> Build.add(
                        loop.from(), Build.whole(r / copies * stride)))
                .orElseGet(() -> let.apply(Build.add(loop.from(), Build.multiply(
                        Build.divide(Build.subtract(loop.to(), loop.from()),
                                Build.whole(stride)),
                        Build.whole(stride)))));
        List<Round> together = new ArrayList<>();
        List<Statement> body = new ArrayList<>();
        for (int copy = 0; copy < copies; copy++) {
            Round round = new Round(copy == 0);
            if (copy > 0) {
                body.add(new Statement.Declare(round.name(loop.index()), Build.add(
                        new Expression.Get(loop.index()), Build.whole(copy * loop.step())),
                        false));
            }
            together.add(round);
        }
        copies(loop.body(), together, body);
        var jammed = new Statement.For(loop.index(), loop.from(), end, stride, body);
        boolean whole = rounds.filter(r -> r % copies == 0).isPresent();
        Round alone = new Round(false);
        return new Jammed(jammed, whole ? Optional.empty() : Optional.of(
                new Statement.For(alone.name(loop.index()), end, loop.to(), loop.step(),
                        alone.everything(loop.body()))));
    }

    /** What all rounds share once, the rest once for each round. */
    private void copies(List<Statement> statements, List<Round> rounds, List<Statement> out) {
        for (Statement statement : statements) {
            switch (statement) {
                case Statement.For f -> {
                    List<Statement> body = new ArrayList<>();
                    copies(f.body(), rounds, body);
                    out.add(new Statement.For(f.index(), f.from(), f.to(), f.step(), body));
                }
                case Statement.If i when !varies(i.condition()) -> {
                    List<Statement> then = new ArrayList<>();
                    copies(i.then(), rounds, then);
                    List<Statement> otherwise = new ArrayList<>();
                    copies(i.otherwise(), rounds, otherwise);
                    out.add(new Statement.If(i.condition(), then, otherwise));
                }
                case Statement.Declare d when !varying.contains(d.variable()) -> out.add(d);
                case Statement.Assign a when !varying.contains(a.variable()) -> out.add(a);
                case Statement.Bind b when !varyingBuffers.contains(b.buffer()) -> out.add(b);
                default -> rounds.forEach(r -> out.add(r.statement(statement)));
            }
        }
    }

    /** One of the rounds that go together, with names of its own for what differs. */
    private final class Round {
        private final boolean first;
        private final Map<Variable, Variable> variables = new HashMap<>();
        private final Map<Buffer, Buffer> buffers = new HashMap<>();
        private boolean all;

        /**
         * @param first whether it keeps the names that are there
         */
        Round(boolean first) {
            this.first = first;
        }

        Variable name(Variable variable) {
            return first ? variable
                    : variables.computeIfAbsent(variable, v -> names.fresh(v));
        }

        private Buffer name(Buffer buffer) {
            return first ? buffer : buffers.computeIfAbsent(buffer, b -> names.fresh(b));
        }

        /** A copy in which whatever is declared has another name. */
        List<Statement> everything(List<Statement> statements) {
            all = true;
            return statements.stream().map(this::statement).toList();
        }

        Statement statement(Statement statement) {
            return switch (statement) {
                case Statement.Declare d -> {
                    Expression value = expression(d.value());
                    yield new Statement.Declare(
                            all || varying.contains(d.variable())
                                    ? name(d.variable()) : d.variable(),
                            value, d.mutable());
                }
                case Statement.Assign a ->
                        new Statement.Assign(known(a.variable()), expression(a.value()));
                case Statement.Store s -> new Statement.Store(known(s.buffer()),
                        expression(s.index()), expression(s.value()),
                        s.active().map(this::expression));
                case Statement.Prefetch p -> new Statement.Prefetch(
                        known(p.buffer()), expression(p.index()));
                case Statement.Bind b -> {
                    Expression index = expression(b.index());
                    yield new Statement.Bind(all || varyingBuffers.contains(b.buffer())
                            ? name(b.buffer()) : b.buffer(), known(b.table()), index);
                }
                case Statement.For f -> {
                    Expression from = expression(f.from());
                    Expression to = expression(f.to());
                    yield new Statement.For(name(f.index()), from, to, f.step(),
                            f.body().stream().map(this::statement).toList());
                }
                case Statement.If i -> new Statement.If(expression(i.condition()),
                        i.then().stream().map(this::statement).toList(),
                        i.otherwise().stream().map(this::statement).toList());
                case Statement.Fault f -> new Statement.Fault(
                        f.code(), expression(f.value()), expression(f.limit()));
            };
        }

        private Variable known(Variable variable) {
            return variables.getOrDefault(variable, variable);
        }

        private Buffer known(Buffer buffer) {
            return buffers.getOrDefault(buffer, buffer);
        }

        private Expression expression(Expression expression) {
            List<Expression> operands =
                    expression.operands().stream().map(this::expression).toList();
            return switch (expression) {
                case Expression.Get get -> new Expression.Get(known(get.variable()));
                case Expression.Load load -> new Expression.Load(known(load.buffer()),
                        operands.getFirst(), load.lanes(),
                        load.active().map(a -> operands.get(1)));
                default -> expression.with(operands);
            };
        }
    }
}
