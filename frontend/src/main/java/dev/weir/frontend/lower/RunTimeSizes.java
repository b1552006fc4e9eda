package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Size;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives axes and ranges sizes that only a run knows. A number makes a size of its own, which each
 * sequence (or token) has for itself; where the number depends on outer indices, the axis is as
 * long as the longest and {@link Jagged} tells what is in use.
 *
 * <p>A range is checked once, where its end is computed, against the axes that its index goes
 * along, and not at each access.
 */
final class RunTimeSizes {
    /**
     * A size that a number gives.
     *
     * @param value the number, checked
     * @param limits what it has been checked against
     */
    private record Measured(Size.Symbol symbol, Value value, List<Size> limits) {}

    /**
     * A number for each point of its indices, as a table that ranges go up to. It is the table of
     * every range that goes up to the same number, whatever the indices are called there.
     *
     * @param limits what its elements have been checked against
     */
    private record Table(Scalar number, Scalar stored, List<Size> limits) {}

    /** What a size or a range may not reach that nothing else limits. */
    private static final long LONGEST = 1L << 31;
    /** Begins the name of a size that nothing has asked for yet. */
    private static final String OPEN = "?.";

    private final Body body;
    /** The sizes that numbers have given, for each open region. */
    private final Deque<Map<Scalar, Measured>> measured = new ArrayDeque<>();
    /** The largest of numbers over all their indices, for each open region. */
    private final Deque<Map<Scalar, Size.Symbol>> longest = new ArrayDeque<>();
    /** The tables that can be read, for each open region; the latest first. */
    private final Deque<Deque<Table>> tables = new ArrayDeque<>();

    RunTimeSizes(Body body) {
        this.body = body;
        open();
    }

    /** What is measured inside a region is not known outside. */
    void open() {
        measured.push(new HashMap<>());
        longest.push(new HashMap<>());
        tables.push(new ArrayDeque<>());
    }

    void close() {
        measured.pop();
        longest.pop();
        tables.pop();
    }

    /**
     * The size that a number without indices gives an axis; a negative one gives none.
     *
     * @param limits axes that have to be at least as long
     */
    Dimension size(Scalar number, Size named, List<Limit> limits, Span span) {
        Measured known = known(number)
                .orElseGet(() -> measure(number, List.of(), Optional.empty(), span));
        for (Limit limit : limits) {
            if (!known.limits().contains(limit.size())) {
                known = measure(number, List.of(limit), Optional.of(known), span);
            }
        }
        return new Dimension(known.symbol(), named);
    }

    private Optional<Measured> known(Scalar number) {
        return measured.stream().map(m -> m.get(number)).filter(m -> m != null).findFirst();
    }

    /** An axis that a range must not leave. */
    record Limit(Size size, String place) {}

    private Measured measure(
            Scalar number, List<Limit> limits, Optional<Measured> before, Span span) {
        Scalar start = before.<Scalar>map(m -> Scalar.load(m.value(), List.of()))
                .orElseGet(() -> Scalar.apply(Operation.MAXIMUM, number, Scalar.whole(0)));
        Value value = body.scalarValue("size", checked(start, limits), span);
        Size.Symbol symbol = body.session.symbol("E");
        body.emit(new Node.Measure(symbol, value));
        List<Size> all = new ArrayList<>();
        before.ifPresent(m -> {
            all.addAll(m.limits());
            body.bounds.know(m.symbol(), symbol);
            body.bounds.know(symbol, m.symbol());
        });
        limits.forEach(limit -> all.add(limit.size()));
        all.forEach(limit -> body.bounds.know(symbol, limit));
        Measured result = new Measured(symbol, value, all);
        measured.element().put(number, result);
        return result;
    }

    private Scalar checked(Scalar number, List<Limit> limits) {
        if (limits.isEmpty() && !body.bounds.dependsOnData(number)) {
            return number;
        }
        return limits.isEmpty()
                ? Scalar.within(number, Scalar.whole(LONGEST),
                        "a size from data is {value}, and has to be below {limit}")
                : Scalar.within(number,
                        Scalar.extent(Size.sum(limits.getFirst().size(), Size.of(1))),
                        end(limits.getFirst().place()));
    }

    /** What is said of a range that begins outside of an axis. */
    static String begin(String axis) {
        return "a range along " + axis + " begins at {value}, and has to begin at 0 or later, "
                + "below {limit}";
    }

    /** What is said of a range that goes too far along an axis. */
    static String end(String axis) {
        return "a range along " + axis + " ends at {value}, and has to end below {limit}";
    }

    /**
     * An index between numbers of which some depend on data or on other indices.
     *
     * @param uses the axes that it goes along
     */
    Index index(
            String name, Scalar from, Scalar to, List<IndexRanges.Use> uses, Size named,
            Span span) {
        List<Limit> limits = uses.stream()
                .filter(u -> !u.guarded() && u.length().isEmpty())
                .map(u -> new Limit(u.size().size(), u.place())).distinct().toList();
        Scalar lower = body.bounds.dependsOnData(from)
                ? begun(from, limits, span) : from;
        if (Scalars.indices(to).isEmpty() && body.bounds.dependsOnData(to)) {
            Dimension size = size(to, named, limits, span);
            return body.index(name, lower, Scalar.extent(size.size()), size);
        }
        Scalar upper = body.bounds.dependsOnData(to) ? stored(to, limits, span) : to;
        // Only a range that is checked against an axis is never longer than that.
        return body.index(name, lower, upper, limits.stream().findFirst()
                .map(limit -> new Dimension(limit.size(), named))
                .orElseGet(() -> new Dimension(Size.symbol(OPEN + name), named)));
    }

    /** A number for each point of its indices, as a table whose elements keep to the limits. */
    private Scalar stored(Scalar number, List<Limit> limits, Span span) {
        Optional<Table> known = table(number);
        List<Size> checked = new ArrayList<>(known.map(Table::limits).orElse(List.of()));
        List<Limit> open = limits.stream().filter(l -> !checked.contains(l.size())).toList();
        if (known.isPresent() && open.isEmpty()) {
            return known.get().stored();
        }
        Scalar stored = known.map(Table::stored).orElseGet(
                () -> Scalar.apply(Operation.MAXIMUM, number, Scalar.whole(0)));
        if (open.isEmpty()) {
            stored = body.reductions.hoist(checked(stored, List.of()), "length", span);
        }
        for (Limit limit : open) {
            stored = body.reductions.hoist(checked(stored, List.of(limit)), "length", span);
        }
        limited(stored, open);
        if (known.isPresent() && stored instanceof Scalar.Load to
                && known.get().stored() instanceof Scalar.Load from) {
            body.bounds.same(to.source(), from.source());
        }
        open.forEach(limit -> checked.add(limit.size()));
        // Under a condition a table has the number where that holds, and is empty elsewhere.
        if (!body.bounds.isGuarded()) {
            tables.getFirst().push(new Table(number, stored, checked));
        }
        return stored;
    }

    /** The table of a number, read at the number's own indices. */
    private Optional<Table> table(Scalar number) {
        for (Deque<Table> region : tables) {
            for (Table table : region) {
                Optional<Map<Index, Scalar>> renamed = renamed(table.number(), number);
                if (renamed.isPresent()) {
                    return Optional.of(new Table(number,
                            Scalars.substitute(table.stored(), renamed.get()), table.limits()));
                }
            }
        }
        return Optional.empty();
    }

    /** By which names of its indices one expression is another one, over the same ranges. */
    private Optional<Map<Index, Scalar>> renamed(Scalar one, Scalar other) {
        List<Index> from = List.copyOf(Scalars.indices(one));
        List<Index> to = List.copyOf(Scalars.indices(other));
        if (from.size() != to.size()) {
            return Optional.empty();
        }
        Map<Index, Scalar> names = new HashMap<>();
        for (int i = 0; i < from.size(); i++) {
            names.put(from.get(i), Scalar.variable(to.get(i)));
        }
        boolean same = Scalars.substitute(one, names).equals(other);
        for (int i = 0; i < from.size(); i++) {
            Axis a = body.axis(from.get(i));
            Axis b = body.axis(to.get(i));
            same &= Scalars.substitute(a.lower(), names).equals(b.lower())
                    && Scalars.substitute(a.upper(), names).equals(b.upper());
        }
        return same ? Optional.of(names) : Optional.empty();
    }

    /** As {@link #stored}, of where ranges begin. */
    private Scalar begun(Scalar number, List<Limit> limits, Span span) {
        Scalar begun = number;
        for (Limit limit : limits) {
            begun = body.reductions.hoist(Scalar.within(begun,
                    Scalar.extent(Size.sum(limit.size(), Size.of(1))),
                    begin(limit.place())), "begin", span);
        }
        return limits.isEmpty()
                ? body.reductions.hoist(Scalar.within(number, Scalar.whole(LONGEST),
                        "a range begins at {value}, and has to begin at 0 or later, "
                                + "below {limit}"), "begin", span)
                : limited(begun, limits);
    }

    private Scalar limited(Scalar stored, List<Limit> limits) {
        if (stored instanceof Scalar.Load load && !limits.isEmpty()) {
            body.bounds.limitTable(load.source(), Scalar.whole(0), Scalar.extent(
                    Size.sum(limits.getLast().size(), Size.of(1))));
        }
        return stored;
    }

    /** The axis that an index makes where it is one of a result. */
    Dimension extent(Index index, Span span) {
        Dimension extent = body.extent(index);
        boolean isOpen = extent.size() instanceof Size.Symbol s && s.name().startsWith(OPEN);
        if (isOpen) {
            extent = new Dimension(longest(body.axis(index).upper(), span), extent.named());
            body.extend(index, extent);
        }
        return extent;
    }

    /** The largest of a number over all its indices. */
    private Size longest(Scalar number, Span span) {
        return longest.stream()
                .flatMap(region -> region.entrySet().stream())
                .filter(entry -> renamed(entry.getKey(), number).isPresent())
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseGet(() -> {
                    Scalar positive = Scalar.apply(Operation.MAXIMUM, number, Scalar.whole(0));
                    Value table = ((Scalar.Load) body.reductions.hoist(
                            checked(positive, List.of()), "length", span)).source();
                    Size.Symbol symbol = body.session.symbol("E");
                    body.emit(new Node.Measure(symbol, table));
                    if (!body.bounds.isGuarded()) {
                        longest.getFirst().put(number, symbol);
                    }
                    return symbol;
                });
    }

    /**
     * The axes of a result that has these indices; those whose range depends on outer ones are
     * jagged.
     */
    List<Dimension> shape(List<Index> indices, String name, Span span) {
        List<Dimension> shape = new ArrayList<>();
        Map<Index, Integer> places = new HashMap<>();
        for (Index index : indices) {
            Dimension extent = extent(index, span);
            Scalar upper = body.axis(index).upper();
            var needed = Scalars.indices(upper);
            if (!needed.isEmpty()) {
                if (!places.keySet().containsAll(needed)) {
                    throw body.session.fail(Diagnostic.error("E0907", span,
                                    "how far `" + index.name() + "` goes depends on an index that "
                                            + "is no axis of `" + name + "` before it")
                            .helped("put that index before it on the left side"));
                }
                Map<Index, Integer> axes = new HashMap<>();
                needed.forEach(i -> axes.put(i, places.get(i)));
                extent = new Dimension(extent.size(), extent.named(),
                        Optional.of(new Jagged(upper, axes)));
            }
            places.put(index, shape.size());
            shape.add(extent);
        }
        return shape;
    }

    /** Refuses a tensor with a jagged axis where it would be used as a whole. */
    Meaning.Tensor whole(Meaning.Tensor tensor, Span span) {
        for (Dimension axis : tensor.shape()) {
            if (axis.jagged().isPresent()) {
                throw body.session.fail(Diagnostic.error("E0907", span,
                                "`" + span.text() + "` takes a tensor as a whole, and an axis of "
                                        + "it is longer for some elements than for others")
                        .labelled("its axes are " + Signatures.shape(tensor.shape()))
                        .with(tensor.span(), "this is where it comes from")
                        .helped("write the equation out, with an index for each axis"));
            }
        }
        return tensor;
    }
}
