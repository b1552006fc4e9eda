package dev.weir.testkit.random;

import static dev.weir.testkit.random.Steps.apply;
import static dev.weir.testkit.random.Steps.keep;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import dev.weir.testkit.random.Level.Item;
import dev.weir.testkit.random.Recipe.Step;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Makes the nodes of steps whose ranges are as long as a number of each row says. */
final class RangeSteps {
    private final Maker maker;
    private final Steps steps;

    RangeSteps(Maker maker, Steps steps) {
        this.maker = maker;
        this.steps = steps;
    }

    /**
     * An axis of a value, of which a row uses a part.
     *
     * @param item the value, whose own axis of this number it is
     * @param length how much of it is in use: a whole number for each row, or for all
     */
    private record Jagged(Item item, int axis, Item length) {
        boolean prefixed() {
            return item.prefixed() || length.prefixed();
        }

        Scalar end(Scalar row) {
            return Level.read(length, row, List.of(), List.of());
        }

        /** The axes of a node over it, the jagged one up to its end. */
        List<Axis> axes(Level level, Item result) {
            List<Axis> axes = new ArrayList<>(level.axes(result));
            int at = axis + (result.prefixed() ? 1 : 0);
            axes.set(at, new Axis(axes.get(at).index(), Scalar.whole(0),
                    end(Level.row(result, axes))));
            return axes;
        }
    }

    /** Part of a value by data; nothing outside of the part is read. */
    void add(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.isReal() && !i.own().isEmpty());
        if (found.isEmpty()) {
            steps.add(level, new Step(Kind.POINTWISE, step.a(), step.b(), step.c(), List.of()));
            return;
        }
        Item a = steps.used(found.get());
        int axis = step.c() % a.own().size();
        Jagged jagged = new Jagged(a, axis, length(level, step, a.own().get(axis)));
        switch (step.b() % 4) {
            case 0 -> sum(level, step, jagged, jagged.item());
            case 1 -> change(level, step, jagged);
            case 2 -> sum(level, step, jagged, part(level, step, jagged));
            default -> complete(level, step, jagged, part(level, step, jagged));
        }
    }

    /** A number from 0 to the size: of each row, if some whole number is. */
    private Item length(Level level, Step step, long size) {
        Optional<Item> whole = level.pick(step.b() / 4,
                i -> i.format() == Format.I64 && i.own().isEmpty());
        return level.compute("length", Format.I64, whole.map(Item::prefixed).orElse(false),
                List.of(), (row, own) -> whole
                        .map(n -> Steps.below(steps.used(n), row, List.of(), size + 1))
                        .orElse(Scalar.whole(step.b() % (size + 1))));
    }

    /** A value that has elements in a part of its axis only, computed from another such. */
    private Item part(Level level, Step step, Jagged jagged) {
        Item b = steps.used(level.real(step.b()));
        List<Long> shape = jagged.item().own();
        Item first = node(level, jagged, (row, own) -> maker.settle(apply(Operation.SUBTRACT,
                Level.read(jagged.item(), row, own, shape),
                b.prefixed() && !jagged.prefixed()
                        ? Scalar.real(1) : Level.read(b, row, own, shape))));
        if (step.c() % 2 == 0) {
            return first;
        }
        return node(level, jagged, (row, own) -> {
            List<Scalar> beside = new ArrayList<>(own);
            beside.set(jagged.axis(),
                    apply(Operation.ADD, own.get(jagged.axis()), Scalar.whole(1)));
            return maker.settle(apply(Operation.ADD,
                    Level.read(first, row, own, shape),
                    inUse(jagged, first, row, beside, 1)));
        });
    }

    private static Item node(Level level, Jagged jagged, Level.Element body) {
        Item result = new Item(level.identifiers.value("part", level.type(
                Format.F32, jagged.prefixed(), jagged.item().own())), jagged.prefixed(), 0);
        List<Axis> axes = jagged.axes(level, result);
        level.nodes.add(new Node.Compute(result.value(), axes, Optional.empty(),
                body.at(Level.row(result, axes), Level.own(result, axes)), Span.NONE));
        return result;
    }

    /** An element of a part, or a number behind its end. */
    private static Scalar inUse(
            Jagged jagged, Item part, Scalar row, List<Scalar> own, double otherwise) {
        return apply(Operation.SELECT,
                apply(Operation.LESS, own.get(jagged.axis()), jagged.end(row)),
                Scalar.loadOr(part.value(),
                        Level.place(part, row, own, part.own()), Scalar.real(otherwise)),
                Scalar.real(otherwise));
    }

    /** The whole axis again, with a number where there was nothing. */
    private void complete(Level level, Step step, Jagged jagged, Item part) {
        keep(level, level.compute("complete", Format.F32, part.prefixed(), part.own(),
                (row, own) -> inUse(jagged, part, row, own, step.c() % 3)));
    }

    /** A sum along the part, from its beginning or from its middle. */
    private void sum(Level level, Step step, Jagged jagged, Item part) {
        List<Long> shape = part.own();
        int axis = jagged.axis();
        List<Long> kept = new ArrayList<>(shape);
        maker.sums(kept.remove(axis));
        Item begin = level.compute("begin", Format.I64, jagged.length().prefixed(), List.of(),
                (row, own) -> step.c() % 3 == 0
                        ? apply(Operation.DIVIDE, jagged.end(row), Scalar.whole(2))
                        : Scalar.whole(0));
        Item result = new Item(level.identifiers.value("sum",
                level.type(Format.F32, jagged.prefixed(), kept)), jagged.prefixed(), 0);
        List<Axis> axes = level.axes(result);
        Scalar row = Level.row(result, axes);
        Axis along = new Axis(level.identifiers.index("r"),
                Level.read(begin, row, List.of(), List.of()), jagged.end(row));
        List<Scalar> own = new ArrayList<>(Level.own(result, axes));
        own.add(axis, Scalar.variable(along.index()));
        level.nodes.add(new Node.Compute(result.value(), axes,
                Optional.of(new Reduction(
                        step.c() % 4 == 0 ? Reduction.Kind.MAXIMUM : Reduction.Kind.SUM,
                        List.of(along), Optional.empty())),
                Level.read(part, row, own, shape), Span.NONE));
        steps.settled(level, result);
    }

    /** A part of a value changed, at its own places or the other way round. */
    private void change(Level level, Step step, Jagged jagged) {
        Item base = jagged.item();
        if (jagged.length().prefixed() && !base.prefixed()) {
            sum(level, step, jagged, base);
            return;
        }
        Item b = steps.used(level.real(step.c()));
        Item result = new Item(level.identifiers.value("changed", base.value().type()),
                base.prefixed(), 0);
        List<Axis> axes = jagged.axes(level, result);
        Scalar row = Level.row(result, axes);
        List<Scalar> own = Level.own(result, axes);
        List<Scalar> target = new ArrayList<>(own);
        if (step.c() % 3 == 1) {
            target.set(jagged.axis(), apply(Operation.SUBTRACT,
                    Scalar.whole(base.own().get(jagged.axis()) - 1), own.get(jagged.axis())));
        }
        if (base.prefixed()) {
            target.addFirst(row);
        }
        level.nodes.add(new Node.Scatter(result.value(), base.value(), axes, target,
                step.c() % 2 == 0 ? Optional.of(Reduction.Kind.SUM) : Optional.empty(), false,
                b.prefixed() && !base.prefixed()
                        ? Scalar.real(1) : Level.read(b, row, own, base.own()), Span.NONE));
        steps.settled(level, result);
    }
}
