package dev.weir.frontend.lower;

import dev.weir.frontend.Configuration;
import dev.weir.frontend.NamedShape;
import dev.weir.frontend.resolve.Names;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Severity;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.tensor.Function;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.State;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * What is common to all bodies of one run: diagnostics, identifiers, and the program so far.
 *
 * <p>A run either lowers a model, with every generic bound to a number, or checks a template, with
 * its generics as names; the rules are the same, but a check makes nothing of the blocks it calls
 * and leaves open what depends on a number.
 */
final class Session {
    private final boolean checking;
    private final boolean tracing;
    private final Configuration configuration;
    private final List<Diagnostic> diagnostics;
    private final Set<String> symbols = new HashSet<>();
    private final Map<String, Integer> depths = new LinkedHashMap<>();
    private final Set<String> reported = new HashSet<>();
    private final Map<Span, String> selectors = new LinkedHashMap<>();
    private final Set<Span> usedSelectors = new HashSet<>();
    /** Where it is said that factors are to be rounded, with what is said there. */
    private final Map<Span, String> roundings = new LinkedHashMap<>();
    private boolean isRounding;
    private final Map<String, Size.Symbol> slots = new LinkedHashMap<>();
    private final Set<Value> parts = new HashSet<>();
    private final Set<Value> weights = new HashSet<>();
    private final Map<String, NamedShape> shapes = new LinkedHashMap<>();
    private final Deque<Scope> scopes = new ArrayDeque<>();
    private final Variant variant = new Variant(this);
    private Program program = new Program();
    private int next;
    private int depth;

    /** What has been made of the model so far. */
    static final class Program {
        final Map<String, Parameter> parameters = new LinkedHashMap<>();
        final Map<String, State> states = new LinkedHashMap<>();
        /** How states are kept, by their paths. */
        final Map<String, Encoding> encodings = new HashMap<>();
        final Map<String, Function> functions = new LinkedHashMap<>();
        final Set<String> functionNames = new HashSet<>();

        Program copy() {
            Program copy = new Program();
            copy.parameters.putAll(parameters);
            copy.states.putAll(states);
            copy.functions.putAll(functions);
            copy.functionNames.addAll(functionNames);
            return copy;
        }
    }

    Session(
            boolean checking,
            boolean tracing,
            Configuration configuration,
            List<Diagnostic> diagnostics) {
        this.checking = checking;
        this.tracing = tracing;
        this.configuration = configuration;
        this.diagnostics = diagnostics;
    }

    boolean isChecking() {
        return checking;
    }

    boolean isTracing() {
        return tracing;
    }

    Configuration configuration() {
        return configuration;
    }

    Program program() {
        return program;
    }

    /** Notes a value that holds a part of something quantised. */
    void keepsPart(Value value) {
        parts.add(value);
    }

    /** Notes a parameter that holds a part of something quantised. */
    void keepsWeights(Value value) {
        keepsPart(value);
        weights.add(value);
    }

    /** Whether an expression reads an element of a quantised parameter, or a part of it. */
    boolean isWeight(Scalar scalar) {
        List<Value> sources = new ArrayList<>();
        Walk.loads(scalar, load -> sources.add(load.source()));
        return isDecoded(scalar) && sources.stream().anyMatch(weights::contains);
    }

    /** Whether an expression does no more than read an element, however that is kept. */
    boolean isRead(Scalar scalar) {
        return scalar instanceof Scalar.Load || isDecoded(scalar);
    }

    /** Whether it is made of the parts of something quantised, at places that are known. */
    private boolean isDecoded(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Load load -> parts.contains(load.source());
            case Scalar.Variable variable -> true;
            case Scalar.Whole whole -> true;
            default -> !Walk.operands(scalar).isEmpty()
                    && Walk.operands(scalar).stream().allMatch(this::isDecoded);
        };
    }

    Map<String, Integer> depths() {
        return depths;
    }

    /** Enters a body; what the sizes in messages stand for is looked up in its scope. */
    void open(Scope sizes) {
        scopes.push(sizes);
    }

    void close() {
        scopes.pop();
    }

    /** Says of sizes that a call fixes where they are from: in the words of who calls. */
    void hand(Map<String, Dimension> sizes, Scope scope) {
        Optional.ofNullable(scopes.peek()).ifPresent(caller -> sizes.forEach((name, size) ->
                SizeOrigins.of(size, caller).ifPresent(origin -> scope.note(name, origin))));
    }

    /** How parameters are declared, by their paths. */
    Map<String, NamedShape> shapes() {
        return shapes;
    }

    void report(Diagnostic found) {
        Diagnostic diagnostic = scopes.isEmpty() ? found : SizeOrigins.told(found, scopes.peek());
        Span span = diagnostic.primary();
        String key = diagnostic.code() + span.source().name() + span.start() + ":" + span.end();
        if (reported.add(key)) {
            diagnostics.add(diagnostic);
        }
    }

    /** Reports an error and leaves the statement. */
    Failure fail(Diagnostic diagnostic) {
        report(diagnostic);
        return new Failure();
    }

    /** Refuses a construct that is checked but has no lowering yet; a check lets it pass. */
    void unsupported(String code, Span span, String what, String help) {
        if (!checking) {
            throw fail(Diagnostic.error(code, span, what + " cannot be compiled yet")
                    .labelled("checked, but not lowered").helped(help));
        }
    }

    private static final Set<String> KEPT = Set.of("E0602", "E0604", "E0605");

    /** Whether what is wrong is at most how numbers are kept, which disturbs nothing else. */
    boolean isSound() {
        return isSound(diagnostics);
    }

    static boolean isSound(List<Diagnostic> diagnostics) {
        return diagnostics.stream().filter(d -> d.severity() == Severity.ERROR)
                .allMatch(d -> KEPT.contains(d.code()));
    }

    boolean hasErrors() {
        return diagnostics.stream().anyMatch(d -> d.severity() == Severity.ERROR);
    }

    Value value(String name, TensorType type) {
        return new Value(next++, name, type);
    }

    /** What a derived model changes. */
    Variant variant() {
        return variant;
    }

    /** The selectors of formats that name members, until they have named one. */
    Map<Span, String> selectors() {
        return selectors;
    }

    void useSelector(Span span) {
        selectors.remove(span);
        usedSelectors.add(span);
    }

    /** Says which selectors have named nothing. */
    void reportUnusedSelectors() {
        selectors.forEach((span, text) -> {
            if (!usedSelectors.contains(span)) {
                report(Diagnostic.error("E0603", span,
                                "the selector `" + text + "` names nothing in this block")
                        .helped(Names.suggest(text, Precision.GROUPS)
                                .map(s -> "did you mean `" + s + "`?")
                                .orElse("it names a parameter, a state or a block inside, or "
                                        + "weights, activations, cache, compute or "
                                        + "accumulate")));
            }
        });
    }

    /** Notes that what quantised weights are multiplied with is to be rounded. */
    void wantRounding(Span span, String said) {
        roundings.put(span, said);
    }

    /** Notes that a factor is rounded. */
    void useRounding() {
        isRounding = true;
    }

    /** Says that factors were to be rounded, if none is. */
    void reportUnusedRoundings() {
        if (!isRounding) {
            roundings.forEach((span, said) -> report(Diagnostic.warning("W0204", span,
                            "`activations: " + said + "` rounds nothing: no sum here has weights "
                                    + "in codes")
                    .helped("what weights in int8, int4 or int2 are multiplied with is rounded: "
                            + "say so of them too, `weights: int8`")));
        }
    }

    /** How many slots a growing state has; all that append to it mean the same size. */
    Size.Symbol slots(String path) {
        return slots.computeIfAbsent(path, p -> symbol("S"));
    }

    Index index(String name) {
        return new Index(next++, name);
    }

    /** A run-time size that no other is called. */
    Size.Symbol symbol(String name) {
        String unique = name;
        for (int i = 2; !symbols.add(unique); i++) {
            unique = name + i;
        }
        return new Size.Symbol(unique);
    }

    void reserve(String symbol) {
        symbols.add(symbol);
    }

    String functionName(String wanted) {
        String unique = wanted;
        for (int i = 2; !program.functionNames.add(unique); i++) {
            unique = wanted + "_" + i;
        }
        return unique;
    }

    /** How many blocks a model may have that are not alike; each of them is compiled. */
    private static final int MOST_BLOCKS = 5000;
    /** How often functions may be put in the place of their calls. */
    private static final int MOST_EXPANSIONS = 200_000;
    private static final int DEEPEST = 64;

    private int blocks;
    private int expansions;

    /** Enters one more block inside a block; endless generic recursion ends here. */
    void enter(Span span) {
        limit(++blocks, MOST_BLOCKS, () -> Diagnostic.error("E0213", span,
                        "this model has more than " + MOST_BLOCKS + " blocks")
                .helped("blocks that are alike belong in a list, `layers: Layer<D> * L`, and in a "
                        + "loop over it: they are compiled once"));
        deeper(() -> Diagnostic.error("E0207", span, "blocks contain one another without end")
                .labelled("more than " + DEEPEST + " levels deep")
                .helped("a block that holds itself needs a case that does not"));
    }

    /** Puts the expression of a function in the place of a call; recursion ends here. */
    void expand(Span span) {
        limit(++expansions, MOST_EXPANSIONS, () -> Diagnostic.error("E0213", span,
                        "functions are called in more than " + MOST_EXPANSIONS + " places")
                .helped("a function is put in the place of each call; give what is used twice a "
                        + "name of its own"));
        deeper(() -> Diagnostic.error("E0207", span, "functions call one another without end")
                .labelled("more than " + DEEPEST + " calls deep")
                .helped("a function is put in the place of each call, whatever its conditions "
                        + "are; write a loop"));
    }

    /** Says once that there are too many of something, and goes no further. */
    private void limit(int number, int most, Supplier<Diagnostic> tooMany) {
        if (number == most + 1) {
            throw fail(tooMany.get().labelled("this is one too many"));
        }
        if (number > most) {
            throw new Failure();
        }
    }

    private void deeper(Supplier<Diagnostic> tooDeep) {
        if (++depth > DEEPEST) {
            depth = 0;
            throw fail(tooDeep.get());
        }
    }

    void leave() {
        depth = Math.max(0, depth - 1);
    }

    /** Everything that an attempt may have to take back. */
    record Checkpoint(Program program, int diagnostics, Set<String> reported) {}

    Checkpoint checkpoint() {
        return new Checkpoint(program.copy(), diagnostics.size(), new HashSet<>(reported));
    }

    void restore(Checkpoint checkpoint) {
        program = checkpoint.program().copy();
        List<Diagnostic> kept =
                new ArrayList<>(diagnostics.subList(0, checkpoint.diagnostics()));
        diagnostics.clear();
        diagnostics.addAll(kept);
        reported.clear();
        reported.addAll(checkpoint.reported());
    }
}
