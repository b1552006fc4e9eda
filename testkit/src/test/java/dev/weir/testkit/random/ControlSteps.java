package dev.weir.testkit.random;

import static dev.weir.testkit.random.Steps.apply;
import static dev.weir.testkit.random.Steps.keep;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.testkit.random.Level.Item;
import dev.weir.testkit.random.Recipe.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the nodes of steps with functions or regions of their own. */
final class ControlSteps {
    private final Maker maker;
    private final Steps steps;

    ControlSteps(Maker maker, Steps steps) {
        this.maker = maker;
        this.steps = steps;
    }

    // ------------------------------------------------------------------ calls

    /** A function that is being made. */
    private record Callee(Level level, Value instance, List<Value> arguments) {}

    /**
     * @param rows whether the function gets all rows of what has rows, and not a token
     */
    private Callee callee(
            List<Item> arguments, boolean[] split, boolean routed, boolean rows) {
        Level level = new Level(maker.identifiers, rows
                ? Optional.of(maker.identifiers.symbol("L"))
                : Optional.empty());
        level.inFunction = true;
        level.routed = routed;
        level.mayRemember = false;
        Value instance = maker.identifiers.value("instance", TensorType.scalar(Format.I64));
        level.instance = Optional.of(Scalar.load(instance, List.of()));
        List<Value> formal = new ArrayList<>();
        for (int a = 0; a < arguments.size(); a++) {
            Item item = arguments.get(a);
            List<Long> own = item.own();
            formal.add(level.define(
                    item.value().name(), item.format(), rows && item.prefixed(),
                    split[a] ? own.subList(1, own.size()) : own, item.bound()).value());
        }
        return new Callee(level, instance, formal);
    }

    /** Applies a function of a token to all tokens, or one to what the present one has. */
    void call(Level level, Step step, boolean lifted) {
        List<Item> arguments = new ArrayList<>();
        arguments.add(steps.used(lifted
                ? level.pick(step.a(), i -> i.isReal() && i.prefixed())
                        .orElseGet(() -> level.real(step.a()))
                : level.real(step.a())));
        for (int i = 0; i < step.b() % 3; i++) {
            int number = step.b() / 3 + i;
            level.pick(number, item -> !arguments.contains(item))
                    .ifPresent(item -> arguments.add(steps.used(item)));
        }
        // Sometimes the first own axis is lifted as well.
        Item first = arguments.getFirst();
        boolean rows = !lifted && arguments.stream().anyMatch(Item::prefixed);
        boolean more = !rows && step.c() % 4 == 1 && !first.own().isEmpty() && first.own().getFirst() < 8;
        boolean[] split = new boolean[arguments.size()];
        for (int a = 0; a < split.length; a++) {
            List<Long> own = arguments.get(a).own();
            split[a] = more && !own.isEmpty() && own.getFirst().equals(first.own().getFirst());
        }
        List<Node.Lift> lifts = new ArrayList<>();
        List<Long> leading = new ArrayList<>();
        if (lifted) {
            lifts.add(new Node.Lift(level.prefix.orElseThrow(),
                    arguments.stream().map(Item::prefixed).toList()));
        }
        if (more) {
            List<Boolean> carried = new ArrayList<>();
            for (boolean s : split) {
                carried.add(s);
            }
            lifts.add(new Node.Lift(Size.of(first.own().getFirst()), carried));
            leading.add(first.own().getFirst());
        }
        Callee callee = callee(arguments, split, level.routed, rows);
        step.inner().forEach(inner -> steps.add(callee.level, inner));
        Item result = own(callee.level);
        Function function = maker.function(
                callee.instance, callee.arguments, callee.level, List.of(result.value()));
        leading.addAll(result.own());
        Item outer = level.define("called", result.format(), lifted || result.prefixed(), leading,
                result.bound());
        level.nodes.add(new Node.Call(
                List.of(outer.value()), function.name(),
                List.of(Steps.instance(level, step)),
                arguments.stream().map(Item::value).toList(), lifts, Span.NONE));
    }

    /** The latest real value; a copy, for it may be an argument. */
    private Item own(Level level) {
        Item last = level.real(0);
        return level.compute("result", last.format(), last.prefixed(), last.own(),
                (row, own) -> Level.read(last, row, own, last.own()));
    }

    void route(Level level, Step step) {
        Item a = steps.used(level.real(step.a()));
        boolean rows = a.prefixed();
        Item chooses = !rows
                ? a
                : steps.used(level.pick(step.b(), i -> i.isReal() && !i.prefixed())
                        .orElseGet(() -> steps.total(level, step)));
        long blocks = Level.COUNT;
        boolean two = step.b() % 2 == 1;
        long all = two ? blocks + 1 : blocks;
        Item logits = steps.contract(level, chooses, new Step(Kind.CONTRACT, 0, 0, 1, List.of()), all);
        List<Item> top = steps.topK(level, logits, 1 + step.c() % 2);
        Item values = top.get(0);
        Item weights = level.compute("weights", Format.F32, false, values.own(), (row, own) ->
                Level.read(values, row, own, values.own()));
        long width = Maker.SIZES.get(step.c() % Maker.SIZES.size());
        Item like = new Item(maker.identifiers.value("routed",
                level.type(Format.F32, rows, List.of(width))), rows, 0);
        List<Node.Alternative> alternatives = new ArrayList<>();
        Scalar owner = Steps.instance(level, step);
        List<Scalar> outer = two ? List.of(owner) : List.of();
        if (two) {
            // The first block has no instance of its own, the others have one more.
            alternatives.add(new Node.Alternative(
                    expert(step, a, like, 1).name(), 0, 1, false, 0));
            alternatives.add(new Node.Alternative(
                    expert(step, a, like, 2).name(), 1, blocks, true, 0));
        } else {
            alternatives.add(new Node.Alternative(
                    expert(step, a, like, 1).name(), 0, blocks, true, 0));
        }
        level.nodes.add(new Node.Route(
                like.value(), top.get(1).value(), weights.value(), alternatives, outer,
                List.of(a.value()), "route" + maker.functions.size(), Span.NONE));
        steps.settled(level, like);
    }

    private Function expert(Step step, Item argument, Item like, int instances) {
        Callee callee = callee(List.of(argument), new boolean[1], true, argument.prefixed());
        step.inner().forEach(inner -> steps.add(callee.level, inner));
        steps.contract(callee.level, callee.level.real(0),
                new Step(
                        Kind.CONTRACT, step.a(), step.b(), 1 + step.c(), List.of()), like.own().getFirst());
        Item own = new Item(maker.identifiers.value("routed", callee.level.type(
                Format.F32, like.prefixed(), like.own())), like.prefixed(), 0);
        Value result = steps.adapted(callee.level, own);
        List<Value> all = new ArrayList<>();
        for (int i = 1; i < instances; i++) {
            all.add(maker.identifiers.value("outer", TensorType.scalar(Format.I64)));
        }
        all.add(callee.instance);
        Function function = new Function("f" + maker.functions.size(), "", all,
                new Region(callee.arguments, callee.level.nodes, List.of(result)));
        maker.functions.add(function);
        return function;
    }

    // ------------------------------------------------------------------ regions

    void branch(Level level, Step step) {
        Item a = steps.used(level.real(step.a()));
        Item holds = steps.decision(level, step, false);
        if (level.prefix.isPresent()) {
            maker.whole();
        }
        Level then = level.inner();
        step.inner().forEach(inner -> steps.add(then, inner));
        Value chosen = steps.adapted(then, a);
        Level otherwise = level.inner();
        Value other = a.value();
        if (step.c() % 3 == 0) {
            other = otherwise.compute("negative", a.format(), a.prefixed(), a.own(), (row, own) ->
                    apply(Operation.NEGATE, Level.read(a, row, own, a.own()))).value();
        }
        Item result = level.define("branched", a.format(), a.prefixed(), a.own(), 0);
        level.nodes.add(new Node.If(
                List.of(result.value()), holds.value(),
                new Region(List.of(), then.nodes, List.of(chosen)),
                new Region(List.of(), otherwise.nodes, List.of(other)),
                Span.NONE));
    }

    void gate(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.isReal() && i.prefixed());
        if (found.isEmpty()) {
            return;
        }
        Item before = steps.used(found.get());
        Item holds = steps.decision(level, step, true);
        List<Item> captured = new ArrayList<>(List.of(before));
        level.pick(step.b(), i -> i.prefixed() && i != before)
                .ifPresent(item -> captured.add(steps.used(item)));
        Size.Symbol entrants = level.identifiers.symbol("K");
        Level body = new Level(level.identifiers, Optional.of(entrants));
        body.instance = level.instance;
        body.inFunction = level.inFunction;
        body.routed = level.routed;
        body.inLoop = level.inLoop;
        body.mayRemember = level.mayRemember;
        level.items.stream().filter(i -> !i.prefixed()).forEach(body.items::add);
        List<Value> arguments = new ArrayList<>();
        for (Item item : captured) {
            arguments.add(body.define(item.value().name(), item.format(), true, item.own(),
                    item.bound()).value());
        }
        // What is looked up by latest is the gated value.
        body.items.add(body.items.remove(body.items.size() - arguments.size()));
        step.inner().forEach(inner -> steps.add(body, inner));
        Value result = steps.adapted(body, before);
        Item after = level.define("gated", before.format(), true, before.own(), 0);
        level.nodes.add(new Node.Gate(
                List.of(after.value()), holds.value(), entrants,
                captured.stream().map(Item::value).toList(), List.of(before.value()),
                new Region(arguments, body.nodes, List.of(result)), List.of(), "gate",
                Span.NONE));
    }

    /** Runs some steps again and again, until no element wants to go on. */
    void loop(Level level, Step step) {
        Item a = steps.used(level.real(step.a()));
        boolean exits = step.c() % 2 == 0;
        Level body = level.inner();
        body.inLoop = true;
        // A sequence that left early would otherwise go on to remember in a batch.
        body.mayRemember = level.mayRemember && !exits;
        Value index = level.identifiers.value("i", TensorType.scalar(Format.I64));
        body.items.add(new Item(index, false, Level.COUNT));
        if (level.instance.isEmpty() || level.inFunction) {
            body.instance = Optional.of(Scalar.load(index, List.of()));
        } else {
            body.mayRemember = false;
        }
        Item carried = body.define("carried", a.format(), a.prefixed(), a.own(), 0);
        List<Value> initial = new ArrayList<>(List.of(a.value()));
        List<Value> arguments = new ArrayList<>(List.of(carried.value()));
        Optional<Item> active = Optional.empty();
        if (exits) {
            Item start = steps.decision(level, step, a.prefixed());
            initial.add(start.value());
            Item argument = body.define("active", Format.BOOL, a.prefixed(), List.of(), 0);
            arguments.add(argument.value());
            active = Optional.of(argument);
        }
        step.inner().forEach(inner -> steps.add(body, inner));
        Item last = steps.used(body.real(0));
        Item next = next(body, carried, last, active);
        List<Value> results = new ArrayList<>(List.of(next.value()));
        if (active.isPresent()) {
            Item going = active.get();
            Item first = body.compute("first", Format.F32, next.prefixed(), List.of(),
                    (row, own) -> Level.read(next, row, own, next.own()));
            Item on = steps.condition(body, first, step.b());
            results.add(body.compute("on", Format.BOOL, next.prefixed(), List.of(),
                    (row, own) -> apply(Operation.AND,
                            Level.read(going, row, own, List.of()),
                            Level.read(on, row, own, List.of()))).value());
        }
        Item out = level.define("looped", a.format(), a.prefixed(), a.own(), 0);
        List<Value> outs = new ArrayList<>(List.of(out.value()));
        if (exits) {
            outs.add(level.define("left", Format.BOOL, a.prefixed(), List.of(), 0).value());
        }
        level.nodes.add(new Node.Loop(
                outs, index, Scalar.whole(step.a() % 5 == 1 ? 1 : 0), rounds(level, step), initial,
                exits ? Optional.of(1) : Optional.empty(),
                new Region(arguments, body.nodes, results), "loop", Span.NONE));
    }

    /** Where a loop ends: a constant, or a number of what the present function is about. */
    private Scalar rounds(Level level, Step step) {
        Optional<Item> number = level.prefix.isPresent() || step.b() % 3 != 1
                ? Optional.empty()
                : level.pick(step.c(), i -> i.format() == Format.I64 && i.own().isEmpty());
        if (number.isEmpty()) {
            return Scalar.whole(step.b() % (Level.COUNT + 1));
        }
        Item rounds = level.compute("rounds", Format.I64, false, List.of(), (row, own) ->
                Steps.below(steps.used(number.get()), row, List.of(), Level.COUNT + 1));
        return Scalar.load(rounds.value(), List.of());
    }

    /** What is carried on: elements that left keep what they have. */
    private Item next(Level body, Item carried, Item last, Optional<Item> active) {
        return keep(body, body.compute("next", carried.format(), carried.prefixed(),
                carried.own(), (row, own) -> {
                    Scalar before = Level.read(carried, row, own, carried.own());
                    Scalar value = last.prefixed() && !carried.prefixed()
                            ? before
                            : Level.read(last, row, own, carried.own());
                    Scalar step = maker.settle(apply(Operation.SUBTRACT, value, before));
                    return active.map(on -> apply(Operation.SELECT,
                            Level.read(on, row, List.of(), List.of()), step, before))
                            .orElse(step);
                }));
    }
}
