package dev.weir.ir.kernel;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Expression.UnaryOperation;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.text.Tokens;
import dev.weir.ir.text.Tokens.Kind;
import dev.weir.ir.text.Tokens.Token;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what {@link KernelPrinter} writes. Comments from {@code //} to the end of the line may
 * stand anywhere.
 */
public final class KernelParser {

    private final Tokens tokens;
    private Map<String, Variable> variables = new HashMap<>();
    private Map<String, Buffer> buffers = new HashMap<>();

    private KernelParser(Tokens tokens) {
        this.tokens = tokens;
    }

    /** Reads the kernel that begins here. */
    static Kernel next(Tokens tokens) {
        return new KernelParser(tokens).kernel();
    }

    /**
     * Reads one kernel.
     *
     * @throws dev.weir.ir.diagnostic.WeirException if the text is not one
     */
    public static Kernel parse(Source source) {
        List<Kernel> kernels = parseAll(source);
        if (kernels.size() != 1) {
            KernelParser parser = new KernelParser(new Tokens(source));
            throw parser.tokens.expected("one kernel");
        }
        return kernels.getFirst();
    }

    /**
     * Reads kernels up to the end of the text.
     *
     * @throws dev.weir.ir.diagnostic.WeirException if something else stands there
     */
    public static List<Kernel> parseAll(Source source) {
        KernelParser parser = new KernelParser(new Tokens(source));
        List<Kernel> kernels = new ArrayList<>();
        while (parser.tokens.peek().kind() != Kind.END) {
            kernels.add(parser.kernel());
        }
        return kernels;
    }

    private Kernel kernel() {
        variables = new HashMap<>();
        buffers = new HashMap<>();
        tokens.expect("kernel");
        String name = name().text();
        tokens.expect("{");
        List<Buffer> outer = new ArrayList<>();
        while (tokens.accept("buffer")) {
            outer.add(buffer());
        }
        List<Variable> scalars = new ArrayList<>();
        while (tokens.accept("scalar")) {
            scalars.add(variable());
        }
        List<Kernel.Scratch> scratch = new ArrayList<>();
        while (tokens.accept("scratch")) {
            Buffer buffer = buffer();
            tokens.expect("[");
            scratch.add(new Kernel.Scratch(buffer, tokens.integer()));
            tokens.expect("]");
        }
        tokens.expect("tile");
        Variable tile = variable();
        tokens.expect("do");
        List<Statement> body = block();
        tokens.expect("}");
        return new Kernel(name, outer, scalars, scratch, tile, body);
    }

    /** A name of the user's, plain or quoted. */
    private Token name() {
        Kind kind = tokens.peek().kind();
        if (kind != Kind.QUOTED && (kind != Kind.WORD
                || KernelPrinter.KEYWORDS.contains(tokens.peek().text()))) {
            throw tokens.expected("a name");
        }
        return tokens.next();
    }

    private Buffer buffer() {
        String name = name().text();
        Buffer buffer = new Buffer(name, format());
        buffers.put(name, buffer);
        return buffer;
    }

    private Variable variable() {
        Variable variable = unscoped();
        variables.put(variable.name(), variable);
        return variable;
    }

    /** A variable that is not known yet: its own value cannot refer to it. */
    private Variable unscoped() {
        String name = name().text();
        return new Variable(name, type());
    }

    private Type type() {
        Token word = tokens.take(Kind.WORD, "a type");
        int cross = word.text().lastIndexOf('x');
        String element = cross < 0 ? word.text() : word.text().substring(0, cross);
        return Tokens.parse(word, () -> new Type(
                elementNamed(word, element),
                cross < 0 ? 1 : Integer.parseInt(word.text().substring(cross + 1))));
    }

    private Element element() {
        Token word = tokens.take(Kind.WORD, "an element type");
        return elementNamed(word, word.text());
    }

    private static Element elementNamed(Token token, String name) {
        for (Element element : Element.values()) {
            if (element.word().equals(name)) {
                return element;
            }
        }
        throw Tokens.error(token.span(), "there is no type '" + token.text() + "'");
    }

    private Format format() {
        Token word = tokens.take(Kind.WORD, "a format");
        return Format.named(word.text()).orElseThrow(() ->
                Tokens.error(word.span(), "there is no format '" + word.text() + "'"));
    }

    private List<Statement> block() {
        Map<String, Variable> outerVariables = variables;
        Map<String, Buffer> outerBuffers = buffers;
        variables = new HashMap<>(outerVariables);
        buffers = new HashMap<>(outerBuffers);
        tokens.expect("{");
        List<Statement> statements = new ArrayList<>();
        while (!tokens.accept("}")) {
            statements.add(statement());
        }
        variables = outerVariables;
        buffers = outerBuffers;
        return statements;
    }

    private Statement statement() {
        Token first = tokens.peek();
        if (first.kind() == Kind.QUOTED || Tokens.is(tokens.peekSecond(), "=")) {
            Variable variable = known(name());
            tokens.expect("=");
            return new Statement.Assign(variable, expression());
        }
        return switch (first.text()) {
            case "let", "var" -> declare(tokens.next().text().equals("var"));
            case "store" -> store();
            case "prefetch" -> prefetch();
            case "bind" -> bind();
            case "for" -> loop();
            case "if" -> branch();
            case "fault" -> fault();
            case String other -> throw tokens.expected("a statement");
        };
    }

    private Statement declare(boolean mutable) {
        Variable variable = unscoped();
        tokens.expect("=");
        Expression value = expression();
        variables.put(variable.name(), variable);
        return new Statement.Declare(variable, value, mutable);
    }

    private Statement store() {
        tokens.expect("store");
        tokens.expect("(");
        Buffer buffer = knownBuffer();
        Expression index = operand();
        Expression value = operand();
        Optional<Expression> active = tokens.at(",") ? Optional.of(operand()) : Optional.empty();
        tokens.expect(")");
        return new Statement.Store(buffer, index, value, active);
    }

    private Statement prefetch() {
        tokens.expect("prefetch");
        Buffer buffer = knownBuffer();
        tokens.expect("[");
        Expression index = expression();
        tokens.expect("]");
        return new Statement.Prefetch(buffer, index);
    }

    private Statement bind() {
        tokens.expect("bind");
        String name = name().text();
        Buffer buffer = new Buffer(name, format());
        tokens.expect("=");
        Buffer table = knownBuffer();
        tokens.expect("[");
        Expression index = expression();
        tokens.expect("]");
        buffers.put(name, buffer);
        return new Statement.Bind(buffer, table, index);
    }

    private Statement loop() {
        tokens.expect("for");
        Variable index = unscoped();
        tokens.expect("=");
        Expression from = expression();
        tokens.expect("to");
        Expression to = expression();
        tokens.expect("step");
        long step = tokens.integer();
        Variable hidden = variables.put(index.name(), index);
        List<Statement> body = block();
        if (hidden == null) {
            variables.remove(index.name());
        } else {
            variables.put(index.name(), hidden);
        }
        return new Statement.For(index, from, to, step, body);
    }

    private Statement branch() {
        tokens.expect("if");
        Expression condition = expression();
        List<Statement> then = block();
        return new Statement.If(
                condition, then, tokens.accept("else") ? block() : List.of());
    }

    private Statement fault() {
        tokens.expect("fault");
        Token code = tokens.peek();
        long number = tokens.integer();
        Expression value = operand();
        return new Statement.Fault(
                Tokens.parse(code, () -> inRange(number)), value, operand());
    }

    private static int inRange(long number) {
        if (number != (int) number) {
            throw new IllegalArgumentException(number + " is out of range");
        }
        return (int) number;
    }

    /** An expression behind a comma. */
    private Expression operand() {
        tokens.expect(",");
        return expression();
    }

    private Expression expression() {
        Token first = tokens.peek();
        boolean named = first.kind() == Kind.WORD
                && (first.text().equals("NaN") || first.text().equals("Infinity"));
        if (first.kind() == Kind.NUMBER || named) {
            return constant();
        }
        if (first.kind() == Kind.WORD && Tokens.is(tokens.peekSecond(), "(")) {
            tokens.next();
            tokens.expect("(");
            Expression call = call(first);
            tokens.expect(")");
            return call;
        }
        if (first.kind() != Kind.WORD && first.kind() != Kind.QUOTED) {
            throw tokens.expected("an expression");
        }
        return new Expression.Get(known(name()));
    }

    private Expression constant() {
        Token number = tokens.next();
        tokens.expect(":");
        Type type = type();
        return Tokens.parse(number, () -> type.element().isFloat()
                ? new Expression.Real(type, Double.parseDouble(number.text()))
                : new Expression.Whole(type, Long.parseLong(number.text())));
    }

    /** The operands of a call, up to the closing parenthesis. */
    private Expression call(Token operation) {
        String word = operation.text();
        return switch (word) {
            case "load" -> load();
            case "select" -> {
                Expression condition = expression();
                Expression then = operand();
                Expression otherwise = operand();
                yield Tokens.parse(operation,
                        () -> new Expression.Select(condition, then, otherwise));
            }
            case "fma" -> {
                Expression a = expression();
                Expression b = operand();
                Expression c = operand();
                yield Tokens.parse(operation,
                        () -> new Expression.FusedMultiplyAdd(a, b, c));
            }
            case "dot_bytes" -> {
                Expression a = expression();
                Expression b = operand();
                Expression c = operand();
                yield Tokens.parse(operation, () -> new Expression.DotBytes(a, b, c));
            }
            case "convert" -> {
                Element element = element();
                yield new Expression.Convert(element, operand());
            }
            case "bitcast" -> {
                Element element = element();
                yield new Expression.Bitcast(element, operand());
            }
            case "round" -> {
                Format format = format();
                yield new Expression.RoundTo(format, operand());
            }
            case "broadcast" -> {
                Expression value = expression();
                tokens.expect(",");
                yield new Expression.Broadcast(value, lanes());
            }
            case "fold" -> {
                Token name = tokens.take(Kind.WORD, "an operation");
                BinaryOperation folded = named(BinaryOperation.values(), name.text())
                        .orElseThrow(() -> unknown(name));
                yield new Expression.Fold(folded, operand());
            }
            case "fold_each" -> {
                Token name = tokens.take(Kind.WORD, "an operation");
                BinaryOperation folded = named(BinaryOperation.values(), name.text())
                        .orElseThrow(() -> unknown(name));
                List<Expression> operands = new ArrayList<>(List.of(operand()));
                while (tokens.at(",")) {
                    operands.add(operand());
                }
                yield new Expression.FoldEach(folded, operands);
            }
            case String other -> operation(operation);
        };
    }

    private Expression operation(Token token) {
        String word = token.text();
        Optional<UnaryOperation> unary = named(UnaryOperation.values(), word);
        if (unary.isPresent()) {
            return new Expression.Unary(unary.get(), expression());
        }
        Optional<BinaryOperation> binary = named(BinaryOperation.values(), word);
        Optional<Comparison> comparison = named(Comparison.values(), word);
        if (binary.isEmpty() && comparison.isEmpty()) {
            throw unknown(token);
        }
        Expression left = expression();
        Expression right = operand();
        return Tokens.parse(token, () -> binary.isPresent()
                ? new Expression.Binary(binary.get(), left, right)
                : new Expression.Compare(comparison.orElseThrow(), left, right));
    }

    private static RuntimeException unknown(Token token) {
        return Tokens.error(
                token.span(), "there is no operation '" + token.text() + "'");
    }

    private Expression load() {
        Buffer buffer = knownBuffer();
        Expression index = operand();
        tokens.expect(",");
        int lanes = lanes();
        Optional<Expression> active = tokens.at(",") ? Optional.of(operand()) : Optional.empty();
        return new Expression.Load(buffer, index, lanes, active);
    }

    private int lanes() {
        Token token = tokens.peek();
        long lanes = tokens.integer();
        // The type checks that it is a power of two.
        return Tokens.parse(token, () -> new Type(Element.I32, inRange(lanes)).lanes());
    }

    private static <E extends Enum<E>> Optional<E> named(E[] operations, String word) {
        for (E operation : operations) {
            if (operation.name().toLowerCase(Locale.ROOT).equals(word)) {
                return Optional.of(operation);
            }
        }
        return Optional.empty();
    }

    private Variable known(Token name) {
        Variable variable = variables.get(name.text());
        if (variable == null) {
            throw Tokens.error(name.span(), "there is no variable '" + name.text() + "'");
        }
        return variable;
    }

    private Buffer knownBuffer() {
        Token name = name();
        Buffer buffer = buffers.get(name.text());
        if (buffer == null) {
            throw Tokens.error(name.span(), "there is no buffer '" + name.text() + "'");
        }
        return buffer;
    }
}
