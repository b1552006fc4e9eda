package dev.weir.testkit.random;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Identifiers;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Region;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.testkit.random.Level.Item;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Makes the program of a recipe: what it declares, its entry, its results. */
final class Maker {
    /** Sizes around those of vectors and blocks. */
    static final List<Long> SIZES = List.of(1L, 2L, 3L, 5L, 7L, 15L, 16L, 17L, 31L, 33L);
    static final long VOCABULARY = 11;
    /** No element of an item is larger, so that products and sums stay exact. */
    static final double EXACT_LIMIT = 64;
    static final double LIMIT = 4;

    final Identifiers identifiers = new Identifiers(0);
    final boolean exact;
    final boolean watched;
    final List<Parameter> parameters = new ArrayList<>();
    final List<State> states = new ArrayList<>();
    final List<Function> functions = new ArrayList<>();
    final Set<Kind> kinds = new TreeSet<>();
    private final Set<Value> used = new LinkedHashSet<>();
    private final List<Item> extra = new ArrayList<>();
    private boolean chunks = true;
    private long length = 1;

    /**
     * A program with what its comparison needs to know.
     *
     * @param chunks whether its results stay the same where a sequence comes in parts
     * @param length how many terms its sums have in all, and how many elementary functions there
     *     are, for the tolerance
     */
    record Made(TensorProgram program, boolean chunks, long length, Set<Kind> kinds) {}

    private Maker(boolean exact, boolean watched) {
        this.exact = exact;
        this.watched = watched;
    }

    /**
     * @param watched whether what decisions depend on is traced, see {@link Margins}
     */
    static Made make(Recipe recipe, boolean watched) {
        return new Maker(recipe.exact(), watched).make(recipe);
    }

    private Made make(Recipe recipe) {
        Size.Symbol stream = new Size.Symbol("T");
        Level top = new Level(identifiers, Optional.of(stream));
        long width = SIZES.get(recipe.width() % SIZES.size());
        Item ids = top.define("ids", Format.I64, true, List.of(), VOCABULARY);
        Item position = top.define("position", Format.I64, true, List.of(), 64);
        Item x = top.define("x", Format.F32, true, List.of(width), 0);
        top.position = Optional.of(position);
        Steps steps = new Steps(this);
        recipe.steps().forEach(step -> steps.add(top, step));
        List<Value> results = results(top);
        Region body = new Region(
                List.of(x.value(), ids.value(), position.value()), top.nodes, results);
        TensorProgram program = new TensorProgram(
                "random",
                parameters,
                states,
                functions,
                new Function("main", "", List.of(), body),
                Optional.of(new StreamAxis(stream, Optional.empty())),
                results.stream().map(Value::name).toList(),
                Optional.empty(),
                Map.of());
        return new Made(program, chunks, length, kinds);
    }

    /** What nothing else uses, the latest three; the results are new values of their own. */
    private List<Value> results(Level top) {
        List<Item> unused = new ArrayList<>(
                top.items.stream().filter(i -> !used.contains(i.value())).toList());
        unused.addAll(extra);
        List<Value> results = new ArrayList<>();
        for (Item item : unused.subList(Math.max(0, unused.size() - 3), unused.size())) {
            boolean argument = top.nodes.stream()
                    .noneMatch(n -> n.results().contains(item.value()));
            results.add(argument ? copy(top, item).value() : item.value());
        }
        if (results.isEmpty()) {
            results.add(copy(top, top.items.getLast()).value());
        }
        return results;
    }

    private static Item copy(Level level, Item item) {
        return level.compute("copy", item.format(), item.prefixed(), item.own(),
                (row, own) -> Level.read(item, row, own, item.own()));
    }

    // ------------------------------------------------------------------ what steps note

    void use(Item item) {
        used.add(item.value());
    }

    /** A result of its own, which nothing may read further. */
    void result(Item item) {
        extra.add(item);
    }

    /** The results depend on how a sequence is cut. */
    void whole() {
        chunks = false;
    }

    void sums(long terms) {
        length += terms;
    }

    /** Shows what a decision depends on to {@link Margins}. */
    void decision(Level level, String what, Item item) {
        if (watched) {
            level.nodes.add(new Node.Trace(what, List.of(), item.value()));
        }
    }

    /** The value, kept within bounds. */
    Scalar settle(Scalar value) {
        double limit = exact ? EXACT_LIMIT : LIMIT;
        return Scalar.apply(Operation.MAXIMUM,
                Scalar.apply(Operation.MINIMUM, value, Scalar.real(limit)), Scalar.real(-limit));
    }

    // ------------------------------------------------------------------ declarations

    /** A parameter; a stacked one has {@link Level#COUNT} instances. */
    Parameter parameter(Format format, boolean stacked, List<Long> own) {
        List<Size> shape = new ArrayList<>();
        if (stacked) {
            shape.add(Size.of(Level.COUNT));
        }
        own.forEach(n -> shape.add(Size.of(n)));
        Value value = identifiers.value("w" + parameters.size(), new TensorType(format, shape));
        String path = "w" + parameters.size() + (stacked ? ".{0}" : "");
        Parameter parameter =
                new Parameter(value, stacked ? 1 : 0, path, List.of(path), false, 0, Optional.empty(), Optional.empty());
        parameters.add(parameter);
        return parameter;
    }

    State state(Format format, boolean grows, boolean stacked, List<Long> own) {
        String name = "s" + states.size() + (stacked ? ".{0}" : "");
        List<Size> shape = new ArrayList<>();
        List<Size> leading = new ArrayList<>();
        if (stacked) {
            leading.add(Size.of(Level.COUNT));
        }
        leading.add(new Size.Symbol("B"));
        shape.addAll(leading);
        Optional<Size.Symbol> slots =
                grows ? Optional.of(identifiers.symbol("S")) : Optional.empty();
        slots.ifPresent(shape::add);
        own.forEach(n -> shape.add(Size.of(n)));
        Optional<Value> lengths = grows
                ? Optional.of(identifiers.value(
                        "lengths", new TensorType(Format.I64, leading)))
                : Optional.empty();
        State state = new State(
                name,
                stacked ? List.of(Level.COUNT) : List.of(),
                identifiers.value("s" + states.size(), new TensorType(format, shape)),
                slots,
                lengths,
                Optional.empty(),
                grows ? 0 : states.size() % 2);
        states.add(state);
        return state;
    }

    Function function(Value instance, List<Value> arguments, Level body, List<Value> results) {
        String name = "f" + functions.size();
        Function function = new Function(
                name, "", List.of(instance), new Region(arguments, body.nodes, results));
        functions.add(function);
        return function;
    }
}
