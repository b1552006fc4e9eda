package dev.weir.ir.text;

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

    // The repetitions are possessive: a long name must not use up the stack.
    private static final Pattern TOKEN = Pattern.compile(
            "(?<word>" + NAME + ")"
                    + "|\"(?<quoted>(?:[^\"\\\\\\n]|\\\\[^\\n])*+)\""
                    + "|'(?<symbol>(?:[^'\\\\\\n]|\\\\[^\\n])*+)'"
                    + "|%(?<value>[0-9]++)"
                    + "|\\$(?<index>[0-9]++)"
                    + "|(?<number>-?(?:[0-9]++(?:\\.[0-9]++)?(?:[eE]-?[0-9]++)?|Infinity))"
                    + "|(?<mark>\\.\\.|[(){}\\[\\]=,:+*/])");
    private static final Pattern SPACE = Pattern.compile("(?:\\s++|//[^\\n]*+)*+");

    private final List<Token> tokens = new ArrayList<>();
    private int position;

    public Tokens(Source source) {
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
