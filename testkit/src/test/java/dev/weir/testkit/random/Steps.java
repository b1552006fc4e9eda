package dev.weir.testkit.random;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.testkit.random.Level.Item;
import dev.weir.testkit.random.Recipe.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** Makes the nodes of steps that are possible in every region; each adds values to its level. */
final class Steps {
    private final Maker maker;
    private final StreamSteps streams;
    private final ControlSteps control;
    private final RangeSteps ranges;

    Steps(Maker maker) {
        this.maker = maker;
        this.streams = new StreamSteps(maker, this);
        this.control = new ControlSteps(maker, this);
        this.ranges = new RangeSteps(maker, this);
    }

    void add(Level level, Step step) {
        Kind.Place place = new Kind.Place(
                level.prefix.isPresent(), level.mayRemember, level.inLoop);
        Kind kind = step.kind().weight(place) > 0 ? step.kind() : Kind.POINTWISE;
        maker.kinds.add(kind);
        switch (kind) {
            case POINTWISE -> pointwise(level, step);
            case ELEMENTARY -> elementary(level, step);
            case WHOLE -> whole(level, step);
            case LOGIC -> logic(level, step);
            case REDUCE -> reduce(level, step);
            case CONTRACT -> contract(level, step);
            case CODES -> codes(level, step);
            case SOFTMAX -> softmax(level, step);
            case DERIVED -> derived(level, step);
            case GATHER -> gather(level, step);
            case CONDITION -> condition(level, step);
            case SELECT -> select(level, step);
            case TOP_K -> topK(level, step);
            case TRACE -> trace(level, step);
            case SCATTER -> scatter(level, step);
            case NARROW -> narrow(level, step);
            case RANGE -> ranges.add(level, step);
            case SHIFT -> streams.shift(level, step);
            case STREAM_REDUCE -> streams.reduce(level, step);
            case ATTEND -> streams.attend(level, step);
            case STREAM_GATHER -> streams.gather(level, step);
            case TOTAL -> streams.total(level, step);
            case SELECTED -> streams.selected(level, step);
            case APPEND -> streams.append(level, step);
            case FILL -> streams.fill(level, step);
            case CARRY -> streams.carry(level, step);
            case SCAN -> streams.scan(level, step);
            case CALL -> control.call(level, step, true);
            case NESTED_CALL -> control.call(level, step, false);
            case LOOP -> control.loop(level, step);
            case GATE -> control.gate(level, step);
            case IF -> control.branch(level, step);
            case ROUTE -> control.route(level, step);
        }
    }

    static Scalar apply(Operation operation, Scalar... operands) {
        return Scalar.apply(operation, operands);
    }

    /** Adds what was computed to what can be used. */
    static Item keep(Level level, Item item) {
        level.items.add(item);
        return item;
    }

    Item total(Level level, Step step) {
        return streams.total(level, step);
    }

    Item used(Item item) {
        maker.use(item);
        return item;
    }

    /** A copy within bounds, as a node of its own. */
    Item settled(Level level, Item item) {
        return keep(level, level.compute("settled", Format.F32, item.prefixed(), item.own(),
                (row, own) -> maker.settle(Level.read(item, row, own, item.own()))));
    }

    // ------------------------------------------------------------------ elementwise

    private void pointwise(Level level, Step step) {
        Item a = used(level.real(step.a()));
        Item b = used(level.real(step.b()));
        keep(level, level.compute("point", Format.F32, a.prefixed() || b.prefixed(), a.own(),
                (row, own) -> {
                    Scalar x = Level.read(a, row, own, a.own());
                    Scalar y = Level.read(b, row, own, a.own());
                    Scalar index = own.isEmpty() ? Scalar.whole(1) : own.getLast();
                    return maker.settle(operation(
                            step.c() / OPERATIONS, operation(step.c(), x, y, index), y, index));
                }));
    }

    private static final int OPERATIONS = 9;

    private Scalar operation(int number, Scalar a, Scalar b, Scalar index) {
        Scalar one = Scalar.real(1);
        Scalar even = apply(Operation.EQUAL,
                apply(Operation.REMAINDER, index, Scalar.whole(2)), Scalar.whole(0));
        Scalar size = apply(Operation.ADD, one, apply(Operation.ABSOLUTE, b));
        return switch (number % OPERATIONS) {
            case 0 -> apply(Operation.ADD, a, b);
            case 1 -> apply(Operation.SUBTRACT, a, b);
            case 2 -> apply(Operation.MULTIPLY, a, b);
            case 3 -> apply(Operation.MINIMUM, a, apply(Operation.NEGATE, b));
            case 4 -> apply(Operation.MAXIMUM, apply(Operation.ABSOLUTE, a), b);
            case 5 -> apply(Operation.SELECT, even, a, b);
            case 6 -> apply(Operation.ADD, a, apply(Operation.FLOOR, apply(Operation.MULTIPLY,
                    new Scalar.Convert(Format.F32, index), Scalar.real(0.5))));
            case 7 -> maker.exact
                    ? apply(Operation.ADD, a, apply(Operation.REMAINDER, b, Scalar.real(5)))
                    : apply(Operation.DIVIDE, a, size);
            // Where values are whole, of what has a whole root.
            default -> maker.exact
                    ? apply(Operation.MULTIPLY,
                            apply(Operation.SQUARE_ROOT, apply(Operation.MULTIPLY, b, b)),
                            apply(Operation.RECIPROCAL_SQUARE_ROOT,
                                    apply(Operation.SELECT, even, one, Scalar.real(0.25))))
                    : apply(Operation.MULTIPLY,
                            apply(Operation.SQUARE_ROOT, size),
                            apply(Operation.MULTIPLY, a,
                                    apply(Operation.RECIPROCAL_SQUARE_ROOT, size)));
        };
    }

    /**
     * An elementary function, most often of something that does not vary along all axes. Where
     * values are whole, of something of which it gives 0 or 1.
     */
    private void elementary(Level level, Step step) {
        Item a = used(level.pick(step.a(), i -> i.isReal() && !i.own().isEmpty())
                .orElseGet(() -> level.real(step.a())));
        Item b = used(level.real(step.b()));
        List<Operation> all = Arrays.stream(Operation.values())
                .filter(Operation::isElementary)
                .toList();
        Operation first = all.get(step.c() % all.size());
        Operation second = all.get(step.c() / all.size() % all.size());
        Operation third = all.get(step.a() % all.size());
        int fixed = step.b() % (a.own().size() + 1) - 1;
        maker.sums(3);
        keep(level, level.compute("point", Format.F32, a.prefixed() || b.prefixed(), a.own(),
                (row, own) -> {
                    List<Scalar> place = new ArrayList<>(own);
                    if (!place.isEmpty()) {
                        place.set(Math.max(0, fixed), Scalar.whole(0));
                    }
                    Scalar x = Level.read(a, row, own, a.own());
                    Scalar y = elementary(first, Level.read(b, row, place, a.own()));
                    return maker.settle(apply(Operation.SUBTRACT,
                            apply(Operation.MULTIPLY, elementary(third, y), x),
                            elementary(second, x)));
                }));
    }

    /** The function of an operand that it is smooth at. */
    private Scalar elementary(Operation function, Scalar x) {
        if (maker.exact) {
            Scalar zero = apply(
                    Operation.MULTIPLY, apply(Operation.ABSOLUTE, x), Scalar.real(0));
            return switch (function) {
                case POWER -> apply(function, Scalar.real(1), x);
                case LOGARITHM -> apply(function, apply(Operation.ADD, zero, Scalar.real(1)));
                case SIGMOID -> apply(function, apply(Operation.SUBTRACT, zero, Scalar.real(200)));
                default -> apply(function, zero);
            };
        }
        Scalar size = apply(Operation.ADD, Scalar.real(1), apply(Operation.ABSOLUTE, x));
        return switch (function) {
            case POWER -> apply(function, size, Scalar.real(0.75));
            case LOGARITHM -> apply(function, size);
            case EXPONENTIAL -> apply(function,
                    apply(Operation.MINIMUM, x, Scalar.real(1)));
            default -> apply(function, x);
        };
    }

    // ------------------------------------------------------------------ whole numbers

    /** Integer arithmetic in 32 or 64 bits. */
    private void whole(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.format() == Format.I64);
        if (found.isEmpty()) {
            wholes(level, step);
            return;
        }
        Item a = used(found.get());
        Item b = used(level.pick(step.b(), i -> i.format() == Format.I64).orElseThrow());
        Format format = step.b() % 2 == 0 ? Format.I64 : Format.I32;
        List<Operation> all = List.of(Operation.BIT_AND, Operation.BIT_OR, Operation.BIT_XOR,
                Operation.SHIFT_LEFT, Operation.SHIFT_RIGHT, Operation.DIVIDE,
                Operation.REMAINDER, Operation.MULTIPLY, Operation.SUBTRACT, Operation.MAXIMUM,
                Operation.NEGATE, Operation.ABSOLUTE);
        Operation first = all.get(step.c() % all.size());
        Operation second = all.get(step.c() / all.size() % all.size());
        Operation third = all.get(step.a() % all.size());
        Item result = level.compute("whole", Format.I64, a.prefixed() || b.prefixed(), a.own(),
                (row, own) -> {
                    Scalar x = in(format, Level.read(a, row, own, a.own()));
                    Scalar y = in(format, Level.read(b, row, own, a.own()));
                    Scalar value = whole(third, whole(second, whole(first, x, y), y), y);
                    return apply(Operation.REMAINDER,
                            in(Format.I64, value), Scalar.whole(Maker.VOCABULARY));
                });
        keep(level, new Item(result.value(), result.prefixed(), Maker.VOCABULARY));
    }

    private static Scalar whole(Operation operation, Scalar x, Scalar y) {
        if (operation.arity() == 1) {
            return apply(operation, apply(Operation.SUBTRACT, x, y));
        }
        boolean divides = operation == Operation.DIVIDE || operation == Operation.REMAINDER;
        return apply(operation, x, divides
                ? apply(Operation.ADD,
                        apply(Operation.ABSOLUTE, y), new Scalar.Whole(y.format(), 1))
                : y);
    }

    private static Scalar in(Format format, Scalar whole) {
        return whole.format() == format ? whole : new Scalar.Convert(format, whole);
    }

    /** The whole numbers of a real value, where rounding cannot fall either way. */
    private void wholes(Level level, Step step) {
        Item a = used(level.real(step.a()));
        Item result = level.compute("whole", Format.I64, a.prefixed(), a.own(), (row, own) -> {
            Scalar value = maker.exact
                    ? new Scalar.Convert(Format.I64, Level.read(a, row, own, a.own()))
                    : own.isEmpty() ? Scalar.whole(step.b()) : own.getLast();
            return apply(Operation.REMAINDER,
                    apply(Operation.ADD, value, Scalar.whole(step.b())),
                    Scalar.whole(Maker.VOCABULARY));
        });
        keep(level, new Item(result.value(), result.prefixed(), Maker.VOCABULARY));
    }

    private void logic(Level level, Step step) {
        Item a = used(level.pick(step.a(), i -> i.format() == Format.BOOL)
                .orElseGet(() -> keep(level, condition(
                        level, used(level.real(step.a())), step.b()))));
        Item b = used(level.pick(step.b(), i -> i.format() == Format.BOOL && i != a)
                .orElseGet(() -> keep(level, condition(
                        level, used(level.real(step.b())), step.b() + 1))));
        Item both = keep(level, level.compute("both", Format.BOOL, a.prefixed() || b.prefixed(),
                a.own(), (row, own) -> {
                    Scalar x = Level.read(a, row, own, a.own());
                    Scalar y = Level.read(b, row, own, a.own());
                    return switch (step.c() % 4) {
                        case 0 -> apply(Operation.AND, x, apply(Operation.NOT, y));
                        case 1 -> apply(Operation.OR, x, y);
                        case 2 -> apply(Operation.NOT, apply(Operation.OR, x, y));
                        default -> apply(Operation.AND, x, y);
                    };
                }));
        if (!both.own().isEmpty()) {
            List<Long> own = both.own();
            keep(level, level.reduce("any", Format.BOOL, both.prefixed(),
                    own.subList(0, own.size() - 1),
                    step.b() % 2 == 0 ? Reduction.Kind.ANY : Reduction.Kind.ALL,
                    List.of(Size.of(own.getLast())), Optional.empty(),
                    (row, at, r) -> Level.read(used(both), row, joined(at, r), own)));
        }
    }

    private void narrow(Level level, Step step) {
        Item a = used(level.real(step.a()));
        Format format = step.b() % 2 == 0 ? Format.BF16 : Format.F16;
        boolean round = step.c() % 3 == 0;
        Item narrow = level.compute("narrow", round ? Format.F32 : format, a.prefixed(), a.own(),
                (row, own) -> {
                    Scalar value = Level.read(a, row, own, a.own());
                    return maker.settle(round ? new Scalar.Round(format, value) : value);
                });
        // Rounding may fall either way where values agree but within a tolerance.
        if (maker.exact) {
            keep(level, narrow);
        } else if (!level.inFunction && !level.nested
                && level.prefix.equals(Optional.of(new Size.Symbol("T")))) {
            maker.result(narrow);
        }
    }

    private void trace(Level level, Step step) {
        Item a = level.real(step.a());
        level.nodes.add(new Node.Trace("trace" + step.b(), List.of(), a.value()));
    }

    // ------------------------------------------------------------------ decisions

    /** A boolean for each element of a value, with a margin where values are inexact. */
    Item condition(Level level, Item a, int number) {
        double threshold = maker.exact ? number % 5 - 2 : (number % 5 - 2) * 0.3 + 0.05;
        if (!maker.exact) {
            maker.decision(level, "threshold " + threshold, a);
        }
        Operation operation = switch (number % 7) {
            case 0, 1 -> Operation.GREATER;
            case 2 -> Operation.GREATER_EQUAL;
            case 3 -> Operation.LESS;
            case 4 -> Operation.NOT_EQUAL;
            default -> Operation.LESS_EQUAL;
        };
        return level.compute("holds", Format.BOOL, a.prefixed(), a.own(), (row, own) ->
                apply(operation, Level.read(a, row, own, a.own()), Scalar.real(threshold)));
    }

    private void condition(Level level, Step step) {
        Optional<Item> whole = level.pick(step.b(), i -> i.format() == Format.I64);
        if (step.c() % 3 == 0 && whole.isPresent()) {
            Item a = used(whole.get());
            keep(level, level.compute("odd", Format.BOOL, a.prefixed(), a.own(), (row, own) ->
                    apply(Operation.EQUAL,
                            apply(Operation.BIT_AND, Level.read(a, row, own, a.own()),
                                    Scalar.whole(1)),
                            Scalar.whole(step.c() % 2))));
        } else {
            keep(level, condition(level, used(level.real(step.a())), step.c()));
        }
    }

    /** A boolean for each row, or one where there are no rows. */
    Item decision(Level level, Step step, boolean prefixed) {
        Optional<Item> whole = level.pick(step.c(), i -> i.format() == Format.BOOL
                && i.own().isEmpty() && i.prefixed() == prefixed);
        if (whole.isPresent() && step.c() % 2 == 0) {
            return used(whole.get());
        }
        Item a = used(level.pick(step.b(), i -> i.isReal() && i.prefixed() == prefixed)
                .orElseGet(() -> prefixed || level.prefix.isEmpty()
                        ? level.real(step.b())
                        : streams.total(level, step)));
        List<Long> shape = a.own();
        Item first = level.compute("first", Format.F32, prefixed, List.of(), (row, own) ->
                Level.read(a, row, own, shape));
        return condition(level, first, step.c());
    }

    private void select(Level level, Step step) {
        Item a = used(level.real(step.a()));
        Item b = used(level.real(step.b()));
        Item holds = used(level.pick(step.c(), i -> i.format() == Format.BOOL)
                .orElseGet(() -> condition(level, b, step.c())));
        boolean prefixed = a.prefixed() || b.prefixed() || holds.prefixed();
        keep(level, level.compute("chosen", Format.F32, prefixed, a.own(), (row, own) ->
                apply(Operation.SELECT,
                        Level.read(holds, row, own, a.own()),
                        Level.read(a, row, own, a.own()),
                        Level.read(b, row, own, a.own()))));
    }

    private void topK(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.isReal() && !i.own().isEmpty());
        if (found.isEmpty()) {
            pointwise(level, step);
            return;
        }
        topK(level, used(found.get()), 1 + step.b() % 3);
    }

    /** The largest along the last axis: values, then places. */
    List<Item> topK(Level level, Item a, long most) {
        List<Long> own = new ArrayList<>(a.own());
        long n = own.removeLast();
        long count = Math.min(most, n);
        own.add(count);
        if (!maker.exact) {
            maker.decision(level, "largest " + count, a);
        }
        Item values = level.define("largest", a.format(), a.prefixed(), own, 0);
        Item indices = level.define("places", Format.I64, a.prefixed(), own, n);
        level.nodes.add(new Node.TopK(
                values.value(), indices.value(), a.value(), count, Span.NONE));
        return List.of(values, indices);
    }

    // ------------------------------------------------------------------ reductions

    private void reduce(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> !i.own().isEmpty()
                && i.format() != Format.I64);
        if (found.isEmpty()) {
            pointwise(level, step);
            return;
        }
        Item a = used(found.get());
        List<Long> own = new ArrayList<>(a.own());
        int reducedAxes = step.c() % 3 == 0 ? own.size() : 1;
        List<Long> reduced = List.copyOf(own.subList(own.size() - reducedAxes, own.size()));
        List<Long> kept = own.subList(0, own.size() - reducedAxes);
        List<Size> sizes = reduced.stream().map(Size::of).toList();
        reduced.forEach(maker::sums);
        Level.Term body = (row, at, r) -> Level.read(a, row, joined(at, r), a.own());
        Optional<Level.Term> filter = step.c() % 4 == 1
                ? Optional.of((row, at, r) -> apply(Operation.NOT_EQUAL,
                        apply(Operation.REMAINDER, r.getLast(), Scalar.whole(3)),
                        Scalar.whole(step.b() % 3)))
                : Optional.empty();
        if (a.format() == Format.BOOL) {
            keep(level, level.reduce("any", Format.BOOL, a.prefixed(), kept,
                    step.b() % 2 == 0 ? Reduction.Kind.ANY : Reduction.Kind.ALL,
                    sizes, filter, body));
            return;
        }
        switch (step.b() % 5) {
            case 0 -> settled(level, level.reduce("sum", Format.F32, a.prefixed(), kept,
                    Reduction.Kind.SUM, sizes, filter, body));
            case 1 -> settled(level, level.reduce("most", Format.F32, a.prefixed(), kept,
                    Reduction.Kind.MAXIMUM, sizes, filter, body));
            case 2 -> settled(level, level.reduce("least", Format.F32, a.prefixed(), kept,
                    Reduction.Kind.MINIMUM, sizes, filter, body));
            case 3 -> settled(level, level.reduce("product", Format.F32, a.prefixed(), kept,
                    Reduction.Kind.PRODUCT, sizes, filter,
                    (row, at, r) -> apply(Operation.MAXIMUM, Scalar.real(-1),
                            apply(Operation.MINIMUM, Scalar.real(1), body.at(row, at, r)))));
            default -> {
                List<Long> rest = own.subList(0, own.size() - 1);
                if (!maker.exact) {
                    maker.decision(level, "largest 1", a);
                }
                Item place = level.reduce("place", Format.I64, a.prefixed(), rest,
                        Reduction.Kind.ARGUMENT_MAXIMUM, List.of(Size.of(own.getLast())),
                        Optional.empty(), body);
                keep(level, new Item(place.value(), place.prefixed(), own.getLast()));
            }
        }
    }

    /** A softmax along the last axis, or a sum so weighted, over all places or some. */
    private void softmax(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.isReal() && !i.own().isEmpty());
        if (found.isEmpty()) {
            pointwise(level, step);
            return;
        }
        Item a = used(found.get());
        List<Long> own = a.own();
        List<Long> kept = own.subList(0, own.size() - 1);
        List<Size> last = List.of(Size.of(own.getLast()));
        maker.sums(2 * own.getLast());
        Level.Term term = (row, at, r) -> Level.read(a, row, joined(at, r), own);
        Optional<Level.Element> seen = step.c() % 2 == 0
                ? Optional.empty()
                : Optional.of(seen(level, step, own));
        Optional<Level.Term> filter = seen.map(holds ->
                (row, at, r) -> holds.at(row, joined(at, r)));
        Item most = level.reduce("most", Format.F32, a.prefixed() || isSeenByRow(level, step),
                kept, Reduction.Kind.MAXIMUM, last, filter, term);
        boolean prefixed = most.prefixed();
        Item shares = level.compute("shares", Format.F32, prefixed, own, (row, at) -> {
            Scalar value = Level.read(a, row, at, own);
            Scalar top = Level.read(most, row, at.subList(0, at.size() - 1), kept);
            Scalar share = maker.exact
                    ? apply(Operation.SELECT, apply(Operation.EQUAL, value, top),
                            Scalar.real(1), Scalar.real(0))
                    : apply(Operation.EXPONENTIAL, apply(Operation.SUBTRACT, value, top));
            return behind(seen, row, at, share);
        });
        Item sum = level.reduce("total", Format.F32, prefixed, kept,
                Reduction.Kind.SUM, last, Optional.empty(), (row, at, r) ->
                        Level.read(shares, row, joined(at, r), own));
        Item softmax = level.compute("softmax", Format.F32, prefixed, own, (row, at) ->
                behind(seen, row, at, apply(maker.exact ? Operation.MULTIPLY : Operation.DIVIDE,
                        Level.read(shares, row, at, own),
                        Level.read(sum, row, at.subList(0, at.size() - 1), kept))));
        if (step.b() % 3 == 0) {
            settled(level, softmax);
            return;
        }
        Item b = used(level.real(step.b()));
        settled(level, level.reduce("mixed", Format.F32, prefixed || b.prefixed(), kept,
                Reduction.Kind.SUM, last, Optional.empty(), (row, at, r) -> apply(
                        Operation.MULTIPLY,
                        Level.read(softmax, row, joined(at, r), own),
                        Level.read(b, row, joined(at, r), own))));
    }

    /** Which places take part: those for which a boolean holds, or two out of three. */
    private Level.Element seen(Level level, Step step, List<Long> own) {
        return seenBy(level, step)
                .<Level.Element>map(holds -> (row, at) ->
                        Level.read(used(holds), row, at, own))
                .orElse((row, at) -> apply(Operation.NOT_EQUAL,
                        apply(Operation.REMAINDER, at.getLast(), Scalar.whole(3)),
                        Scalar.whole(step.b() % 3)));
    }

    private static Optional<Item> seenBy(Level level, Step step) {
        return step.c() % 4 == 1
                ? level.pick(step.b(), i -> i.format() == Format.BOOL)
                : Optional.empty();
    }

    private static boolean isSeenByRow(Level level, Step step) {
        return step.c() % 2 != 0 && seenBy(level, step).map(Item::prefixed).orElse(false);
    }

    private static Scalar behind(
            Optional<Level.Element> seen, Scalar row, List<Scalar> at, Scalar value) {
        return seen.map(holds -> apply(
                        Operation.SELECT, holds.at(row, at), value, Scalar.real(0)))
                .orElse(value);
    }

    private static List<Scalar> joined(List<Scalar> at, List<Scalar> reduced) {
        List<Scalar> all = new ArrayList<>(at);
        all.addAll(reduced);
        return all;
    }

    // ------------------------------------------------------------------ parameters

    private void contract(Level level, Step step) {
        Item a = used(level.real(step.a()));
        contract(level, a, step, Maker.SIZES.get(step.b() % Maker.SIZES.size()));
    }

    /** A product with a parameter, in one of several layouts; gives {@code [outputs]}. */
    Item contract(Level level, Item a, Step step, long outputs) {
        List<Long> inputs = a.own();
        boolean stacked = level.instance.isPresent() && step.c() % 4 != 0 || step.c() % 7 == 3;
        boolean outputsFirst = step.c() % 3 != 0;
        boolean heads = step.c() % 5 == 4 && outputs <= 7;
        List<Long> results = heads ? List.of(2L, outputs) : List.of(outputs);
        List<Long> shape = new ArrayList<>();
        shape.addAll(outputsFirst ? results : inputs);
        shape.addAll(outputsFirst ? inputs : results);
        Format format = switch (step.c() % 6) {
            case 1 -> Format.BF16;
            case 5 -> Format.F16;
            default -> Format.F32;
        };
        Parameter weights = maker.parameter(format, stacked, shape);
        List<Item> products = new ArrayList<>();
        // Of several instances, two of one tensor stand side by side.
        for (Scalar instance : !stacked ? List.of(Scalar.whole(0))
                : level.instance.map(List::of).orElse(List.of(
                        instance(level, step), Scalar.whole((step.a() + 1) % Level.COUNT)))) {
            inputs.forEach(maker::sums);
            products.add(level.reduce("product", Format.F32, a.prefixed(), results,
                    Reduction.Kind.SUM, inputs.stream().map(Size::of).toList(), Optional.empty(),
                    (row, at, r) -> {
                        List<Scalar> place = new ArrayList<>();
                        if (stacked) {
                            place.add(instance);
                        }
                        place.addAll(outputsFirst ? at : r);
                        place.addAll(outputsFirst ? r : at);
                        Scalar x = Level.read(a, row, r, inputs);
                        Scalar w = Scalar.load(weights.value(), place);
                        return step.b() % 2 == 0
                                ? apply(Operation.MULTIPLY, x, w)
                                : apply(Operation.MULTIPLY, w, x);
                    }));
        }
        Item product = products.size() == 1 ? products.getFirst()
                : level.compute("both", Format.F32, a.prefixed(), results, (row, own) ->
                        apply(Operation.SUBTRACT,
                                Level.read(products.getFirst(), row, own, results),
                                Level.read(products.getLast(), row, own, results)));
        return settled(level, product);
    }

    /**
     * A product of codes with codes, each row of either with a scale. Where values are inexact, the
     * codes are those of places, as rounding may fall either way.
     */
    private void codes(Level level, Step step) {
        Item a = used(level.real(step.a()));
        List<Long> inputs = a.own();
        long outputs = Maker.SIZES.get(step.b() % Maker.SIZES.size());
        boolean stacked = level.instance.isPresent() && step.c() % 4 != 0;
        List<Long> shape = new ArrayList<>(List.of(outputs));
        shape.addAll(inputs);
        Parameter weights = maker.parameter(Format.I8, stacked, shape);
        Parameter scales = maker.parameter(Format.F32, stacked, List.of(outputs));
        Item codes = level.compute("codes", Format.I8, a.prefixed(), inputs, (row, own) ->
                new Scalar.Convert(Format.I32, maker.exact
                        ? Level.read(a, row, own, inputs)
                        : code(own.isEmpty() ? Scalar.whole(step.a()) : own.getLast(),
                                step.c())));
        Item most = level.reduce("most", Format.F32, a.prefixed(), List.of(),
                Reduction.Kind.MAXIMUM, inputs.stream().map(Size::of).toList(), Optional.empty(),
                (row, own, r) -> maker.exact
                        ? Scalar.real(1)
                        : apply(Operation.ABSOLUTE, Level.read(a, row, r, inputs)));
        inputs.forEach(maker::sums);
        Item product = level.reduce("product", Format.F32, a.prefixed(), List.of(outputs),
                Reduction.Kind.SUM, inputs.stream().map(Size::of).toList(), Optional.empty(),
                (row, at, r) -> {
                    List<Scalar> instance = stacked ? List.of(instance(level, step)) : List.of();
                    Scalar weight = Scalar.load(
                            weights.value(), joined(joined(instance, at), r));
                    Scalar factor = Level.read(codes, row, r, inputs);
                    return apply(Operation.MULTIPLY,
                            apply(Operation.MULTIPLY,
                                    new Scalar.Convert(Format.F32, weight),
                                    Scalar.load(scales.value(), joined(instance, at))),
                            apply(Operation.MULTIPLY,
                                    new Scalar.Convert(Format.F32, factor),
                                    Level.read(most, row, List.of(), List.of())));
                });
        // Partial sums are then no larger than those of other steps, as the tolerance has it.
        Scalar unit = Scalar.real(maker.exact ? 1 : 1.0 / (Data.CODES * Data.CODES));
        keep(level, level.compute("settled", Format.F32, a.prefixed(), List.of(outputs),
                (row, own) -> maker.settle(apply(Operation.MULTIPLY,
                        unit, Level.read(product, row, own, List.of(outputs))))));
    }

    /** A number with a sign, from where it stands. */
    private static Scalar code(Scalar place, int number) {
        return apply(Operation.SUBTRACT,
                apply(Operation.REMAINDER,
                        apply(Operation.MULTIPLY,
                                apply(Operation.ADD, place, Scalar.whole(1)),
                                Scalar.whole(17 + number)),
                        Scalar.whole(2 * Data.CODES + 1)),
                Scalar.whole(Data.CODES));
    }

    /** Scales by sums of weights, which need no data. */
    private void derived(Level level, Step step) {
        Item a = used(level.real(step.a()));
        boolean stacked = level.instance.isPresent();
        List<Long> shape = new ArrayList<>(a.own());
        shape.add(3L);
        Parameter weights = maker.parameter(Format.F32, stacked, shape);
        maker.sums(3);
        Item sums = level.reduce("derived", Format.F32, false, a.own(), Reduction.Kind.SUM,
                List.of(Size.of(3)), Optional.empty(), (row, at, r) -> {
                    List<Scalar> place = new ArrayList<>();
                    if (stacked) {
                        place.add(instance(level, step));
                    }
                    place.addAll(at);
                    place.addAll(r);
                    return Scalar.load(weights.value(), place);
                });
        keep(level, level.compute("scaled", Format.F32, a.prefixed(), a.own(), (row, at) ->
                maker.settle(apply(Operation.MULTIPLY, Level.read(a, row, at, a.own()),
                        Level.read(sums, row, at, a.own())))));
    }

    static Scalar instance(Level level, Step step) {
        return level.instance.orElse(Scalar.whole(step.a() % Level.COUNT));
    }

    private void gather(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.format() == Format.I64);
        if (found.isEmpty()) {
            contract(level, step);
            return;
        }
        Item at = used(found.get());
        long width = Maker.SIZES.get(step.b() % Maker.SIZES.size());
        Parameter table = maker.parameter(
                step.c() % 2 == 0 ? Format.F32 : Format.BF16, false,
                List.of(Maker.VOCABULARY, width));
        List<Long> own = new ArrayList<>(at.own());
        own.add(width);
        keep(level, level.compute("row", Format.F32, at.prefixed(), own, (row, place) ->
                Scalar.loadChecked(table.value(), List.of(
                        Scalar.within(below(at, row, place.subList(0, place.size() - 1),
                                        Maker.VOCABULARY),
                                Scalar.whole(Maker.VOCABULARY), "axis 0 of a table"),
                        place.getLast()))));
    }

    /** An element of an integer value, brought below a limit where it may be above. */
    static Scalar below(Item at, Scalar row, List<Scalar> own, long limit) {
        Scalar index = Level.read(at, row, own, at.own());
        return at.bound() <= limit
                ? index
                : apply(Operation.REMAINDER, index, Scalar.whole(limit));
    }

    private void scatter(Level level, Step step) {
        Optional<Item> found = level.pick(step.a(), i -> i.isReal() && !i.own().isEmpty()
                && i.prefixed() == level.prefix.isPresent());
        if (found.isEmpty()) {
            pointwise(level, step);
            return;
        }
        Item base = used(found.get());
        Item b = used(level.real(step.b()));
        List<Long> own = base.own();
        Item result = new Item(
                level.identifiers.value("scattered", base.value().type()), base.prefixed(), 0);
        List<Axis> axes = level.axes(result);
        Scalar row = Level.row(result, axes);
        List<Scalar> places = Level.own(result, axes);
        List<Scalar> target = new ArrayList<>(
                axes.stream().map(axis -> Scalar.variable(axis.index())).toList());
        Optional<Item> at = level.pick(step.c(), i -> i.format() == Format.I64
                && i.own().isEmpty());
        long last = own.getLast();
        target.set(target.size() - 1, at.isPresent() && step.c() % 2 == 0
                ? below(used(at.get()), row, List.of(), last)
                : apply(Operation.REMAINDER,
                        apply(Operation.MULTIPLY, places.getLast(), Scalar.whole(2)),
                        Scalar.whole(last)));
        Optional<Reduction.Kind> combine = switch (step.c() % 3) {
            case 0 -> Optional.of(Reduction.Kind.SUM);
            case 1 -> Optional.of(Reduction.Kind.MAXIMUM);
            default -> Optional.empty();
        };
        level.nodes.add(new Node.Scatter(
                result.value(), base.value(), axes, target, combine, step.c() % 2 == 0,
                Level.read(b, row, places, own), Span.NONE));
        settled(level, result);
    }

    /** The last real value in a shape and format that are asked for. */
    Value adapted(Level level, Item like) {
        Item last = used(level.real(0));
        return level.compute("adapted", like.format(), like.prefixed(), like.own(),
                (row, own) -> like.prefixed() || !last.prefixed()
                        ? Level.read(last, row, own, like.own())
                        : Level.read(like, row, own, like.own())).value();
    }
}
