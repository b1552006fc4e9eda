package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.text.Tokens;
import dev.weir.ir.text.Tokens.Kind;
import dev.weir.ir.text.Tokens.Token;
import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
/**
 * Reads what {@link Printer} writes. Comments from {@code //} to the end of the line may stand
 * anywhere. A node's span is its place in the text that was read. What was read is well formed, not
 * yet right: {@link Verifier} tells that.
 */
public final class Parser {

    private final Tokens tokens;
    private final Reader read;

    private Parser(Source source) {
        this.tokens = new Tokens(source);
        this.read = new Reader(tokens);
    }

    /**
     * Reads one program.
     *
     * @throws dev.weir.ir.diagnostic.WeirException if the text is not one
     */
    public static TensorProgram parse(Source source) {
        Parser parser = new Parser(source);
        TensorProgram program = parser.program();
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.expected("the end");
        }
        return program;
    }

    private TensorProgram program() {
        tokens.expect("program");
        String name = tokens.quoted();
        Optional<StreamAxis> stream = read.stream();
        tokens.expect("results");
        List<String> resultNames = read.list("(", ")", tokens::quoted);
        Map<String, String> configuration = new TreeMap<>();
        while (tokens.accept("configuration")) {
            configuration.put(tokens.quoted(), tokens.quoted());
        }
        Optional<TensorProgram.Frames> frames = Optional.empty();
        if (tokens.accept("frames")) {
            frames = Optional.of(new TensorProgram.Frames(
                    read.symbol(), read.symbol(), read.define(), read.define()));
        }
        List<Parameter> parameters = new ArrayList<>();
        while (tokens.accept("parameter")) {
            parameters.add(read.parameter());
        }
        List<State> states = new ArrayList<>();
        while (tokens.accept("state")) {
            states.add(read.state());
        }
        List<Function> functions = new ArrayList<>();
        while (tokens.accept("function")) {
            functions.add(function());
        }
        tokens.expect("entry");
        return new TensorProgram(name, parameters, states, functions, function(), stream,
                resultNames, frames, configuration);
    }

    private Function function() {
        String name = tokens.quoted();
        String path = read.path();
        tokens.expect("instances");
        return new Function(name, path, read.definitions(), region());
    }

    /** A region with its arguments before the brace. */
    private Region region() {
        tokens.expect("arguments");
        return body(read.definitions());
    }

    private Region body(List<Value> arguments) {
        return read.deeper(() -> {
            tokens.expect("{");
            List<Node> nodes = new ArrayList<>();
            while (!tokens.accept("yield")) {
                nodes.add(node());
            }
            List<Value> results = read.uses();
            tokens.expect("}");
            return new Region(arguments, nodes, results);
        });
    }

    // ------------------------------------------------------------------ nodes

    private Node node() {
        Token start = tokens.peek();
        List<Value> results = new ArrayList<>();
        if (start.kind() == Kind.VALUE) {
            do {
                // A node cannot use its own results: they are known behind it.
                results.add(read.signature());
            } while (tokens.accept(","));
            tokens.expect("=");
        }
        Token word = tokens.take(Kind.WORD, "a node");
        Node node = node(start, word, results);
        results.forEach(read::know);
        if (!node.results().equals(results)) {
            throw Tokens.error(word.span(), "a " + word.text() + " defines "
                    + node.results().size() + " values, not " + results.size());
        }
        return node;
    }

    private Node node(Token start, Token word, List<Value> results) {
        return switch (word.text()) {
            case "compute" -> compute(start, word, one(word, results));
            case "scatter" -> scatter(start, one(word, results));
            case "top_k" -> {
                several(word, results, 2);
                yield new Node.TopK(
                        results.get(0), results.get(1), read.use(), tokens.integer(), span(start));
            }
            case "selection" ->
                    new Node.Selection(one(word, results), read.use(), read.symbol(), span(start));
            case "grouping" -> {
                several(word, results, 3);
                yield new Node.Grouping(results.get(0), results.get(1), results.get(2), read.use(),
                        tokens.integer(), span(start));
            }
            case "measure" -> new Node.Measure(read.symbol(), read.use());
            case "call" -> call(start, results);
            case "route" -> route(start, one(word, results));
            case "if" -> branch(start, results);
            case "gate" -> gate(start, results);
            case "loop" -> loop(start, results);
            case "append" -> new Node.Append(
                    one(word, results), tokens.quoted(), read.scalars(), read.use(), span(start));
            case "read" -> new Node.Read(
                    one(word, results), tokens.quoted(), read.scalars(), span(start));
            case "write" -> new Node.Write(
                    tokens.quoted(), read.scalars(), read.use(), span(start));
            case "append_rows" -> new Node.AppendRows(
                    tokens.quoted(), read.scalars(), read.use(), read.use(), read.use(),
                    tokens.accept("among")
                            ? Optional.of(new Node.Among(read.use(), read.use()))
                            : Optional.empty(),
                    span(start));
            case "write_rows" -> new Node.WriteRows(
                    tokens.quoted(), read.scalars(), read.use(), read.use(), span(start));
            case "trace" -> new Node.Trace(tokens.quoted(), read.scalars(), read.use());
            case "tally" -> tally();
            case String other ->
                    throw Tokens.error(word.span(), "there is no node '" + other + "'");
        };
    }

    private Value one(Token word, List<Value> results) {
        several(word, results, 1);
        return results.getFirst();
    }

    private static void several(Token word, List<Value> results, int wanted) {
        if (results.size() != wanted) {
            throw Tokens.error(word.span(), "a " + word.text() + " defines " + wanted
                    + " values, not " + results.size());
        }
    }

    private Span span(Token start) {
        return start.span().to(tokens.last().span());
    }

    private Node compute(Token start, Token word, Value result) {
        List<Axis> axes = read.axes();
        Optional<Reduction> reduction = reduction();
        Scalar body = read.scalar();
        return Tokens.parse(word,
                () -> new Node.Compute(result, axes, reduction, body, span(start)));
    }

    private Optional<Reduction> reduction() {
        // `maximum` is also an operation, whose operands stand in parentheses.
        Optional<Reduction.Kind> kind = tokens.isBefore("[")
                ? named(tokens.peek().text())
                : Optional.empty();
        if (kind.isEmpty()) {
            return Optional.empty();
        }
        Token word = tokens.next();
        List<Axis> axes = read.axes();
        Optional<Scalar> filter =
                tokens.accept("where") ? Optional.of(read.scalar()) : Optional.empty();
        return Optional.of(
                Tokens.parse(word, () -> new Reduction(kind.get(), axes, filter)));
    }

    private static Optional<Reduction.Kind> named(String word) {
        for (Reduction.Kind kind : Reduction.Kind.values()) {
            if (kind.word().equals(word)) {
                return Optional.of(kind);
            }
        }
        return Optional.empty();
    }

    private Node scatter(Token start, Value result) {
        Value base = read.use();
        List<Axis> axes = read.axes();
        tokens.expect("at");
        List<Scalar> target = read.scalars();
        Optional<Reduction.Kind> combine = Optional.empty();
        if (tokens.accept("combine")) {
            Token word = tokens.take(Kind.WORD, "a way to combine");
            combine = Optional.of(named(word.text()).orElseThrow(() ->
                    Tokens.error(word.span(), "there is no reduction '" + word.text() + "'")));
        }
        boolean checked = tokens.accept("checked");
        return new Node.Scatter(
                result, base, axes, target, combine, checked, read.scalar(), span(start));
    }

    private Node call(Token start, List<Value> results) {
        String function = tokens.quoted();
        List<Scalar> instances = read.scalars();
        List<Value> arguments = read.uses();
        List<Node.Lift> lifts = new ArrayList<>();
        while (tokens.accept("lift")) {
            lifts.add(new Node.Lift(read.size(), read.list("(", ")", this::truth)));
        }
        return new Node.Call(results, function, instances, arguments, lifts, span(start));
    }

    private Boolean truth() {
        if (tokens.accept("true")) {
            return true;
        }
        if (tokens.accept("false")) {
            return false;
        }
        throw tokens.expected("'true' or 'false'");
    }

    private Node route(Token start, Value result) {
        Value selection = read.use();
        Value weights = read.use();
        List<Node.Alternative> alternatives = read.list("(", ")", () -> {
            if (tokens.accept("none")) {
                return Node.Alternative.none(tokens.integer(), tokens.integer());
            }
            String function = tokens.quoted();
            long first = tokens.integer();
            long count = tokens.integer();
            boolean indexed = tokens.accept("indexed");
            if (!indexed) {
                tokens.expect("single");
            }
            long instance = tokens.accept("from") ? tokens.integer() : 0;
            return new Node.Alternative(function, first, count, indexed, instance);
        });
        return new Node.Route(result, selection, weights, alternatives, read.scalars(),
                read.uses(), read.path(), span(start));
    }

    private Node branch(Token start, List<Value> results) {
        Value condition = read.use();
        Region then = body(List.of());
        tokens.expect("else");
        return new Node.If(results, condition, then, body(List.of()), span(start));
    }

    private Node gate(Token start, List<Value> results) {
        Value condition = read.use();
        tokens.expect("entrants");
        Size.Symbol entrants = read.symbol();
        tokens.expect("captured");
        List<Value> captured = read.uses();
        tokens.expect("before");
        List<Value> before = read.uses();
        List<String> completes = tokens.accept("completes")
                ? read.list("(", ")", tokens::quoted) : List.of();
        String path = read.path();
        return new Node.Gate(results, condition, entrants, captured, before, region(), completes,
                path, span(start));
    }

    private Node loop(Token start, List<Value> results) {
        Value index = read.define();
        tokens.expect("from");
        Scalar from = read.scalar();
        tokens.expect("to");
        Scalar to = read.scalar();
        tokens.expect("initial");
        List<Value> initial = read.uses();
        Optional<Integer> active =
                tokens.accept("active") ? Optional.of(tokens.small()) : Optional.empty();
        String path = read.path();
        return new Node.Loop(
                results, index, from, to, initial, active, region(), path, span(start));
    }

    private Node tally() {
        String path = tokens.quoted();
        List<Scalar> instances = read.scalars();
        Token word = tokens.take(Kind.WORD, "what is counted");
        for (Node.TallyKind kind : Node.TallyKind.values()) {
            if (kind.name().toLowerCase(Locale.ROOT).equals(word.text())) {
                List<Scalar> amounts = read.scalars();
                return new Node.Tally(path, instances, kind, amounts,
                        tokens.accept("offsets") ? Optional.of(read.use()) : Optional.empty());
            }
        }
        throw Tokens.error(word.span(), "there is no tally '" + word.text() + "'");
    }

    // ------------------------------------------------------------------ values, sizes

    // ------------------------------------------------------------------ expressions

}
