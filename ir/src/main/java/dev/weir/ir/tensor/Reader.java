package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.text.Tokens;
import dev.weir.ir.text.Tokens.Kind;
import dev.weir.ir.text.Tokens.Token;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Reads the parts of which the text of programs is made: values, sizes, expressions, parameters and
 * states. It knows the values and indices that it has read.
 */
public final class Reader {
    /** How deep expressions and regions may nest: deeper text would use up the stack. */
    private static final int DEEPEST = 200;

    private final Tokens tokens;
    private final Map<Integer, Value> values = new HashMap<>();
    private final Map<Integer, Index> indices = new HashMap<>();
    private int depth;

    public Reader(Tokens tokens) {
        this.tokens = tokens;
    }

    /** What stands behind {@code parameter}. */
    public Parameter parameter() {
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
        Optional<Parameter.Part> part =
                tokens.accept("part") ? Optional.of(part()) : Optional.empty();
        return new Parameter(value, instances, path, stored, optional, fill, layout, part);
    }

    private Parameter.Part part() {
        Parameter.Part.Kind kind = Stream.of(Parameter.Part.Kind.values())
                .filter(k -> tokens.accept(k.word()))
                .findFirst()
                .orElseThrow(() -> Tokens.error(
                        tokens.peek().span(), "expected codes, scales or zeros"));
        tokens.expect("of");
        Span span = tokens.peek().span();
        Quantisation of = Quantisation.parse(tokens.quoted()).orElseThrow(
                () -> Tokens.error(span, "expected a format such as \"int4(group: 32)\""));
        tokens.expect("length");
        return new Parameter.Part(of, kind, tokens.integer());
    }

    /** What stands behind {@code stream}, if anything does. */
    public Optional<StreamAxis> stream() {
        return tokens.accept("stream")
                ? Optional.of(new StreamAxis(symbol(), tokens.accept("whole")
                        ? Optional.of(tokens.quoted()) : Optional.empty()))
                : Optional.empty();
    }

    private Index index() {
        int id = tokens.identifier(tokens.take(Kind.INDEX, "an index"));
        Index index = new Index(id, tokens.quoted());
        indices.put(id, index);
        return index;
    }

    /** What stands behind {@code state}. */
    public State state() {
        String name = tokens.quoted();
        tokens.expect("instances");
        List<Long> instances = list("(", ")", tokens::integer);
        Value value = define();
        Optional<Size.Symbol> slots =
                tokens.accept("slots") ? Optional.of(symbol()) : Optional.empty();
        Optional<Value> lengths =
                tokens.accept("lengths") ? Optional.of(define()) : Optional.empty();
        Optional<Long> keep =
                tokens.accept("keep") ? Optional.of(tokens.integer()) : Optional.empty();
        tokens.expect("initial");
        return new State(name, instances, value, slots, lengths, keep, tokens.real());
    }

    /** {@code path "layers.0"}. */
    public String path() {
        tokens.expect("path");
        return tokens.quoted();
    }

    /** Reads a part that may hold parts of its own kind. */
    public <T> T deeper(Supplier<T> part) {
        if (++depth > DEEPEST) {
            throw Tokens.error(tokens.peek().span(),
                    "this is nested more than " + DEEPEST + " levels deep");
        }
        T result = part.get();
        depth--;
        return result;
    }

    /** The elements between two marks. */
    public <T> List<T> list(String open, String close, Supplier<T> element) {
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
    public Value signature() {
        int id = tokens.identifier(tokens.take(Kind.VALUE, "a value"));
        String name = tokens.quoted();
        tokens.expect(":");
        Format format = format();
        return new Value(id, name, new TensorType(format, list("[", "]", this::size)));
    }

    /** A value that is known from here on. */
    public Value define() {
        Value value = signature();
        know(value);
        return value;
    }

    /** Makes a value known. */
    public void know(Value value) {
        values.put(value.id(), value);
    }

    public List<Value> definitions() {
        return list("(", ")", this::define);
    }

    /** A value that is known already: {@code %12}. */
    public Value use() {
        Token token = tokens.take(Kind.VALUE, "a value");
        Value value = values.get(tokens.identifier(token));
        if (value == null) {
            throw Tokens.error(token.span(), "there is no value %" + token.text() + " before");
        }
        return value;
    }

    public List<Value> uses() {
        return list("(", ")", this::use);
    }

    private Format format() {
        Token word = tokens.take(Kind.WORD, "a format");
        return Format.named(word.text()).orElseThrow(() ->
                Tokens.error(word.span(), "there is no format '" + word.text() + "'"));
    }

    /** {@code 'N'}. */
    public Size.Symbol symbol() {
        return new Size.Symbol(tokens.take(Kind.SYMBOL, "a size in single quotes").text());
    }

    public Size size() {
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

    public List<Axis> axes() {
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

    public List<Scalar> scalars() {
        return list("(", ")", this::scalar);
    }

    public Scalar scalar() {
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
            case "within" -> within();
            case String other -> {
                Operation operation = Operation.named(other).orElseThrow(() ->
                        Tokens.error(word.span(), "there is no operation '" + other + "'"));
                List<Scalar> operands = scalars();
                yield Tokens.parse(word, () -> new Scalar.Apply(operation, operands));
            }
        };
    }

    private Scalar within() {
        tokens.expect("(");
        Scalar index = scalar();
        tokens.expect(",");
        Scalar extent = scalar();
        tokens.expect(",");
        String place = tokens.quoted();
        tokens.expect(")");
        return new Scalar.Within(index, extent, place);
    }

    private Scalar enclosed() {
        tokens.expect("(");
        Scalar scalar = scalar();
        tokens.expect(")");
        return scalar;
    }
}
