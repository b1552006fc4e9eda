package dev.weir.testkit.fuzz;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Changes a program at random. One time in four it is a few of its bytes, else a few of its tokens:
 * by turns any of them in any way, which the parser refuses, and some of them to others of their
 * kind, which is for those behind the parser.
 */
final class Mutation {
    /** What no program of the corpus holds, or few do. */
    private static final List<String> ODD = List.of(
            "0", "-1", "9223372036854775807", "99999999999999999999", "1e999", "0.0", "\"", "",
            "\u0000", "\ufeff", "\u00e9", "\ud83d\ude00", "\r", "{", "}", "(", ")", "[", "]", ",",
            "<", ">", "..", "@", "//", "///", "config.", "instance", "infinity", "with", "drop",
            "replace", "keep last", "++=", "optional", "scan", "while", "break", "route", "gate");
    private static final List<String> NUMBERS = List.of("0", "1", "2", "3", "7", "64", "65536",
            "2147483648", "4611686018427387904", "9223372036854775807", "0.5", "1e30");
    private static final String OPERATORS = "+-*/%^@<>!=";
    /** Bytes that begin, go on with or end nothing in UTF-8. */
    private static final int[] MALFORMED = {0x80, 0xbf, 0xc0, 0xc1, 0xe2, 0xed, 0xf0, 0xf5, 0xff};
    private static final int LONGEST_RANGE = 30;

    private final Random random;
    private final List<String> words;

    Mutation(Random random, List<String> words) {
        this.random = random;
        this.words = words;
    }

    byte[] of(String text) {
        List<String> tokens = new ArrayList<>(Tokens.of(text));
        int way = random.nextInt(8);
        int changes = 1 + (random.nextBoolean() ? 0 : random.nextInt(6));
        for (int i = 0; i < changes && way >= 2; i++) {
            if (way < 5) {
                tokens(tokens);
            } else {
                kept(tokens);
            }
        }
        byte[] bytes = String.join("", tokens).getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < changes && way < 2; i++) {
            bytes = bytes(bytes);
        }
        return bytes;
    }

    // ------------------------------------------------------------------ tokens

    private void tokens(List<String> tokens) {
        if (tokens.isEmpty()) {
            tokens.add(pick(words));
            return;
        }
        int at = place(tokens);
        int other = place(tokens);
        switch (random.nextInt(9)) {
            case 0 -> tokens.remove(at);
            case 1 -> tokens.add(at, tokens.get(at));
            case 2 -> tokens.set(at, tokens.set(other, tokens.get(at)));
            case 3 -> tokens.set(at, pick(words));
            case 4 -> tokens.set(at, alike(tokens.get(at), words));
            case 5 -> tokens.set(at, pick(ODD));
            case 6 -> tokens.add(at, pick(random.nextBoolean() ? words : ODD));
            case 7 -> range(tokens, at).clear();
            default -> tokens.addAll(other, List.copyOf(range(tokens, at)));
        }
    }

    /** A token, seldom the space between two. */
    private int place(List<String> tokens) {
        int at = random.nextInt(tokens.size());
        return tokens.get(at).isBlank() && random.nextInt(10) > 0
                ? random.nextInt(tokens.size()) : at;
    }

    private List<String> range(List<String> tokens, int from) {
        return tokens.subList(
                from, Math.min(tokens.size(), from + 1 + random.nextInt(LONGEST_RANGE)));
    }

    /** Another token of the same kind, from this program or from any: a name for a name. */
    private void kept(List<String> tokens) {
        if (!tokens.isEmpty()) {
            int at = place(tokens);
            tokens.set(at, alike(tokens.get(at), random.nextInt(4) > 0 ? tokens : words));
        }
    }

    private String alike(String token, List<String> among) {
        if (kind(token) == '0' && random.nextBoolean()) {
            return pick(NUMBERS);
        }
        String other = token;
        for (int i = 0; i < 50 && (other.equals(token) || kind(other) != kind(token)); i++) {
            other = pick(among);
        }
        return kind(other) == kind(token) ? other : token;
    }

    private static char kind(String token) {
        char first = token.isEmpty() ? ' ' : token.charAt(0);
        return Character.isDigit(first) ? '0'
                : Character.isUpperCase(first) ? 'A'
                : Character.isLetter(first) ? 'a'
                : OPERATORS.indexOf(first) >= 0 ? '+' : first;
    }

    private String pick(List<String> all) {
        return all.get(random.nextInt(all.size()));
    }

    // ------------------------------------------------------------------ bytes

    private byte[] bytes(byte[] bytes) {
        int at = random.nextInt(bytes.length + 1);
        return switch (random.nextInt(5)) {
            case 0 -> Arrays.copyOf(bytes, at);
            case 1 -> inserted(bytes, at, random.nextInt(128));
            case 2 -> inserted(bytes, at, MALFORMED[random.nextInt(MALFORMED.length)]);
            case 3 -> without(bytes, at);
            default -> flipped(bytes, at);
        };
    }

    private static byte[] inserted(byte[] bytes, int at, int value) {
        byte[] result = new byte[bytes.length + 1];
        System.arraycopy(bytes, 0, result, 0, at);
        result[at] = (byte) value;
        System.arraycopy(bytes, at, result, at + 1, bytes.length - at);
        return result;
    }

    private byte[] without(byte[] bytes, int at) {
        int end = Math.min(bytes.length, at + 1 + random.nextInt(LONGEST_RANGE));
        byte[] result = Arrays.copyOf(bytes, bytes.length - (end - at));
        System.arraycopy(bytes, end, result, at, bytes.length - end);
        return result;
    }

    private byte[] flipped(byte[] bytes, int at) {
        byte[] result = bytes.clone();
        if (at < bytes.length) {
            result[at] ^= (byte) (1 << random.nextInt(8));
        }
        return result;
    }
}
