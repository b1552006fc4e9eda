package dev.weir.ir.text;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** The text of a program in one of the intermediate representations, and a place in it. */
public final class Tokens {
    /** The code of all diagnostics about such text. */
    private static final String CODE = "E1001";

    /** What a token is. */
    public enum Kind {
        WORD,
        QUOTED,
        SYMBOL,
        NUMBER,
        VALUE,
        INDEX,
        MARK,
        END
    }

    /** A token; names without their quotes, values and indices without their sign. */
    public record Token(Kind kind, String text, Span span) {}

    /** What may stand without quotes where a name is expected. */
    public static final String NAME = "[A-Za-z_][A-Za-z0-9_$]*+(?:\\.[A-Za-z0-9_$]++)*+";

    private static final String MARKS = "(){}[]=,:+*/";
    private static final String INFINITY = "Infinity";

    private final List<Token> tokens = new ArrayList<>();
    private int position;

    public Tokens(Source source) {
        String text = source.text();
        int at = space(text, 0);
        while (at < text.length()) {
            Token token = token(source, text, at);
            tokens.add(token);
            at = space(text, token.span.end());
        }
        tokens.add(new Token(Kind.END, "the end", new Span(source, at, at)));
    }

    /** Where space and comments from a place on end. */
    private static int space(String text, int from) {
        int at = from;
        while (at < text.length()) {
            char c = text.charAt(at);
            if (c == '/' && text.startsWith("//", at)) {
                at = until(text, at, '\n');
            } else if (c == ' ' || c >= '\t' && c <= '\r') {
                at++;
            } else {
                break;
            }
        }
        return at;
    }

    private static int until(String text, int from, char wanted) {
        int at = text.indexOf(wanted, from);
        return at < 0 ? text.length() : at;
    }

    private static Token token(Source source, String text, int at) {
        char c = text.charAt(at);
        if (isLetter(c)) {
            return token(Kind.WORD, source, at, name(text, at));
        }
        if (c == '"' || c == '\'') {
            int end = quoted(text, at);
            if (end < 0) {
                throw unexpected(source, at);
            }
            Kind kind = c == '"' ? Kind.QUOTED : Kind.SYMBOL;
            return new Token(kind, unescape(text.substring(at + 1, end - 1)),
                    new Span(source, at, end));
        }
        if (c == '%' || c == '$') {
            int end = digits(text, at + 1);
            if (end == at + 1) {
                throw unexpected(source, at);
            }
            return token(c == '%' ? Kind.VALUE : Kind.INDEX, source, at, end);
        }
        int number = number(text, at);
        if (number > at) {
            return token(Kind.NUMBER, source, at, number);
        }
        if (MARKS.indexOf(c) >= 0) {
            return token(Kind.MARK, source, at, at + 1);
        }
        if (text.startsWith("..", at)) {
            return token(Kind.MARK, source, at, at + 2);
        }
        throw unexpected(source, at);
    }

    private static Token token(Kind kind, Source source, int from, int to) {
        int signs = kind == Kind.VALUE || kind == Kind.INDEX ? 1 : 0;
        return new Token(kind, source.text().substring(from + signs, to),
                new Span(source, from, to));
    }

    private static WeirException unexpected(Source source, int at) {
        return error(new Span(source, at, at + 1),
                "unexpected character '" + source.text().charAt(at) + "'");
    }

    /** Where the name ends that begins here, as {@link #NAME} says. */
    private static int name(String text, int from) {
        int at = part(text, from);
        while (at < text.length() && text.charAt(at) == '.' && part(text, at + 1) > at + 1) {
            at = part(text, at + 1);
        }
        return at;
    }

    private static int part(String text, int from) {
        int at = from;
        while (at < text.length() && (isLetter(text.charAt(at)) || isDigit(text.charAt(at))
                || text.charAt(at) == '$')) {
            at++;
        }
        return at;
    }

    /** Behind the closing sign of what is quoted here; -1 if its line ends before. */
    private static int quoted(String text, int from) {
        char sign = text.charAt(from);
        for (int at = from + 1; at < text.length() && text.charAt(at) != '\n'; at++) {
            if (text.charAt(at) == sign) {
                return at + 1;
            }
            if (text.charAt(at) == '\\') {
                at++;
                if (at < text.length() && text.charAt(at) == '\n') {
                    return -1;
                }
            }
        }
        return -1;
    }

    /** Where a number ends that begins here: digits, a fraction, an exponent; or infinity. */
    private static int number(String text, int from) {
        int first = text.charAt(from) == '-' ? from + 1 : from;
        if (text.startsWith(INFINITY, first)) {
            return first + INFINITY.length();
        }
        int at = digits(text, first);
        if (at == first) {
            return from;
        }
        if (at < text.length() && text.charAt(at) == '.') {
            int fraction = digits(text, at + 1);
            at = fraction > at + 1 ? fraction : at;
        }
        if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            int sign = text.startsWith("-", at + 1) ? at + 2 : at + 1;
            int exponent = digits(text, sign);
            at = exponent > sign ? exponent : at;
        }
        return at;
    }

    private static int digits(String text, int from) {
        int at = from;
        while (at < text.length() && isDigit(text.charAt(at))) {
            at++;
        }
        return at;
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private static String unescape(String text) {
        if (text.indexOf('\\') < 0) {
            return text;
        }
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '\\') {
                i++;
                plain.append(text.charAt(i) == 'n' ? '\n' : text.charAt(i));
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    public Token peek() {
        return tokens.get(position);
    }

    public Token next() {
        Token token = peek();
        if (token.kind != Kind.END) {
            position++;
        }
        return token;
    }

    /** The token behind the present one. */
    public Token peekSecond() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    /** Whether a token is this word or mark. */
    public static boolean is(Token token, String text) {
        return (token.kind == Kind.WORD || token.kind == Kind.MARK) && token.text.equals(text);
    }

    /** The token before the present one. */
    public Token last() {
        return tokens.get(Math.max(0, position - 1));
    }

    public boolean at(String text) {
        return is(peek(), text);
    }

    /** Whether a mark stands behind the present token. */
    public boolean isBefore(String mark) {
        return peekSecond().kind == Kind.MARK && peekSecond().text.equals(mark);
    }

    public boolean accept(String text) {
        boolean found = at(text);
        if (found) {
            next();
        }
        return found;
    }

    public void expect(String text) {
        if (!accept(text)) {
            throw expected("'" + text + "'");
        }
    }

    public Token take(Kind kind, String what) {
        if (peek().kind != kind) {
            throw expected(what);
        }
        return next();
    }

    /** A name of the user's. */
    public String quoted() {
        return take(Kind.QUOTED, "a name in double quotes").text;
    }

    public long integer() {
        Token token = take(Kind.NUMBER, "a whole number");
        return parse(token, () -> Long.parseLong(token.text));
    }

    public int small() {
        Token token = peek();
        long number = integer();
        if (number < 0 || number > 1_000_000) {
            throw error(token.span, "a number up to a million was expected");
        }
        return (int) number;
    }

    public double real() {
        if (accept("NaN")) {
            return Double.NaN;
        }
        Token token = take(Kind.NUMBER, "a number");
        return parse(token, () -> Double.parseDouble(token.text));
    }

    /** The number of a value or an index. */
    public int identifier(Token token) {
        long id = parse(token, () -> Long.parseLong(token.text));
        if (id > 1_000_000_000) {
            throw error(token.span, "the number " + id + " is too large");
        }
        return (int) id;
    }

    /** Reports what does not fit a number's range or a node's parts at a token. */
    public static <T> T parse(Token token, Supplier<T> maker) {
        try {
            return maker.get();
        } catch (IllegalArgumentException e) {
            throw error(token.span,
                    Optional.ofNullable(e.getMessage()).orElse("bad " + token.text));
        }
    }

    public WeirException expected(String what) {
        String found = peek().kind == Kind.END ? "the end" : "'" + peek().span.text() + "'";
        return error(peek().span, "expected " + what + ", found " + found);
    }

    public static WeirException error(Span span, String message) {
        return new WeirException(Diagnostic.error(CODE, span, message));
    }
}
