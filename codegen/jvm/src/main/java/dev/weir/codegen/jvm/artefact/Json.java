package dev.weir.codegen.jvm.artefact;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads JSON as maps, lists, strings, {@link BigDecimal}s, booleans and, for {@code null}, an empty
 * {@link Optional}. An artefact brings its own reader, so that it needs nothing but Java.
 */
final class Json {
    /** Deeper nesting than any header or configuration has would use up the stack. */
    private static final int DEEPEST = 64;

    private final String text;
    private int at;
    private int depth;

    private Json(String text) {
        this.text = text;
    }

    /**
     * @throws ArtefactException if it is not sound JSON; the message says where
     */
    static Object parse(String text) {
        Json json = new Json(text);
        Object value = json.value();
        json.space();
        if (json.at < text.length()) {
            throw json.wrong("nothing behind the value");
        }
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value, String what) {
        if (value instanceof Map<?, ?> map) {
            return (Map<String, Object>) map;
        }
        throw new ArtefactException(what + " is no JSON object");
    }

    static List<?> list(Object value, String what) {
        if (value instanceof List<?> list) {
            return list;
        }
        throw new ArtefactException(what + " is no JSON list");
    }

    /** A list of whole numbers that are not negative. */
    static long[] sizes(Object value, String what) {
        return list(value, what).stream().mapToLong(n -> size(n, what)).toArray();
    }

    private static long size(Object value, String what) {
        try {
            if (value instanceof BigDecimal number && number.signum() >= 0) {
                return number.longValueExact();
            }
        } catch (ArithmeticException notWhole) {
            // Said below.
        }
        throw new ArtefactException(what + " holds " + value + " where a size should be");
    }

    private ArtefactException wrong(String expected) {
        return new ArtefactException("expected " + expected + " at character " + at);
    }

    private void space() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private boolean accept(char mark) {
        space();
        boolean found = at < text.length() && text.charAt(at) == mark;
        if (found) {
            at++;
        }
        return found;
    }

    private void expect(char mark) {
        if (!accept(mark)) {
            throw wrong("'" + mark + "'");
        }
    }

    private Object value() {
        space();
        if (at == text.length() || ++depth > DEEPEST) {
            throw wrong("a value, nested less deeply than " + DEEPEST);
        }
        Object value = switch (text.charAt(at)) {
            case '{' -> object();
            case '[' -> list();
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", Optional.empty());
            default -> number();
        };
        depth--;
        return value;
    }

    private Object word(String word, Object value) {
        if (!text.startsWith(word, at)) {
            throw wrong(word);
        }
        at += word.length();
        return value;
    }

    private Map<String, Object> object() {
        Map<String, Object> members = new LinkedHashMap<>();
        expect('{');
        if (accept('}')) {
            return members;
        }
        do {
            space();
            if (at == text.length() || text.charAt(at) != '"') {
                throw wrong("a name");
            }
            String name = string();
            expect(':');
            if (members.put(name, value()) != null) {
                throw wrong("no second member " + name);
            }
        } while (accept(','));
        expect('}');
        return members;
    }

    private List<Object> list() {
        List<Object> elements = new ArrayList<>();
        expect('[');
        if (accept(']')) {
            return elements;
        }
        do {
            elements.add(value());
        } while (accept(','));
        expect(']');
        return elements;
    }

    private String string() {
        StringBuilder string = new StringBuilder();
        expect('"');
        while (at < text.length() && text.charAt(at) != '"') {
            char c = text.charAt(at++);
            if (c != '\\') {
                string.append(c);
                continue;
            }
            if (at == text.length()) {
                break;
            }
            char escaped = text.charAt(at++);
            switch (escaped) {
                case 'n' -> string.append('\n');
                case 't' -> string.append('\t');
                case 'r' -> string.append('\r');
                case 'b' -> string.append('\b');
                case 'f' -> string.append('\f');
                case 'u' -> {
                    if (!text.substring(at, Math.min(text.length(), at + 4))
                            .matches("[0-9a-fA-F]{4}")) {
                        throw wrong("four hexadecimal digits");
                    }
                    string.append((char) Integer.parseInt(text, at, at + 4, 16));
                    at += 4;
                }
                default -> string.append(escaped);
            }
        }
        if (at == text.length()) {
            throw wrong("the end of a string");
        }
        at++;
        return string.toString();
    }

    private BigDecimal number() {
        int from = at;
        while (at < text.length() && "+-.0123456789eE".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        try {
            BigDecimal number = new BigDecimal(text.substring(from, at));
            // 1e999999999 as a whole number would fill all memory.
            if (Math.abs((long) number.scale()) > 400) {
                throw wrong("a number of ordinary size");
            }
            return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
        } catch (NumberFormatException e) {
            at = from;
            throw wrong("a value");
        }
    }
}
