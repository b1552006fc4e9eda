package dev.weir.ir.host;

import dev.weir.ir.host.WordExpression.Operator;
import dev.weir.ir.host.WordExpression.Width;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads word code that is written down, as that part of host programs is which all models share.
 *
 * <pre>
 *   function give(model, block) {
 *     let bin = model + BINS + word[block + 8] * 8
 *     word[block + 16] = word[bin]
 *     word[bin] = block
 *   }
 * </pre>
 */
final class WordParser {
    private static final Pattern TOKEN = Pattern.compile(
            "\\s*(?:#[^\\n]*\\s*)*(?:(?<name>[A-Za-z_][A-Za-z_0-9]*)|(?<number>[0-9]+)"
                    + "|\"(?<text>[^\"]*)\"|(?<mark><<|>>|<=|>=|==|!=|[-+*/%&|<>=(){}\\[\\],]))");
    private static final Map<String, Width> WIDTHS =
            Map.of("word", Width.WORD, "integer", Width.INTEGER, "byte", Width.BYTE);
    /** From the loosest to the tightest. */
    private static final List<Map<String, Operator>> LEVELS = List.of(
            Map.of("|", Operator.OR),
            Map.of("&", Operator.AND),
            Map.of("==", Operator.EQUAL, "!=", Operator.NOT_EQUAL, "<", Operator.LESS,
                    "<=", Operator.LESS_EQUAL, ">", Operator.GREATER,
                    ">=", Operator.GREATER_EQUAL),
            Map.of("+", Operator.ADD, "-", Operator.SUBTRACT),
            Map.of("*", Operator.MULTIPLY, "/", Operator.DIVIDE, "%", Operator.REMAINDER,
                    "<<", Operator.SHIFT_LEFT, ">>", Operator.SHIFT_RIGHT));

    private final List<String> tokens = new ArrayList<>();
    private final Map<String, Long> constants;
    private int at;

    private WordParser(String text, Map<String, Long> constants) {
        this.constants = constants;
        Matcher token = TOKEN.matcher(text);
        int end = 0;
        while (token.region(end, text.length()).lookingAt()) {
            tokens.add(token.group("text") == null
                    ? token.group().substring(token.group().length() - length(token))
                    : "\"" + token.group("text"));
            end = token.end();
        }
        String rest = text.substring(end).replaceAll("#[^\\n]*", "").strip();
        if (!rest.isEmpty()) {
            throw new IllegalArgumentException("word code cannot hold " + rest);
        }
        tokens.add("");
    }

    private static int length(Matcher token) {
        String kind = token.group("name") != null ? "name"
                : token.group("number") != null ? "number" : "mark";
        return token.group(kind).length();
    }

    /**
     * @param constants names that stand for numbers
     */
    static List<WordFunction> parse(String text, Map<String, Long> constants) {
        WordParser parser = new WordParser(text, constants);
        List<WordFunction> functions = new ArrayList<>();
        while (!parser.peek().isEmpty()) {
            functions.add(parser.function());
        }
        return functions;
    }

    private String peek() {
        return tokens.get(at);
    }

    private String next() {
        return tokens.get(at++);
    }

    private boolean accept(String token) {
        boolean found = peek().equals(token);
        if (found) {
            at++;
        }
        return found;
    }

    private void expect(String token) {
        if (!accept(token)) {
            throw new IllegalArgumentException("expected " + token + ", found " + peek()
                    + " behind " + String.join(" ", tokens.subList(Math.max(0, at - 12), at)));
        }
    }

    private WordFunction function() {
        expect("function");
        String name = next();
        expect("(");
        List<String> parameters = new ArrayList<>();
        while (!accept(")")) {
            parameters.add(next());
            accept(",");
        }
        return new WordFunction(name, parameters, block());
    }

    private List<WordStatement> block() {
        expect("{");
        List<WordStatement> statements = new ArrayList<>();
        while (!accept("}")) {
            statements.add(statement());
        }
        return statements;
    }

    private WordStatement statement() {
        if (accept("if")) {
            WordExpression condition = expression(0);
            List<WordStatement> then = block();
            return new WordStatement.If(condition, then, accept("else") ? block() : List.of());
        }
        if (accept("while")) {
            return new WordStatement.While(expression(0), block());
        }
        if (accept("return")) {
            return new WordStatement.Return(expression(0));
        }
        accept("let");
        String name = next();
        if (WIDTHS.containsKey(name)) {
            expect("[");
            WordExpression address = expression(0);
            expect("]");
            expect("=");
            return new WordStatement.Store(WIDTHS.get(name), address, expression(0));
        }
        if (accept("=")) {
            return new WordStatement.Assign(name, expression(0));
        }
        return new WordStatement.Run(new WordExpression.Call(name, arguments()));
    }

    private List<WordExpression> arguments() {
        expect("(");
        List<WordExpression> arguments = new ArrayList<>();
        while (!accept(")")) {
            arguments.add(expression(0));
            accept(",");
        }
        return arguments;
    }

    private WordExpression expression(int level) {
        if (level == LEVELS.size()) {
            return primary();
        }
        WordExpression left = expression(level + 1);
        while (LEVELS.get(level).containsKey(peek())) {
            Operator operator = LEVELS.get(level).get(next());
            left = new WordExpression.Binary(operator, left, expression(level + 1));
        }
        return left;
    }

    private WordExpression primary() {
        if (accept("(")) {
            WordExpression inner = expression(0);
            expect(")");
            return inner;
        }
        String token = next();
        if (token.startsWith("\"")) {
            return new WordExpression.Text(token.substring(1));
        }
        if (Character.isDigit(token.charAt(0))) {
            return new WordExpression.Constant(Long.parseLong(token));
        }
        if (WIDTHS.containsKey(token)) {
            expect("[");
            WordExpression address = expression(0);
            expect("]");
            return new WordExpression.Load(WIDTHS.get(token), address);
        }
        if (peek().equals("(")) {
            return new WordExpression.Call(token, arguments());
        }
        return constants.containsKey(token)
                ? new WordExpression.Constant(constants.get(token))
                : new WordExpression.Local(token);
    }
}
