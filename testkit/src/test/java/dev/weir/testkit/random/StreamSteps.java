package dev.weir.testkit.random;

import static dev.weir.testkit.random.Steps.apply;
import static dev.weir.testkit.random.Steps.keep;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.testkit.random.Level.Item;
import dev.weir.testkit.random.Recipe.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the nodes of steps that look along the stream, or remember it. */
final class StreamSteps {
    /** Elements of a row, a multiple of the lanes of every machine. */
    private static final long WIDE = 32;

    /** More rows than a sequence has in all its chunks, for the tolerance. */
    private static final long ROWS = 32;

    private final Maker maker;
    private final Steps steps;

    StreamSteps(Maker maker, Steps steps) {
        this.maker = maker;
        this.steps = steps;
    }

    private Optional<Item> prefixed(Level level, int number) {
        return level.pick(number, i -> i.isReal() && i.prefixed()).map(steps::used);
    }

    /** A real value with rows: the latest, or one that is made. */
    private Item rows(Level level, int number) {
        return prefixed(level, number).orElseGet(() -> {
            Item a = steps.used(level.real(number));
            return keep(level, level.compute("spread", Format.F32, true, a.own(),
                    (row, own) -> Level.read(a, row, own, a.own())));
        });
    }

    void shift(Level level, Step step) {
        maker.whole();
        Item a = rows(level, step.a());
        Operation direction = step.c() % 4 == 0 ? Operation.ADD : Operation.SUBTRACT;
        keep(level, level.compute("shifted", a.format(), true, a.own(), (row, own) -> {
            List<Scalar> place = new ArrayList<>(Level.place(a, row, own, a.own()));
            place.set(0, apply(direction, row, Scalar.whole(step.b() % 4)));
            return Scalar.loadOr(a.value(), place, Scalar.real(step.c() % 2));
        }));
    }

    /** Sums or maxima over the rows up to the present one, or over a window of them. */
    void reduce(Level level, Step step) {
        maker.whole();
        maker.sums(ROWS);
        Item a = rows(level, step.a());
        List<Long> shape = a.own();
        Reduction.Kind kind = switch (step.b() % 3) {
            case 0 -> Reduction.Kind.MAXIMUM;
            case 1 -> Reduction.Kind.MINIMUM;
            default -> Reduction.Kind.SUM;
        };
        Level.Term causal = (row, own, r) -> apply(Operation.LESS_EQUAL, r.getFirst(), row);
        Level.Term window = (row, own, r) -> apply(Operation.AND,
                causal.at(row, own, r),
                apply(Operation.LESS,
                        apply(Operation.SUBTRACT, row, r.getFirst()),
                        Scalar.whole(1 + step.c() % 5)));
        Optional<Level.Term> filter = switch (step.c() % 3) {
            case 0 -> Optional.of(causal);
            case 1 -> Optional.of(window);
            default -> Optional.empty();
        };
        steps.settled(level, level.reduce("along", Format.F32, true, shape, kind,
                List.of(level.prefix.orElseThrow()), filter,
                (row, own, r) -> term(Level.read(a, r.getFirst(), own, shape))));
    }

    /**
     * A term of a sum of rows. Where values are inexact it is a part of the row, lest a loop of
     * such sums make a rounding error larger with each round.
     */
    private Scalar term(Scalar row) {
        return maker.exact ? row : apply(Operation.MULTIPLY, row, Scalar.real(0.125));
    }

    Item total(Level level, Step step) {
        maker.whole();
        maker.sums(ROWS);
        Item a = rows(level, step.a());
        return steps.settled(level, level.reduce("total", Format.F32, false, a.own(),
                step.b() % 2 == 0 ? Reduction.Kind.SUM : Reduction.Kind.MAXIMUM,
                List.of(level.prefix.orElseThrow()), Optional.empty(),
                (row, own, r) -> term(Level.read(a, r.getFirst(), own, a.own()))));
    }

    void gather(Level level, Step step) {
        maker.whole();
        Item a = rows(level, step.a());
        Optional<Item> index = level.pick(step.b(), i -> i.format() == Format.I64
                && i.own().isEmpty());
        keep(level, level.compute("fetched", a.format(), true, a.own(), (row, own) -> {
            Scalar at = index.map(i -> Level.read(steps.used(i), row, List.of(), List.of()))
                    .orElse(row);
            List<Scalar> place = new ArrayList<>(Level.place(a, row, own, a.own()));
            place.set(0, apply(Operation.REMAINDER,
                    apply(Operation.ADD, at, Scalar.whole(step.c() % 3)),
                    Scalar.extent(level.prefix.orElseThrow())));
            return Scalar.loadChecked(a.value(), place);
        }));
    }

    /** Computes for the rows at which something holds, and puts that back or sums it. */
    void selected(Level level, Step step) {
        maker.whole();
        Item a = rows(level, step.a());
        Item holds = steps.decision(level, step, true);
        Size.Symbol count = level.identifiers.symbol("E");
        Value places = level.identifiers.value(
                "places", new TensorType(Format.I64, List.of(count)));
        level.nodes.add(new Node.Selection(places, holds.value(), count, Span.NONE));
        Item kept = chosen(level, count, a, (k, own) -> {
            List<Scalar> place = new ArrayList<>(Level.place(a, k, own, a.own()));
            place.set(0, Scalar.load(places, List.of(k)));
            return maker.settle(apply(Operation.MULTIPLY, Scalar.load(a.value(), place),
                    Scalar.real(step.c() % 3 - 1)));
        });
        // The one that was selected before, where there is one.
        Item beside = chosen(level, count, a, (k, own) -> {
            List<Scalar> before = new ArrayList<>(Level.place(kept, k, own, a.own()));
            before.set(0, apply(Operation.SUBTRACT, k, Scalar.whole(1)));
            return maker.settle(apply(Operation.ADD,
                    Level.read(kept, k, own, a.own()),
                    Scalar.loadOr(kept.value(), before, Scalar.real(step.c() % 2))));
        });
        if (step.c() % 4 == 3) {
            maker.sums(ROWS);
            steps.settled(level, level.reduce("total", Format.F32, false, a.own(),
                    Reduction.Kind.SUM, List.of(count), Optional.empty(),
                    (row, own, r) -> Level.read(beside, r.getFirst(), own, a.own())));
            return;
        }
        Item back = level.define("back", a.format(), true, a.own(), 0);
        List<Axis> axes = level.axes(beside);
        List<Scalar> target = new ArrayList<>(
                axes.stream().map(axis -> Scalar.variable(axis.index())).toList());
        Scalar k = target.getFirst();
        target.set(0, Scalar.load(places, List.of(k)));
        level.nodes.add(new Node.Scatter(
                back.value(), a.value(), axes, target,
                step.c() % 2 == 0 ? Optional.of(Reduction.Kind.MAXIMUM) : Optional.empty(),
                false, Level.read(beside, k, Level.own(beside, axes), a.own()), Span.NONE));
    }

    /** A value with a row for each selected one; only what is made of it can be used further. */
    private Item chosen(Level level, Size.Symbol count, Item like, Level.Element body) {
        List<Size> shape = new ArrayList<>(List.of(count));
        like.own().forEach(n -> shape.add(Size.of(n)));
        Item item = new Item(level.identifiers.value(
                "chosen", new TensorType(Format.F32, shape)), true, 0);
        List<Axis> axes = level.axes(item);
        level.nodes.add(new Node.Compute(item.value(), axes, Optional.empty(),
                body.at(Level.row(item, axes), Level.own(item, axes)), Span.NONE));
        return item;
    }

    // ------------------------------------------------------------------ attention

    void attend(Level level, Step step) {
        maker.whole();
        boolean widens = !maker.exact && step.c() % 8 != 0;
        Item query = widened(level, rows(level, step.a()), widens);
        Item key = widened(level, rows(level, step.b()), widens);
        Item value = widened(level, rows(level, step.c()), widens);
        Mask causal = (row, s) -> apply(Operation.LESS_EQUAL, s, row);
        attend(level, query, key.value(), key.own(), value.value(), value.own(),
                level.prefix.orElseThrow(), causal, step.c());
    }

    /** The same, repeated until there are whole vectors of it on every machine. */
    private static Item widened(Level level, Item item, boolean widens) {
        // A reduction, of equal terms, stays a tensor of its own.
        return !widens ? item : level.reduce("wide", Format.F32, true, List.of(WIDE),
                Reduction.Kind.MAXIMUM, List.of(Size.of(2)), Optional.empty(),
                (row, own, r) -> Level.read(item, row, own, List.of(WIDE)));
    }

    /** Whether row t sees place s. */
    private interface Mask {
        Scalar at(Scalar row, Scalar s);
    }

    /**
     * Scores of rows against places, weights that depend on them, and the places' values so
     * weighted: with a softmax where values are inexact.
     */
    private void attend(
            Level level,
            Item query,
            Value keys,
            List<Long> keyShape,
            Value values,
            List<Long> valueShape,
            Size places,
            Mask mask,
            int variant) {
        Size rows = level.prefix.orElseThrow();
        long width = query.own().stream().reduce(1L, Math::multiplyExact);
        maker.sums(width);
        maker.sums(ROWS);
        Item keyItem = new Item(keys, true, 0);
        TensorType square = new TensorType(Format.F32, List.of(rows, places));
        List<Size> reduced = query.own().stream().map(Size::of).toList();
        Value raw = scores(level, square, reduced, (t, s, r) -> apply(Operation.MULTIPLY,
                Level.read(query, t, r, query.own()),
                Scalar.load(keys, Level.place(keyItem, s, r, query.own()))));
        double limit = maker.exact ? 8 : 3;
        Value limited = points(level, square, (t, s) -> apply(
                Operation.MAXIMUM, Scalar.real(-limit), apply(
                        Operation.MINIMUM, Scalar.real(limit), Scalar.load(raw, List.of(t, s)))));
        Value scores = points(level, square, (t, s) -> apply(
                Operation.SELECT, mask.at(t, s), Scalar.load(limited, List.of(t, s)),
                Scalar.real(maker.exact ? 0 : Double.NEGATIVE_INFINITY)));
        Item item = level.compute("one", Format.F32, true, List.of(), (t, own) -> Scalar.real(1));
        Value weights = scores;
        if (!maker.exact) {
            // Hidden places take no part, or take part with a score of minus infinity.
            boolean behind = variant % 4 < 2;
            Value shown = behind ? limited : scores;
            Item most = level.reduce("most", Format.F32, true, List.of(),
                    Reduction.Kind.MAXIMUM, List.of(places),
                    behind
                            ? Optional.of((t, own, r) -> mask.at(t, r.getFirst()))
                            : Optional.empty(),
                    (t, own, r) -> Scalar.load(shown, List.of(t, r.getFirst())));
            Value shares = points(level, square, (t, s) -> shown(behind, mask.at(t, s),
                    apply(Operation.EXPONENTIAL, apply(Operation.SUBTRACT,
                            Scalar.load(shown, List.of(t, s)),
                            Scalar.load(most.value(), List.of(t))))));
            Item sum = level.reduce("sum", Format.F32, true, List.of(),
                    Reduction.Kind.SUM, List.of(places), Optional.empty(),
                    (t, own, r) -> Scalar.load(shares, List.of(t, r.getFirst())));
            item = sum;
            weights = shares;
            if (variant % 2 == 0) {
                item = level.compute("one", Format.F32, true, List.of(),
                        (t, own) -> Scalar.real(1));
                weights = points(level, square, (t, s) -> shown(behind, mask.at(t, s),
                        apply(Operation.DIVIDE,
                                Scalar.load(shares, List.of(t, s)),
                                Scalar.load(sum.value(), List.of(t)))));
            }
        }
        Value used = weights;
        Item divisor = item;
        Item valueItem = new Item(values, true, 0);
        Item mixed = level.reduce("mixed", Format.F32, true, valueShape,
                Reduction.Kind.SUM, List.of(places), Optional.empty(),
                (t, own, r) -> apply(Operation.MULTIPLY,
                        Scalar.load(used, List.of(t, r.getFirst())),
                        Scalar.load(values,
                                Level.place(valueItem, r.getFirst(), own, valueShape))));
        keep(level, level.compute("attended", Format.F32, true, valueShape, (t, own) ->
                maker.settle(apply(Operation.DIVIDE,
                        Level.read(mixed, t, own, valueShape),
                        Scalar.load(divisor.value(), List.of(t))))));
    }

    private static Scalar shown(boolean behind, Scalar condition, Scalar value) {
        return behind
                ? apply(Operation.SELECT, condition, value, Scalar.real(0))
                : value;
    }

    private interface Score {
        Scalar at(Scalar row, Scalar place, List<Scalar> reduced);
    }

    private Value scores(Level level, TensorType square, List<Size> reduced, Score body) {
        Value value = level.identifiers.value("scores", square);
        Index t = level.identifiers.index("t");
        Index s = level.identifiers.index("s");
        List<Axis> sums = new ArrayList<>();
        reduced.forEach(size -> sums.add(Axis.over(level.identifiers.index("d"), size)));
        level.nodes.add(new Node.Compute(
                value,
                List.of(Axis.over(t, square.shape().get(0)), Axis.over(s, square.shape().get(1))),
                Optional.of(new Reduction(Reduction.Kind.SUM, sums, Optional.empty())),
                body.at(Scalar.variable(t), Scalar.variable(s), sums.stream()
                        .map(axis -> Scalar.variable(axis.index()))
                        .toList()),
                Span.NONE));
        return value;
    }

    private Value points(Level level, TensorType square, Mask body) {
        Value value = level.identifiers.value("weights", square);
        Index t = level.identifiers.index("t");
        Index s = level.identifiers.index("s");
        level.nodes.add(new Node.Compute(
                value,
                List.of(Axis.over(t, square.shape().get(0)), Axis.over(s, square.shape().get(1))),
                Optional.empty(),
                body.at(Scalar.variable(t), Scalar.variable(s)),
                Span.NONE));
        return value;
    }

    // ------------------------------------------------------------------ memory

    private static List<Scalar> instances(Level level) {
        return level.instance.map(List::of).orElse(List.of());
    }

    /** Appends rows, and looks at all of them that are not behind the present position. */
    void append(Level level, Step step) {
        append(level, step, false);
    }

    /** The same, where some rows come from one gate and the others from another. */
    void fill(Level level, Step step) {
        append(level, step, true);
    }

    private void append(Level level, Step step, boolean fills) {
        Item a = rows(level, step.a());
        boolean stacked = level.instance.isPresent();
        Format format = maker.exact && step.c() % 2 == 0 ? Format.BF16 : Format.F32;
        Item rows = level.compute("kept", format, true, a.own(),
                (row, own) -> Level.read(a, row, own, a.own()));
        State state = maker.state(format, true, stacked, a.own());
        Size.Symbol slots = level.identifiers.symbol("A");
        List<Size> shape = new ArrayList<>();
        shape.add(slots);
        a.own().forEach(n -> shape.add(Size.of(n)));
        Value all = level.identifiers.value("all", new TensorType(format, shape));
        if (fills) {
            Item holds = steps.decision(level, step, true);
            Item opposite = level.compute("opposite", Format.BOOL, true, List.of(), (row, own) ->
                    apply(Operation.NOT, Level.read(holds, row, List.of(), List.of())));
            filling(level, holds, rows, state);
            filling(level, opposite, rows, state);
            level.nodes.add(new Node.Read(all, state.name(), instances(level), Span.NONE));
        } else {
            level.nodes.add(new Node.Append(
                    all, state.name(), instances(level), rows.value(), Span.NONE));
        }
        Optional<Item> position = level.position;
        if (position.isEmpty()) {
            maker.whole();
        }
        Mask seen = (row, s) -> position
                .map(p -> apply(Operation.LESS_EQUAL, s, Scalar.load(p.value(), List.of(row))))
                .orElse(apply(Operation.GREATER_EQUAL, s, Scalar.whole(0)));
        if (step.b() % 3 != 0) {
            Item query = rows(level, step.b());
            attend(level, query, all, a.own(), all, a.own(), slots, seen, step.b());
            return;
        }
        maker.sums(ROWS);
        Item allItem = new Item(all, true, 0);
        steps.settled(level, level.reduce("recalled", Format.F32, true, a.own(),
                step.b() % 2 == 0 ? Reduction.Kind.SUM : Reduction.Kind.MAXIMUM,
                List.of(slots),
                Optional.of((row, own, r) -> seen.at(row, r.getFirst())),
                (row, own, r) -> Scalar.load(
                        all, Level.place(allItem, r.getFirst(), own, a.own()))));
    }

    /** A gate whose entrants' rows go to the slots of their elements. */
    private void filling(Level level, Item holds, Item rows, State state) {
        Size.Symbol entrants = level.identifiers.symbol("K");
        List<Size> shape = new ArrayList<>(rows.value().type().shape());
        shape.set(0, entrants);
        TensorType type = new TensorType(rows.format(), shape);
        Value some = level.identifiers.value("some", type);
        shape.set(0, level.identifiers.symbol("A"));
        Value all = level.identifiers.value("filled", new TensorType(rows.format(), shape));
        level.nodes.add(new Node.Gate(List.of(), holds.value(), entrants, List.of(rows.value()),
                List.of(), new Region(List.of(some), List.of(new Node.Append(
                        all, state.name(), instances(level), some, Span.NONE)), List.of()),
                List.of(state.name()), "filling", Span.NONE));
    }

    /** A loop over the places of the stream that carries a state from one to the next. */
    void scan(Level level, Step step) {
        Item a = rows(level, step.a());
        boolean stacked = level.instance.isPresent();
        maker.sums(2 * ROWS);
        State state = maker.state(Format.F32, false, stacked, a.own());
        Item none = level.compute("none", Format.F32, true, a.own(),
                (row, own) -> Scalar.real(0));
        Value index = level.identifiers.value("t", TensorType.scalar(Format.I64));
        Scalar place = Scalar.load(index, List.of());
        Item outputs = new Item(level.identifiers.value("outputs",
                level.type(Format.F32, true, a.own())), true, 0);
        Level body = new Level(level.identifiers, Optional.empty());
        body.nested = true;
        body.instance = level.instance;
        body.inFunction = level.inFunction;
        body.routed = level.routed;
        body.inLoop = true;
        body.mayRemember = false;
        level.items.stream().filter(i -> !i.prefixed()).forEach(body.items::add);
        Item old = body.define("before", Format.F32, false, a.own(), 0);
        body.nodes.add(new Node.Read(old.value(), state.name(), instances(level), Span.NONE));
        Item now = keep(body, body.compute("now", Format.F32, false, a.own(),
                (row, own) -> Level.read(a, place, own, a.own())));
        step.inner().forEach(inner -> steps.add(body, inner));
        Item mixed = new Item(steps.adapted(body, now), false, 0);
        Item next = body.compute("after", Format.F32, false, a.own(), (row, own) ->
                maker.settle(apply(step.b() % 2 == 0 ? Operation.ADD : Operation.MAXIMUM,
                        Level.read(old, row, own, a.own()),
                        Level.read(mixed, row, own, a.own()))));
        body.nodes.add(new Node.Write(
                state.name(), instances(level), next.value(), Span.NONE));
        List<Axis> axes = new ArrayList<>();
        List<Scalar> target = new ArrayList<>(List.of(place));
        List<Scalar> own = new ArrayList<>();
        for (long size : a.own()) {
            Index i = level.identifiers.index("i");
            axes.add(Axis.over(i, Size.of(size)));
            target.add(Scalar.variable(i));
            own.add(Scalar.variable(i));
        }
        Value written = level.identifiers.value("outputs", outputs.value().type());
        body.nodes.add(new Node.Scatter(written, outputs.value(), axes, target, Optional.empty(),
                false, Scalar.load(next.value(), own), Span.NONE));
        Item result = level.define("scanned", Format.F32, true, a.own(), 0);
        level.nodes.add(new Node.Loop(List.of(result.value()), index, Scalar.whole(0),
                Scalar.extent(level.prefix.orElseThrow()), List.of(none.value()),
                Optional.empty(),
                new Region(List.of(outputs.value()), body.nodes, List.of(written)), "scan",
                Span.NONE));
    }

    /** Running sums that go on from what the sequence has so far. */
    void carry(Level level, Step step) {
        Item a = rows(level, step.a());
        boolean stacked = level.instance.isPresent();
        maker.sums(2 * ROWS);
        State state = maker.state(Format.F32, false, stacked, a.own());
        Item old = new Item(level.identifiers.value("before",
                level.type(Format.F32, false, a.own())), false, 0);
        level.nodes.add(new Node.Read(
                old.value(), state.name(), instances(level), Span.NONE));
        Size stream = level.prefix.orElseThrow();
        Item running = level.reduce("running", Format.F32, true, a.own(), Reduction.Kind.SUM,
                List.of(stream),
                Optional.of((row, own, r) ->
                        apply(Operation.LESS_EQUAL, r.getFirst(), row)),
                (row, own, r) -> Level.read(a, r.getFirst(), own, a.own()));
        Item sum = level.reduce("sum", Format.F32, false, a.own(), Reduction.Kind.SUM,
                List.of(stream), Optional.empty(),
                (row, own, r) -> Level.read(a, r.getFirst(), own, a.own()));
        Item next = level.compute("after", Format.F32, false, a.own(), (row, own) ->
                apply(Operation.ADD, Level.read(old, row, own, a.own()),
                        Level.read(sum, row, own, a.own())));
        level.nodes.add(new Node.Write(
                state.name(), instances(level), next.value(), Span.NONE));
        keep(level, level.compute("carried", Format.F32, true, a.own(), (row, own) ->
                maker.settle(apply(Operation.ADD, Level.read(old, row, own, a.own()),
                        Level.read(running, row, own, a.own())))));
    }
}
