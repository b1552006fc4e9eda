package dev.weir.ir.tensor;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The text of a tensor program cut into tokens, and a place in them. */
final class Tokens {

    enum Kind {
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
    record Token(Kind kind, String text, Span span) {}

    // The repetitions are possessive: a long name must not use up the stack.
    private static final Pattern TOKEN = Pattern.compile(
            "(?<word>[A-Za-z_][A-Za-z0-9_]*+)"
                    + "|\"(?<quoted>(?:[^\"\\\\\\n]|\\\\[^\\n])*+)\""
                    + "|'(?<symbol>(?:[^'\\\\\\n]|\\\\[^\\n])*+)'"
                    + "|%(?<value>[0-9]++)"
                    + "|\\$(?<index>[0-9]++)"
                    + "|(?<number>-?(?:[0-9]++(?:\\.[0-9]++)?(?:[eE]-?[0-9]++)?|Infinity))"
                    + "|(?<mark>\\.\\.|[(){}\\[\\]=,:+*/])");
    private static final Pattern SPACE = Pattern.compile("(?:\\s++|//[^\\n]*+)*+");

    private final List<Token> tokens = new ArrayList<>();
    private int position;

    Tokens(Source source) {
        String text = source.text();
        Matcher space = SPACE.matcher(text);
        Matcher token = TOKEN.matcher(text);
        int at = 0;
        while (true) {
            if (space.region(at, text.length()).lookingAt()) {
                at = space.end();
            }
            if (at == text.length()) {
                tokens.add(new Token(Kind.END, "the end", new Span(source, at, at)));
                return;
            }
            if (!token.region(at, text.length()).lookingAt()) {
                throw error(new Span(source, at, at + 1),
                        "unexpected character '" + text.charAt(at) + "'");
            }
            tokens.add(token(token, new Span(source, at, token.end())));
            at = token.end();
        }
    }

    private static Token token(Matcher matcher, Span span) {
        for (Kind kind : Kind.values()) {
            if (kind != Kind.END) {
                String text = matcher.group(kind.name().toLowerCase(java.util.Locale.ROOT));
                if (text != null) {
                    boolean escaped = kind == Kind.QUOTED || kind == Kind.SYMBOL;
                    return new Token(kind, escaped ? unescape(text) : text, span);
                }
            }
        }
        throw new IllegalStateException(matcher.group());
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

    Token peek() {
        return tokens.get(position);
    }

    Token next() {
        Token token = peek();
        if (token.kind != Kind.END) {
            position++;
        }
        return token;
    }

    /** The token before the present one. */
    Token last() {
        return tokens.get(Math.max(0, position - 1));
    }

    boolean at(String text) {
        return (peek().kind == Kind.WORD || peek().kind == Kind.MARK) && peek().text.equals(text);
    }

    /** Whether a mark stands behind the present token. */
    boolean isBefore(String mark) {
        Token token = tokens.get(Math.min(position + 1, tokens.size() - 1));
        return token.kind == Kind.MARK && token.text.equals(mark);
    }

    boolean accept(String text) {
        boolean found = at(text);
        if (found) {
            next();
        }
        return found;
    }

    void expect(String text) {
        if (!accept(text)) {
            throw expected("'" + text + "'");
        }
    }

    Token take(Kind kind, String what) {
        if (peek().kind != kind) {
            throw expected(what);
        }
        return next();
    }

    /** A name of the user's. */
    String quoted() {
        return take(Kind.QUOTED, "a name in double quotes").text;
    }

    long integer() {
        Token token = take(Kind.NUMBER, "a whole number");
        return parse(token, () -> Long.parseLong(token.text));
    }

    int small() {
        Token token = peek();
        long number = integer();
        if (number < 0 || number > 1_000_000) {
            throw error(token.span, "a number up to a million was expected");
        }
        return (int) number;
    }

    double real() {
        if (accept("NaN")) {
            return Double.NaN;
        }
        Token token = take(Kind.NUMBER, "a number");
        return parse(token, () -> Double.parseDouble(token.text));
    }

    /** The number of a value or an index. */
    int identifier(Token token) {
        long id = parse(token, () -> Long.parseLong(token.text));
        if (id > 1_000_000_000) {
            throw error(token.span, "the number " + id + " is too large");
        }
        return (int) id;
    }

    /** Reports what does not fit a number's range or a node's parts at a token. */
    static <T> T parse(Token token, Supplier<T> maker) {
        try {
            return maker.get();
        } catch (IllegalArgumentException e) {
            throw error(token.span,
                    Optional.ofNullable(e.getMessage()).orElse("bad " + token.text));
        }
    }

    WeirException expected(String what) {
        String found = peek().kind == Kind.END ? "the end" : "'" + peek().span.text() + "'";
        return error(peek().span, "expected " + what + ", found " + found);
    }

    static WeirException error(Span span, String message) {
        return new WeirException(Diagnostic.error(Parser.CODE, span, message));
    }
}
