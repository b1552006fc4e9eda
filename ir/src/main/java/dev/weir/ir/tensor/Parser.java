package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Tokens.Kind;
import dev.weir.ir.tensor.Tokens.Token;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Reads what {@link Printer} writes. Comments from {@code //} to the end of the line may stand
 * anywhere. A node's span is its place in the text that was read. What was read is well formed, not
 * yet right: {@link Verifier} tells that.
 */
public final class Parser {

    /** The code of all diagnostics about the text of tensor programs. */
    static final String CODE = "E0902";

    /** How deep expressions and regions may nest: deeper text would use up the stack. */
    private static final int DEEPEST = 200;

    private final Tokens tokens;
    private final Map<Integer, Value> values = new HashMap<>();
    private final Map<Integer, Index> indices = new HashMap<>();
    private int depth;

    private Parser(Source source) {
        this.tokens = new Tokens(source);
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
        Optional<Size.Symbol> stream =
                tokens.accept("stream") ? Optional.of(symbol()) : Optional.empty();
        tokens.expect("results");
        List<String> resultNames = list("(", ")", tokens::quoted);
        Map<String, String> configuration = new TreeMap<>();
        while (tokens.accept("configuration")) {
            configuration.put(tokens.quoted(), tokens.quoted());
        }
        Optional<TensorProgram.Frames> frames = Optional.empty();
        if (tokens.accept("frames")) {
            frames = Optional.of(new TensorProgram.Frames(
                    symbol(), symbol(), define(), define()));
        }
        List<Parameter> parameters = new ArrayList<>();
        while (tokens.accept("parameter")) {
            parameters.add(parameter());
        }
        List<State> states = new ArrayList<>();
        while (tokens.accept("state")) {
            states.add(state());
        }
        List<Function> functions = new ArrayList<>();
        while (tokens.accept("function")) {
            functions.add(function());
        }
        tokens.expect("entry");
        return new TensorProgram(name, parameters, states, functions, function(), stream,
                resultNames, frames, configuration);
    }

    private Parameter parameter() {
        Value value = define();
        tokens.expect("instances");
        int instances = tokens.small();
        String path = path();
        tokens.expect("stored");
        List<String> stored = list("(", ")", tokens::quoted);
        boolean optional = tokens.accept("optional");
        double fill = optional ? tokens.real() : 0;
        Optional<Parameter.Layout> layout = tokens.accept("layout")
                ? Optional.of(new Parameter.Layout(
                        list("[", "]", this::index), list("[", "]", this::scalar)))
                : Optional.empty();
        return new Parameter(value, instances, path, stored, optional, fill, layout);
    }

    private Index index() {
        int id = tokens.identifier(tokens.take(Kind.INDEX, "an index"));
        Index index = new Index(id, tokens.quoted());
        indices.put(id, index);
        return index;
    }

    private State state() {
        String name = tokens.quoted();
        tokens.expect("instances");
        List<Long> instances = list("(", ")", tokens::integer);
        Value value = define();
        Optional<Size.Symbol> slots =
                tokens.accept("slots") ? Optional.of(symbol()) : Optional.empty();
        Optional<Value> lengths =
                tokens.accept("lengths") ? Optional.of(define()) : Optional.empty();
        tokens.expect("initial");
        return new State(name, instances, value, slots, lengths, tokens.real());
    }

    private Function function() {
        String name = tokens.quoted();
        String path = path();
        tokens.expect("instances");
        return new Function(name, path, definitions(), region());
    }

    private String path() {
        tokens.expect("path");
        return tokens.quoted();
    }

    /** A region with its arguments before the brace. */
    private Region region() {
        tokens.expect("arguments");
        return body(definitions());
    }

    private Region body(List<Value> arguments) {
        return deeper(() -> {
            tokens.expect("{");
            List<Node> nodes = new ArrayList<>();
            while (!tokens.accept("yield")) {
                nodes.add(node());
            }
            List<Value> results = uses();
            tokens.expect("}");
            return new Region(arguments, nodes, results);
        });
    }

    private <T> T deeper(Supplier<T> part) {
        if (++depth > DEEPEST) {
            throw Tokens.error(tokens.peek().span(),
                    "this is nested more than " + DEEPEST + " levels deep");
        }
        T result = part.get();
        depth--;
        return result;
    }

    // ------------------------------------------------------------------ nodes

    private Node node() {
        Token start = tokens.peek();
        List<Value> results = new ArrayList<>();
        if (start.kind() == Kind.VALUE) {
            do {
                // A node cannot use its own results: they are known behind it.
                results.add(signature());
            } while (tokens.accept(","));
            tokens.expect("=");
        }
        Token word = tokens.take(Kind.WORD, "a node");
        Node node = node(start, word, results);
        results.forEach(this::know);
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
                        results.get(0), results.get(1), use(), tokens.integer(), span(start));
            }
            case "selection" ->
                    new Node.Selection(one(word, results), use(), symbol(), span(start));
            case "grouping" -> {
                several(word, results, 3);
                yield new Node.Grouping(results.get(0), results.get(1), results.get(2), use(),
                        tokens.integer(), span(start));
            }
            case "measure" -> new Node.Measure(symbol(), use());
            case "call" -> call(start, results);
            case "route" -> route(start, one(word, results));
            case "if" -> branch(start, results);
            case "gate" -> gate(start, results);
            case "loop" -> loop(start, results);
            case "append" -> new Node.Append(
                    one(word, results), tokens.quoted(), scalars(), use(), span(start));
            case "read" -> new Node.Read(
                    one(word, results), tokens.quoted(), scalars(), span(start));
            case "write" -> new Node.Write(tokens.quoted(), scalars(), use(), span(start));
            case "append_rows" -> new Node.AppendRows(
                    tokens.quoted(), scalars(), use(), use(), use(), span(start));
            case "write_rows" -> new Node.WriteRows(
                    tokens.quoted(), scalars(), use(), use(), span(start));
            case "trace" -> new Node.Trace(tokens.quoted(), scalars(), use());
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
        List<Axis> axes = axes();
        Optional<Reduction> reduction = reduction();
        Scalar body = scalar();
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
        List<Axis> axes = axes();
        Optional<Scalar> filter =
                tokens.accept("where") ? Optional.of(scalar()) : Optional.empty();
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
        Value base = use();
        List<Axis> axes = axes();
        tokens.expect("at");
        List<Scalar> target = scalars();
        Optional<Reduction.Kind> combine = Optional.empty();
        if (tokens.accept("combine")) {
            Token word = tokens.take(Kind.WORD, "a way to combine");
            combine = Optional.of(named(word.text()).orElseThrow(() ->
                    Tokens.error(word.span(), "there is no reduction '" + word.text() + "'")));
        }
        boolean checked = tokens.accept("checked");
        return new Node.Scatter(
                result, base, axes, target, combine, checked, scalar(), span(start));
    }

    private Node call(Token start, List<Value> results) {
        String function = tokens.quoted();
        List<Scalar> instances = scalars();
        List<Value> arguments = uses();
        List<Node.Lift> lifts = new ArrayList<>();
        while (tokens.accept("lift")) {
            lifts.add(new Node.Lift(size(), list("(", ")", this::truth)));
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
        Value selection = use();
        Value weights = use();
        List<Node.Alternative> alternatives = list("(", ")", () -> {
            String function = tokens.quoted();
            long first = tokens.integer();
            long count = tokens.integer();
            boolean indexed = tokens.accept("indexed");
            if (!indexed) {
                tokens.expect("single");
            }
            return new Node.Alternative(function, first, count, indexed);
        });
        return new Node.Route(result, selection, weights, alternatives, scalars(), uses(), path(),
                span(start));
    }

    private Node branch(Token start, List<Value> results) {
        Value condition = use();
        Region then = body(List.of());
        tokens.expect("else");
        return new Node.If(results, condition, then, body(List.of()), span(start));
    }

    private Node gate(Token start, List<Value> results) {
        Value condition = use();
        tokens.expect("entrants");
        Size.Symbol entrants = symbol();
        tokens.expect("captured");
        List<Value> captured = uses();
        tokens.expect("before");
        List<Value> before = uses();
        String path = path();
        return new Node.Gate(
                results, condition, entrants, captured, before, region(), path, span(start));
    }

    private Node loop(Token start, List<Value> results) {
        Value index = define();
        tokens.expect("from");
        Scalar from = scalar();
        tokens.expect("to");
        Scalar to = scalar();
        tokens.expect("initial");
        List<Value> initial = uses();
        Optional<Integer> active =
                tokens.accept("active") ? Optional.of(tokens.small()) : Optional.empty();
        String path = path();
        return new Node.Loop(
                results, index, from, to, initial, active, region(), path, span(start));
    }

    private Node tally() {
        String path = tokens.quoted();
        List<Scalar> instances = scalars();
        Token word = tokens.take(Kind.WORD, "what is counted");
        for (Node.TallyKind kind : Node.TallyKind.values()) {
            if (kind.name().toLowerCase(Locale.ROOT).equals(word.text())) {
                List<Scalar> amounts = scalars();
                return new Node.Tally(path, instances, kind, amounts,
                        tokens.accept("offsets") ? Optional.of(use()) : Optional.empty());
            }
        }
        throw Tokens.error(word.span(), "there is no tally '" + word.text() + "'");
    }

    // ------------------------------------------------------------------ values, sizes

    /** The elements between two marks. */
    private <T> List<T> list(String open, String close, Supplier<T> element) {
        tokens.expect(open);
        List<T> elements = new ArrayList<>();
        if (!tokens.accept(close)) {
            do {
                elements.add(element.get());
            } while (tokens.accept(","));
            tokens.expect(close);
        }
        return elements;
    }

    /** {@code %12 "name" : f32[N, 64]}. */
    private Value signature() {
        int id = tokens.identifier(tokens.take(Kind.VALUE, "a value"));
        String name = tokens.quoted();
        tokens.expect(":");
        Format format = format();
        return new Value(id, name, new TensorType(format, list("[", "]", this::size)));
    }

    private Value define() {
        Value value = signature();
        know(value);
        return value;
    }

    private void know(Value value) {
        values.put(value.id(), value);
    }

    private List<Value> definitions() {
        return list("(", ")", this::define);
    }

    private Value use() {
        Token token = tokens.take(Kind.VALUE, "a value");
        Value value = values.get(tokens.identifier(token));
        if (value == null) {
            throw Tokens.error(token.span(), "there is no value %" + token.text() + " before");
        }
        return value;
    }

    private List<Value> uses() {
        return list("(", ")", this::use);
    }

    private Format format() {
        Token word = tokens.take(Kind.WORD, "a format");
        return Format.named(word.text()).orElseThrow(() ->
                Tokens.error(word.span(), "there is no format '" + word.text() + "'"));
    }

    private Size.Symbol symbol() {
        return new Size.Symbol(tokens.take(Kind.SYMBOL, "a size in single quotes").text());
    }

    private Size size() {
        if (tokens.peek().kind() == Kind.SYMBOL) {
            return symbol();
        }
        if (tokens.peek().kind() == Kind.NUMBER) {
            return new Size.Constant(tokens.integer());
        }
        if (!tokens.at("(")) {
            throw tokens.expected("a size");
        }
        return deeper(() -> {
            tokens.expect("(");
            Size left = size();
            Token mark = tokens.next();
            Size right = size();
            tokens.expect(")");
            // As written: folding constants here would not give back what was printed.
            return switch (mark.text()) {
                case "+" -> new Size.Sum(left, right);
                case "*" -> new Size.Product(left, right);
                case "/" -> new Size.Quotient(left, right);
                case String other ->
                        throw Tokens.error(mark.span(), "expected '+', '*' or '/'");
            };
        });
    }

    private List<Axis> axes() {
        return list("[", "]", this::axis);
    }

    private Axis axis() {
        int id = tokens.identifier(tokens.take(Kind.INDEX, "an index"));
        Index index = new Index(id, tokens.quoted());
        tokens.expect("in");
        Scalar lower = scalar();
        tokens.expect("..");
        Scalar upper = scalar();
        indices.put(id, index);
        return new Axis(index, lower, upper);
    }

    // ------------------------------------------------------------------ expressions

    private List<Scalar> scalars() {
        return list("(", ")", this::scalar);
    }

    private Scalar scalar() {
        return deeper(() -> {
            Token first = tokens.peek();
            return switch (first.kind()) {
                case NUMBER -> constant();
                case INDEX -> variable();
                case VALUE -> load();
                case WORD -> operation(first);
                case QUOTED, SYMBOL, MARK, END -> throw tokens.expected("an expression");
            };
        });
    }

    private Scalar constant() {
        Token number = tokens.next();
        Format format = format();
        return Tokens.parse(number, () -> format.isFloat()
                ? new Scalar.Real(format, Double.parseDouble(number.text()))
                : new Scalar.Whole(format, Long.parseLong(number.text())));
    }

    private Scalar variable() {
        Token token = tokens.next();
        Index index = indices.get(tokens.identifier(token));
        if (index == null) {
            throw Tokens.error(token.span(), "there is no index $" + token.text() + " before");
        }
        return new Scalar.Variable(index);
    }

    private Scalar load() {
        Token token = tokens.peek();
        Value source = use();
        List<Scalar> coordinates = list("[", "]", this::scalar);
        Optional<Scalar> otherwise = Optional.empty();
        Scalar.Bounds bounds = Scalar.Bounds.PROVED;
        if (tokens.accept("checked")) {
            bounds = Scalar.Bounds.CHECKED;
        } else if (tokens.accept("or")) {
            bounds = Scalar.Bounds.GUARDED;
            tokens.expect("(");
            otherwise = Optional.of(scalar());
            tokens.expect(")");
        }
        Scalar.Bounds known = bounds;
        Optional<Scalar> other = otherwise;
        return Tokens.parse(token, () -> new Scalar.Load(source, coordinates, known, other));
    }

    private Scalar operation(Token word) {
        if (word.text().equals("NaN")) {
            tokens.next();
            return new Scalar.Real(format(), Double.NaN);
        }
        tokens.next();
        return switch (word.text()) {
            case "extent" -> new Scalar.Extent(size());
            case "convert" -> new Scalar.Convert(format(), enclosed());
            case "round" -> new Scalar.Round(format(), enclosed());
            case String other -> {
                Operation operation = Operation.named(other).orElseThrow(() ->
                        Tokens.error(word.span(), "there is no operation '" + other + "'"));
                List<Scalar> operands = scalars();
                yield Tokens.parse(word, () -> new Scalar.Apply(operation, operands));
            }
        };
    }

    private Scalar enclosed() {
        tokens.expect("(");
        Scalar scalar = scalar();
        tokens.expect(")");
        return scalar;
    }
}
