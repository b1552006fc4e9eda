package dev.weir.ir.kernel;

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

/** The text of kernels cut into tokens, and a place in them. */
final class KernelTokens {

    enum Kind {
        WORD,
        QUOTED,
        NUMBER,
        MARK,
        END
    }

    /** A token; a quoted name without its quotes. */
    record Token(Kind kind, String text, Span span) {}

    private static final Pattern TOKEN = Pattern.compile(
            "(?<word>[A-Za-z_][A-Za-z0-9_.$]*)"
                    + "|\"(?<quoted>(?:[^\"\\\\\\n]|\\\\.)*)\""
                    + "|(?<number>-?(?:[0-9]+(?:\\.[0-9]+)?(?:[eE]-?[0-9]+)?|Infinity))"
                    + "|(?<mark>[(){}\\[\\]=,:])");
    private static final Pattern SPACE = Pattern.compile("(?:\\s|//[^\\n]*)*");

    private final List<Token> tokens = new ArrayList<>();
    private int position;

    KernelTokens(Source source) {
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
            Span span = new Span(source, at, token.end());
            tokens.add(token(token, span));
            at = token.end();
        }
    }

    private static Token token(Matcher matcher, Span span) {
        String quoted = matcher.group("quoted");
        if (quoted != null) {
            return new Token(Kind.QUOTED, quoted.replaceAll("\\\\(.)", "$1"), span);
        }
        if (matcher.group("word") != null) {
            return new Token(Kind.WORD, matcher.group(), span);
        }
        return new Token(
                matcher.group("number") != null ? Kind.NUMBER : Kind.MARK, matcher.group(), span);
    }

    Token peek() {
        return tokens.get(position);
    }

    Token peekSecond() {
        return tokens.get(Math.min(position + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = peek();
        if (token.kind != Kind.END) {
            position++;
        }
        return token;
    }

    boolean at(String text) {
        return is(peek(), text);
    }

    static boolean is(Token token, String text) {
        return (token.kind == Kind.WORD || token.kind == Kind.MARK) && token.text.equals(text);
    }

    boolean accept(String text) {
        boolean found = at(text);
        if (found) {
            next();
        }
        return found;
    }

    Token expect(String text) {
        if (!at(text)) {
            throw expected("'" + text + "'");
        }
        return next();
    }

    /** A name of the user's, plain or quoted. */
    Token name() {
        Kind kind = peek().kind;
        if (kind != Kind.QUOTED
                && (kind != Kind.WORD || KernelPrinter.KEYWORDS.contains(peek().text))) {
            throw expected("a name");
        }
        return next();
    }

    Token word(String what) {
        if (peek().kind != Kind.WORD) {
            throw expected(what);
        }
        return next();
    }

    long integer() {
        Token token = peek();
        if (token.kind != Kind.NUMBER) {
            throw expected("a number");
        }
        next();
        return parse(token, () -> Long.parseLong(token.text));
    }

    /** Reports what does not fit a number's range or an operation's operands at a token. */
    static <T> T parse(Token token, Supplier<T> maker) {
        try {
            return maker.get();
        } catch (IllegalArgumentException e) {
            throw error(token.span,
                    Optional.ofNullable(e.getMessage()).orElse("bad " + token.text));
        }
    }

    WeirException expected(String what) {
        String found = peek().kind == Kind.END ? "the end" : "'" + peek().text + "'";
        return error(peek().span, "expected " + what + ", found " + found);
    }

    static WeirException error(Span span, String message) {
        return new WeirException(Diagnostic.error(KernelParser.CODE, span, message));
    }
}
