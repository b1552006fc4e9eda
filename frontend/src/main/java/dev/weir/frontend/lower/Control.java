package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Expression;
import dev.weir.frontend.syntax.Statement;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Origin;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Lowers control flow. Variables that a branch or a loop assigns become results of its region, so
 * that every value is defined once.
 *
 * <p>{@code break} clears a boolean that the loop carries; what stands behind it runs where the
 * boolean still holds. The boolean has the axis of the condition under which the loop is left.
 */
final class Control {
    /** Thrown where a loop turns out to be left by each element of an axis by itself. */
    private static final class NeedsAxis extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final String loop;
        private final transient Dimension axis;

        NeedsAxis(String loop, Dimension axis) {
            super(null, null, false, false);
            this.loop = loop;
            this.axis = axis;
        }
    }

    /** A gate around what is being lowered: inside it, the axis has the entrants only. */
    private record Gated(Dimension axis, Dimension inside) {}

    /**
     * A loop that can be left.
     *
     * @param active the variable that {@code break} clears; no user can write this name
     * @param axis of the condition under which the loop is left
     * @param gates how many were open when it began
     */
    private record Breakable(
            String active, Optional<String> label, Optional<Dimension> axis, int gates) {}

    /** The name of the variable that says whether the loop at a depth is still being run. */
    private static String active(int depth) {
        return "(active " + depth + ")";
    }

    /** The end of a loop without a stated maximum. */
    private static final long ENDLESS = 1L << 52;

    private final Body body;
    private final Deque<Breakable> breakables = new ArrayDeque<>();
    private final Deque<Gated> gates = new ArrayDeque<>();
    private int counter;

    Control(Body body) {
        this.body = body;
    }

    /** A declared shape as it is inside the gates around. */
    List<Dimension> entering(List<Dimension> shape) {
        List<Dimension> inner = new ArrayList<>(shape);
        for (Gated gate : new ArrayList<>(gates).reversed()) {
            inner.replaceAll(d -> d.isSame(gate.axis()) ? gate.inside() : d);
        }
        return inner;
    }

    /** Lowers something for what it tells, and takes it back. */
    <T> T tried(Supplier<T> attempt) {
        Runnable back = snapshot();
        body.openRegion();
        try {
            return attempt.get();
        } finally {
            back.run();
        }
    }

    /** Notes how far the lowering has come; running what this gives goes back there. */
    private Runnable snapshot() {
        Session.Checkpoint checkpoint = body.session.checkpoint();
        int depth = body.regionDepth();
        int before = counter;
        int loops = body.loops.size();
        int open = gates.size();
        Map<String, List<String>> appended = body.appended();
        return () -> {
            body.session.restore(checkpoint);
            body.restoreAppended(appended);
            body.closeTo(depth);
            counter = before;
            while (body.loops.size() > loops) {
                body.loops.pop();
            }
            while (gates.size() > open) {
                gates.pop();
            }
        };
    }

    boolean isInLoop() {
        return !breakables.isEmpty();
    }

    void branch(Statement.If statement, Scope scope) {
        Meaning meaning = body.evaluator.settle(
                body.evaluator.evaluate(statement.condition(), scope, false),
                statement.condition().span());
        if (meaning instanceof Meaning.Truth t) {
            Set<String> names = new LinkedHashSet<>();
            Trees.names(statement.condition(), names);
            if (names.isEmpty()) {
                body.session.report(constant(statement, t.value()));
            }
            body.statements.all(t.value() ? statement.then() : statement.otherwise(), scope);
            return;
        }
        Meaning condition = meaning instanceof Meaning.Unknown
                ? new Meaning.Element(Scalar.truth(true)) : meaning;
        Meaning.Tensor tensor =
                body.evaluator.tensor(condition, statement.condition().span());
        warnOfNever(tensor, statement.condition());
        if (tensor.format() != Format.BOOL) {
            throw body.session.fail(Diagnostic.error("E0401", statement.condition().span(),
                            "a condition is a truth value, here is a number")
                    .helped("compare it with something: `… > 0`"));
        }
        Meaning.Tensor decided = body.stored(
                body.materialise(tensor, "condition", statement.span()),
                tensor.shape(), statement.condition().span());
        if (tensor.rank() > 0) {
            conditional(decided, statement.then(), statement.otherwise(), scope,
                    statement.span());
            return;
        }
        Scalar holds = tensor.reader().at(List.of());
        choose(decided.value().orElseThrow(),
                () -> body.bounds.assuming(holds, () -> lowered(statement.then(), scope)),
                () -> body.bounds.assuming(Scalars.not(holds),
                        () -> lowered(statement.otherwise(), scope)),
                scope, statement.span());
    }

    /** What to say of a condition that nothing can change. */
    private static Diagnostic constant(Statement.If statement, boolean holds) {
        Span span = statement.condition().span();
        boolean isOfWhile = statement.then().equals(leaving(span));
        boolean always = holds != isOfWhile;
        return Diagnostic.warning("W0202", span,
                        "this condition " + (always ? "always" : "never") + " holds")
                .helped(!isOfWhile
                        ? "leave the `if` out, or compare something that may change"
                        : always ? "compare something that the loop changes; a loop that is only "
                                + "left by `break` states its maximum: `for i in 0..8`"
                        : "leave the `while` out, or compare something that may change");
    }

    /** How a {@code while} ends whose condition stands at a place. */
    private static List<Statement> leaving(Span condition) {
        return List.of(new Statement.Break(Optional.empty(), condition));
    }

    private void warnOfNever(Meaning.Tensor condition, Expression source) {
        Scalar element = condition.reader().at(condition.shape().stream()
                .map(d -> Scalar.variable(body.index("i", d))).toList());
        if (body.bounds.excludes(element)) {
            body.session.report(Diagnostic.warning("W0202", source.span(),
                            "this condition never holds, so nothing behind it is ever done")
                    .helped("its parts exclude each other"));
        }
    }

    /** What is said of those that have left runs where the loop has been left. */
    private void left(List<Statement> statements, Scope scope) {
        Meaning.Tensor active = (Meaning.Tensor) scope.find(
                breakables.element().active()).orElseThrow();
        Span span = statements.getFirst().span();
        conditional(opposite(active, "left", span), statements, List.of(), scope, span);
    }

    private Meaning.Tensor opposite(Meaning.Tensor condition, String name, Span span) {
        Value value = body.materialise(new Meaning.Tensor(condition.shape(), Format.BOOL,
                at -> Scalars.not(condition.reader().at(at)), Optional.empty(), span), name, span);
        return body.stored(value, condition.shape(), condition.span());
    }

    /** What stands behind a {@code break} runs where the loop has not been left. */
    void whileActive(List<Statement> rest, Scope scope) {
        Meaning.Tensor active = (Meaning.Tensor) scope.find(
                breakables.element().active()).orElseThrow();
        conditional(active, rest, List.of(), scope, rest.getFirst().span());
    }

    private void conditional(
            Meaning.Tensor condition,
            List<Statement> then,
            List<Statement> otherwise,
            Scope scope,
            Span span) {
        if (condition.rank() == 0) {
            choose(condition.value().orElseThrow(), () -> lowered(then, scope),
                    () -> lowered(otherwise, scope), scope, span);
        } else if (condition.rank() == 1) {
            gate(condition, then, scope, span, !otherwise.isEmpty());
            if (!otherwise.isEmpty()) {
                gate(opposite(condition, "opposite", span), otherwise, scope, span, true);
            }
        } else {
            throw body.session.fail(Diagnostic.error("E0404", condition.span(),
                            "a condition has one axis at most, this one has "
                                    + Signatures.shape(condition.shape()))
                    .helped("write the part as a block for one element, and apply it to many"));
        }
    }

    private record Branch(Scope scope, List<Node> nodes) {}

    private Branch lowered(List<Statement> statements, Scope scope) {
        Scope inner = scope.inner();
        body.openRegion();
        body.statements.all(statements, inner);
        return new Branch(inner, body.closeRegion());
    }

    private void choose(
            Value condition, Supplier<Branch> then, Supplier<Branch> otherwise, Scope scope,
            Span span) {
        Branch first = then.get();
        Branch second = otherwise.get();
        Set<String> names = new LinkedHashSet<>(first.scope().own().keySet());
        names.addAll(second.scope().own().keySet());
        List<Value> results = new ArrayList<>();
        List<Value> left = new ArrayList<>();
        List<Value> right = new ArrayList<>();
        for (String name : names) {
            if (leavesState(name, scope)) {
                continue;
            }
            Meaning a = first.scope().find(name).orElse(null);
            Meaning b = second.scope().find(name).orElse(null);
            boolean inner = !isVariable(a) || !isVariable(b);
            if (inner) {
                if (a == null || b == null) {
                    scope.noteHalfAssigned(name, Scope.Half.BRANCH);
                }
                if (a instanceof Meaning.Poison || b instanceof Meaning.Poison) {
                    scope.define(name, new Meaning.Poison());
                }
                continue;
            }
            Meaning.Tensor x = inside(a, name, first.nodes(), span);
            Meaning.Tensor y = inside(b, name, second.nodes(), span);
            checkSame(name, x, y, span, "one branch", "the other");
            Value result = body.newValue(name, x.format(), x.shape());
            results.add(result);
            left.add(x.value().orElseThrow());
            right.add(y.value().orElseThrow());
            scope.define(name, body.stored(result, x.shape(), x.span()));
        }
        body.emit(new Node.If(results, condition,
                new Region(List.of(), first.nodes(), left),
                new Region(List.of(), second.nodes(), right), span));
    }

    /**
     * Whether a name is a state, which a region changes but does not hand on: behind the region
     * what was read of it before is out of date.
     */
    private boolean leavesState(String name, Scope scope) {
        Meaning meaning = body.frame.scope().find(name).orElse(null);
        if (!(meaning instanceof Meaning.StateReference)) {
            return false;
        }
        scope.define(name, meaning);
        return true;
    }

    private static boolean isVariable(Meaning meaning) {
        return meaning instanceof Meaning.Tensor || meaning instanceof Meaning.Element
                || meaning instanceof Meaning.Whole || meaning instanceof Meaning.Real
                || meaning instanceof Meaning.Truth;
    }

    /** The value of a variable at the end of a region, computed there if it is a constant. */
    private Meaning.Tensor inside(Meaning meaning, String name, List<Node> nodes, Span span) {
        body.openRegion();
        Meaning.Tensor tensor = body.evaluator.tensor(meaning, span);
        Value value = body.materialise(tensor, name, span);
        nodes.addAll(body.closeRegion());
        return body.stored(value, tensor.shape(), tensor.span());
    }

    void checkSame(
            String name, Meaning.Tensor a, Meaning.Tensor b, Span span, String here,
            String there) {
        boolean same = a.rank() == b.rank() && a.format() == b.format();
        for (int i = 0; same && i < a.rank(); i++) {
            same = !a.shape().get(i).differs(b.shape().get(i));
        }
        if (!same) {
            throw body.session.fail(Diagnostic.error("E0405", span,
                            "`" + name + "` is " + Formats.describe(a.format())
                                    + Signatures.shape(a.shape()) + " in " + here + " and "
                                    + Formats.describe(b.format())
                                    + Signatures.shape(b.shape()) + " in " + there)
                    .with(a.span(), here).with(b.span(), there));
        }
    }

    /** Runs statements for those elements of an axis that enter. */
    private void gate(
            Meaning.Tensor condition, List<Statement> then, Scope scope, Span span,
            boolean mayStart) {
        Dimension axis = condition.shape().getFirst();
        Size.Symbol entrants = body.session.symbol("E");
        Dimension inside = new Dimension(entrants, axis.named());
        Map<Value, Value> captured = new LinkedHashMap<>();
        Map<Value, Meaning.Tensor> seen = new HashMap<>();
        Scope inner = scope.inner(m -> entering(m, axis, inside, captured, seen));
        scope.visible().stream().toList().forEach(n -> {
            if (scope.find(n).orElse(null) instanceof Meaning.Whole w
                    && w.dimension().isSame(axis)) {
                inner.define(n, new Meaning.Whole(inside));
            }
        });
        Set<String> sizes = new LinkedHashSet<>(inner.own().keySet());
        gates.push(new Gated(axis, inside));
        body.openRegion();
        body.statements.all(then, inner);
        List<Node> nodes = body.closeRegion();
        gates.pop();
        List<Value> results = new ArrayList<>();
        List<Value> before = new ArrayList<>();
        List<Value> after = new ArrayList<>();
        Map<String, Meaning> merged = new LinkedHashMap<>();
        for (var assigned : inner.own().entrySet()) {
            String name = assigned.getKey();
            if (sizes.contains(name) || leavesState(name, scope)) {
                continue;
            }
            Meaning outer = scope.find(name).orElse(null);
            boolean isNew = outer == null && !mayStart;
            if (isNew || !isVariable(assigned.getValue())) {
                if (assigned.getValue() instanceof Meaning.Poison) {
                    merged.put(name, new Meaning.Poison());
                } else if (outer == null) {
                    scope.noteHalfAssigned(name, Scope.Half.BRANCH);
                }
                continue;
            }
            if (outer == null && assigned.getValue() instanceof Meaning.Tensor t
                    && t.shape().stream().anyMatch(d -> d.jagged().isPresent())) {
                scope.noteHalfAssigned(name, Scope.Half.JAGGED);
                continue;
            }
            Meaning.Tensor now = inside(assigned.getValue(), name, nodes, span);
            if (now.rank() == 0 || !now.shape().getFirst().isSame(inside)) {
                throw body.session.fail(Diagnostic.error("E0402", now.span(),
                                "`" + name + "` is assigned for some elements of "
                                        + axis.describe() + " but lacks that axis")
                        .labelled("axes " + Signatures.shape(now.shape()))
                        .with(condition.span(), "the condition decides for each element of "
                                + axis.describe())
                        .helped("give the value the axis, or decide once: `if any(…) { … }`"));
            }
            List<Dimension> shape = new ArrayList<>(now.shape());
            shape.set(0, axis);
            Meaning.Tensor old = outer == null
                    ? body.stored(body.constant(name, Scalars.zero(now.format()), shape, span),
                            shape, span)
                    : body.evaluator.tensor(outer, span);
            Value kept = body.materialise(old, name, span);
            checkSame(name, body.stored(kept, old.shape(), old.span()),
                    body.stored(kept.type().format() == now.format() ? kept
                            : body.newValue(name, now.format(), shape), shape, now.span()),
                    span, "what was before", "the branch");
            Value result = body.newValue(name, now.format(), shape);
            results.add(result);
            before.add(kept);
            after.add(now.value().orElseThrow());
            merged.put(name, body.stored(result, shape, now.span()));
        }
        merged.forEach(scope::define);
        String path = Place.join(body.frame.place().path(), "gate" + counter++);
        body.emit(new Node.Gate(results, condition.value().orElseThrow(), entrants,
                List.copyOf(captured.keySet()), before,
                new Region(List.copyOf(captured.values()), nodes, after), List.of(), path,
                span));
    }

    private Meaning entering(
            Meaning meaning,
            Dimension axis,
            Dimension inside,
            Map<Value, Value> captured,
            Map<Value, Meaning.Tensor> seen) {
        if (!(meaning instanceof Meaning.Tensor t) || t.rank() == 0 || t.value().isEmpty()
                || !t.shape().getFirst().size().equals(axis.size())) {
            return meaning;
        }
        Value outer = t.value().get();
        return seen.computeIfAbsent(outer, v -> {
            List<Dimension> shape = new ArrayList<>(t.shape());
            shape.set(0, inside);
            shape.replaceAll(d -> entering(d, axis, inside, captured));
            return body.stored(captured(outer, inside, captured), shape, t.span());
        });
    }

    /** The rows of a value that enter. */
    private Value captured(Value outer, Dimension inside, Map<Value, Value> captured) {
        return captured.computeIfAbsent(outer, v -> {
            List<Size> shape = new ArrayList<>(v.type().shape());
            shape.set(0, inside.size());
            return body.session.value(v.name(), new TensorType(v.type().format(), shape));
        });
    }

    /** A jagged axis, whose lengths are those of the entrants. */
    private Dimension entering(
            Dimension dimension,
            Dimension axis,
            Dimension inside,
            Map<Value, Value> captured) {
        return new Dimension(dimension.size(), dimension.named(), dimension.jagged().map(j ->
                new Jagged(entrants(j.length(), axis, inside, captured), j.axes())));
    }

    private Scalar entrants(
            Scalar length, Dimension axis, Dimension inside, Map<Value, Value> captured) {
        Scalar mapped = Walk.map(length, s -> entrants(s, axis, inside, captured));
        return mapped instanceof Scalar.Load l && l.source().type().rank() > 0
                        && l.source().type().shape().getFirst().equals(axis.size())
                ? new Scalar.Load(captured(l.source(), inside, captured), l.coordinates(),
                        l.bounds(), l.otherwise())
                : mapped;
    }

    /**
     * A loop, ready to be lowered.
     *
     * @param name of the number of the round, or of the element of the stream
     * @param span of the whole statement
     * @param scans the axis that the loop goes through, if it is a scan
     */
    record Head(
            String name, Scalar from, Scalar to, List<Statement> body, Span span, Span range,
            Optional<Along> scans, Optional<String> label) {}

    /** The places of an axis, from the first to the last or backwards. */
    record Along(Dimension axis, boolean backwards) {}

    void loop(Statement.For f, Scope scope) {
        Meaning low = body.evaluator.settle(
                body.evaluator.evaluate(f.range().from(), scope, false), f.range().span());
        Meaning high = body.evaluator.settle(
                body.evaluator.evaluate(f.range().to(), scope, false), f.range().span());
        if (low instanceof Meaning.Whole from && high instanceof Meaning.Whole to
                && from.dimension().size().isConstant() && to.dimension().size().isConstant()
                && new Unlike(body).areCalled(f, scope)) {
            rounds(f, scope, from.dimension().size().constant().get(),
                    to.dimension().size().constant().get());
            return;
        }
        loop(new Head(f.index(),
                whole(body.evaluator.scalar(low, f.range().from().span()), f.range().from()),
                whole(body.evaluator.scalar(high, f.range().to().span()), f.range().to()),
                f.body(), f.span(), f.range().span(), Optional.empty(), f.label()), scope);
    }

    /**
     * A loop over blocks that take and give unlike shapes, round by round: what one gives may have
     * another shape than what it got.
     *
     * <pre>
     *   for i in 0..3 { x = stages[i](x) }   ⇒   x = stages[0](x); x = stages[1](x); …
     * </pre>
     */
    private void rounds(Statement.For f, Scope scope, long from, long to) {
        if (Trees.breaks(f.body())) {
            throw body.session.fail(Diagnostic.error("E0405", f.span(),
                            "a loop over blocks of unlike shapes cannot be left early")
                    .labelled("which shape there is behind it depends on the round")
                    .helped("give the blocks the same shapes, or leave inside of one"));
        }
        hidesNothing(f.index(), f.span(), scope);
        Set<String> assigned = new LinkedHashSet<>();
        Trees.assigned(f.body(), assigned);
        for (long i = from; i < to; i++) {
            Scope inner = scope.inner();
            inner.define(f.index(), new Meaning.Whole(Dimension.of(i)));
            body.statements.all(f.body(), inner);
            for (String name : assigned) {
                Optional<Meaning> end = inner.find(name);
                if (scope.find(name).isPresent() && !leavesState(name, scope)) {
                    end.ifPresent(m -> scope.define(name, m));
                } else if (scope.find(name).isEmpty()) {
                    scope.noteHalfAssigned(name, Scope.Half.LOOP);
                }
            }
        }
    }

    private void hidesNothing(String name, Span span, Scope scope) {
        if (scope.find(name).filter(m -> !(m instanceof Meaning.Poison)).isPresent()) {
            throw body.session.fail(Diagnostic.error("E0305", span,
                            "the loop's `" + name + "` hides a value of the same name")
                    .helped("call it something else"));
        }
    }

    private Scalar whole(Scalar bound, Expression source) {
        if (bound.format() != Format.I64) {
            throw body.session.fail(Diagnostic.error("E0308", source.span(),
                            "a loop counts in whole numbers, here is "
                                    + Formats.describe(bound.format()))
                    .helped("convert it with `int(…)`, which rounds towards zero"));
        }
        return bound;
    }

    /** Gives the scope of the body as it is at the end of a round. */
    Scope loop(Head f, Scope scope) {
        boolean breaks = Trees.breaks(f.body());
        if (!breaks) {
            return attempt(f, scope, Optional.empty(), false);
        }
        Runnable back = snapshot();
        try {
            body.openRegion();
            Scope inner = attempt(f, scope, Optional.empty(), true);
            body.closeRegion().forEach(body::emit);
            return inner;
        } catch (NeedsAxis needs) {
            if (!needs.loop.equals(active(breakables.size()))) {
                throw needs;
            }
            back.run();
            return attempt(f, scope, Optional.of(needs.axis), true);
        }
    }

    private Scope attempt(Head f, Scope scope, Optional<Dimension> axis, boolean breaks) {
        hidesNothing(f.name(), f.span(), scope);
        Set<String> assigned = new LinkedHashSet<>();
        Trees.assigned(f.body(), assigned);
        List<String> carried = new ArrayList<>();
        for (String name : assigned) {
            if (!leavesState(name, scope)
                    && scope.find(name).filter(Control::isVariable).isPresent()) {
                carried.add(name);
            }
        }
        List<Value> initial = new ArrayList<>();
        List<Value> arguments = new ArrayList<>();
        List<Meaning.Tensor> starts = new ArrayList<>();
        Scope inner = scope.inner();
        for (String name : carried) {
            Meaning.Tensor start = body.evaluator.tensor(
                    scope.find(name).orElseThrow(), f.span());
            starts.add(start);
            initial.add(body.materialise(start, name, f.span()));
        }
        for (Breakable outer : leftWith(f.body())) {
            carried.add(outer.active());
        }
        for (String name : carried.subList(initial.size(), carried.size())) {
            Meaning.Tensor start = (Meaning.Tensor) scope.find(name).orElseThrow();
            starts.add(start);
            initial.add(start.value().orElseThrow());
        }
        String active = active(breakables.size());
        if (breaks) {
            List<Dimension> shape = axis.map(List::of).orElse(List.of());
            Value all = body.constant("active", Scalar.truth(true), shape, f.span());
            carried.add(active);
            starts.add(body.stored(all, shape, f.span()));
            initial.add(all);
        }
        for (int i = 0; i < carried.size(); i++) {
            Value argument = body.session.value(
                    initial.get(i).name(), initial.get(i).type());
            arguments.add(argument);
            inner.define(carried.get(i),
                    body.stored(argument, starts.get(i).shape(), starts.get(i).span()));
        }
        Value index = body.session.value(f.name(), TensorType.scalar(Format.I64));
        body.bounds.limit(index, f.from(), f.to());
        body.loops.push(new Body.Around(index,
                Scalars.wholeConstant(f.to()).filter(n -> n < ENDLESS), f.scans().isPresent(),
                f.span()));
        body.openRegion();
        Value place = f.scans().filter(Along::backwards).isPresent()
                ? fromTheEnd(index, f) : index;
        f.scans().ifPresent(along -> body.places.put(place, along.axis()));
        inner.define(f.name(), body.stored(place, List.of(), f.span()));
        Leavers leavers = new Leavers(body, f);
        if (breaks) {
            breakables.push(new Breakable(active, f.label(), axis, gates.size()));
            try {
                if (!leavers.statements().isEmpty()) {
                    left(leavers.statements(), inner);
                }
                whileActive(leavers.others(), inner);
            } finally {
                breakables.pop();
            }
        } else {
            leavers.requireBreak();
            body.statements.all(f.body(), inner);
        }
        List<Node> nodes = leavers.together(body.closeRegion());
        body.loops.pop();
        body.places.remove(place);
        finish(f, scope, inner, carried, starts, initial, arguments, nodes, index, breaks,
                leavers.areSome());
        return inner;
    }

    /** The place of the element that a round of a scan backwards is about. */
    private Value fromTheEnd(Value index, Head f) {
        Value place = body.scalarValue(f.name(), Scalar.apply(Operation.SUBTRACT,
                Scalar.apply(Operation.SUBTRACT, f.to(), Scalar.whole(1)),
                Scalar.load(index, List.of())), f.span());
        body.bounds.limit(place, f.from(), f.to());
        return place;
    }

    private void finish(
            Head f,
            Scope scope,
            Scope inner,
            List<String> carried,
            List<Meaning.Tensor> starts,
            List<Value> initial,
            List<Value> arguments,
            List<Node> nodes,
            Value index,
            boolean breaks,
            boolean allRounds) {
        List<Value> ends = new ArrayList<>();
        List<Value> results = new ArrayList<>();
        Map<String, Meaning> after = new LinkedHashMap<>();
        for (int i = 0; i < carried.size(); i++) {
            String name = carried.get(i);
            List<Dimension> shape = starts.get(i).shape();
            Meaning meaning = inner.find(name).orElseThrow();
            if (!isVariable(meaning)) {
                throw new Failure();
            }
            Meaning.Tensor end = inside(meaning, name, nodes, f.span());
            checkSame(name, body.stored(initial.get(i), shape, starts.get(i).span()), end,
                    f.span(), "what enters the loop", "the loop's body");
            if (f.scans().filter(along -> shape.stream().anyMatch(along.axis()::isSame)).isPresent()
                    && !Origin.of(nodes, end.value().orElseThrow())
                            .filter(arguments.get(i)::equals).isPresent()) {
                throw body.session.fail(Diagnostic.error("E0407", end.span(),
                                "inside `scan " + f.name() + "`, `" + name
                                        + "` is replaced as a whole for each " + f.name())
                        .with(f.span(), "the scan goes through it element by element")
                        .helped("say what it is there: `" + name + "[" + f.name() + ", …] = …`"));
            }
            ends.add(end.value().orElseThrow());
            Value result = body.session.value(
                    initial.get(i).name(), initial.get(i).type());
            results.add(result);
            if (!name.equals(active(breakables.size()))) {
                after.put(name, body.stored(result, shape, end.span()));
            }
        }
        for (String name : inner.own().keySet()) {
            if (!carried.contains(name) && scope.find(name).isEmpty()) {
                scope.noteHalfAssigned(name, Scope.Half.LOOP);
            }
        }
        after.forEach(scope::define);
        String path = Place.join(body.frame.place().path(),
                (f.scans().isPresent() ? "scan_" : "loop_") + f.name());
        body.emit(new Node.Loop(results, index, f.from(), f.to(), initial,
                breaks && !allRounds ? Optional.of(carried.size() - 1) : Optional.empty(),
                new Region(arguments, nodes, ends), path, f.span()));
    }

    /** The loops around that statements leave together with the one that they stand in. */
    private List<Breakable> leftWith(List<Statement> statements) {
        Set<String> labels = Trees.labels(statements);
        List<Breakable> left = new ArrayList<>();
        List<Breakable> passed = new ArrayList<>();
        for (Breakable loop : breakables) {
            passed.add(loop);
            if (loop.label().filter(labels::contains).isPresent()) {
                left.addAll(passed);
                passed.clear();
            }
        }
        return left;
    }

    void leave(Statement.Break b, Scope scope) {
        if (breakables.isEmpty()) {
            throw body.session.fail(Diagnostic.error("E0406", b.span(),
                            "`break` stands outside any loop"));
        }
        List<Breakable> left = new ArrayList<>();
        for (Breakable loop : breakables) {
            left.add(loop);
            if (b.label().isEmpty() || loop.label().equals(b.label())) {
                break;
            }
        }
        if (b.label().isPresent() && !left.getLast().label().equals(b.label())) {
            throw body.session.fail(Diagnostic.error("E0406", b.span(),
                            "no loop around is called `" + b.label().get() + "`")
                    .helped("name the loop: `" + b.label().get() + ": for … { … }`"));
        }
        for (Breakable loop : left) {
            int opened = gates.size() - loop.gates();
            if (loop.axis().isEmpty() && opened > 0) {
                throw new NeedsAxis(
                        loop.active(), new ArrayList<>(gates).get(opened - 1).axis());
            }
        }
        for (Breakable loop : left) {
            Meaning.Tensor active = (Meaning.Tensor) scope.find(loop.active()).orElseThrow();
            Value none = body.constant(
                    "active", Scalar.truth(false), active.shape(), b.span());
            scope.define(loop.active(), body.stored(none, active.shape(), b.span()));
        }
    }

    /**
     * A loop that each element leaves once its condition does not hold.
     *
     * <pre>
     *   while c { … }   ⇒   for _ in 0..maximum { if not c { break }; … }
     * </pre>
     */
    void whileLoop(Statement.While w, Scope scope) {
        Span span = w.condition().span();
        Expression from = new Expression.Literal(0, 0, true, span);
        Expression to = w.maximum().orElse(
                new Expression.Literal(ENDLESS, ENDLESS, true, span));
        Expression over = new Expression.Unary(
                Expression.UnaryOperator.NOT, w.condition(), span);
        List<Statement> inside = new ArrayList<>();
        inside.add(new Statement.If(over, leaving(span), List.of(), span));
        inside.addAll(w.body());
        String index = "round of line " + span.source().position(span.start()).line();
        loop(new Statement.For(Optional.empty(), index,
                new Expression.Range(from, to, span), inside, w.span()), scope);
    }
}
