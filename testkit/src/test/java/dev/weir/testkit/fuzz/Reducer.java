package dev.weir.testkit.fuzz;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;

/**
 * Makes a text that fails smaller, as long as it fails: by lines, by what stands in brackets, by
 * tokens, by putting a part in the place of the whole, and by lower numbers (delta debugging, Zeller
 * and Hildebrandt 2002). It knows brackets and numbers and no language, so it serves sources and dumps.
 */
final class Reducer {
    private final Predicate<String> fails;
    private final BooleanSupplier isOver;
    private String smallest;

    private Reducer(String text, Predicate<String> fails, BooleanSupplier isOver) {
        this.smallest = text;
        this.fails = fails;
        this.isOver = isOver;
    }

    /**
     * The smallest text that was found.
     *
     * @param text one that fails
     * @param isOver whether to be content with what there is
     */
    static String reduce(String text, Predicate<String> fails, BooleanSupplier isOver) {
        Reducer reducer = new Reducer(text, fails, isOver);
        String before;
        do {
            before = reducer.smallest;
            reducer.lines();
            reducer.brackets();
            reducer.tokens();
            reducer.parts();
            reducer.values();
            reducer.numbers();
        } while (!before.equals(reducer.smallest) && !isOver.getAsBoolean());
        return reducer.smallest;
    }

    /** Takes a candidate if it is not the present text, and fails. */
    private boolean take(List<String> pieces) {
        String candidate = String.join("", pieces);
        if (isOver.getAsBoolean() || candidate.equals(smallest) || !fails.test(candidate)) {
            return false;
        }
        smallest = candidate;
        return true;
    }

    private static List<String> without(List<String> pieces, int from, int to) {
        return with(pieces, from, to, List.of());
    }

    private static List<String> with(
            List<String> pieces, int from, int to, List<String> instead) {
        List<String> rest = new ArrayList<>(pieces.subList(0, from));
        rest.addAll(instead);
        rest.addAll(pieces.subList(to, pieces.size()));
        return rest;
    }

    // ------------------------------------------------------------------ what is left out

    private void lines() {
        leaveOut(new ArrayList<>(smallest.lines().map(line -> line + "\n").toList()),
                Integer.MAX_VALUE);
    }

    private void tokens() {
        leaveOut(Tokens.of(smallest), 8);
    }

    /** Leaves out neighbours, at first half of all or as many as are allowed, at last single ones. */
    private void leaveOut(List<String> all, int most) {
        List<String> pieces = all;
        for (int size = Math.min(most, pieces.size() / 2); size >= 1; size /= 2) {
            // From the end: what comes last is used by nothing.
            for (int to = pieces.size(); to > 0; to -= size) {
                List<String> rest = without(pieces, Math.max(0, to - size), to);
                if (take(rest)) {
                    pieces = rest;
                }
            }
        }
    }

    /** Leaves out what stands in brackets, alone, with its line, or leaves out the brackets. */
    private void brackets() {
        List<String> tokens = Tokens.of(smallest);
        for (int open = tokens.size() - 1; open >= 0; open--) {
            int close = closing(tokens, open);
            if (close < 0) {
                continue;
            }
            int line = open;
            while (line > 0 && !tokens.get(line - 1).contains("\n")) {
                line--;
            }
            List<List<String>> candidates = List.of(
                    without(tokens, line, close + 1),
                    without(tokens, open, close + 1),
                    without(tokens, open + 1, close),
                    with(tokens, line, close + 1, tokens.subList(open + 1, close)));
            for (List<String> candidate : candidates) {
                if (take(candidate)) {
                    tokens = Tokens.of(smallest);
                    open = Math.min(open, tokens.size());
                    break;
                }
            }
        }
    }

    private static int closing(List<String> tokens, int open) {
        int kind = open < tokens.size() && tokens.get(open).length() == 1
                ? "([{".indexOf(tokens.get(open)) : -1;
        int depth = 0;
        for (int i = open; kind >= 0 && i < tokens.size(); i++) {
            if (tokens.get(i).equals(tokens.get(open))) {
                depth++;
            } else if (tokens.get(i).equals(")]}".substring(kind, kind + 1)) && --depth == 0) {
                return i;
            }
        }
        return -1;
    }

    // ------------------------------------------------------------------ what is put in its place

    /** {@code word(a, b)} becomes {@code a} or {@code b}. */
    private void parts() {
        List<String> tokens = Tokens.of(smallest);
        for (int open = tokens.size() - 1; open > 0; open--) {
            int close = closing(tokens, open);
            if (close < 0) {
                continue;
            }
            for (List<String> part : arguments(tokens.subList(open + 1, close))) {
                if (take(with(tokens, open - 1, close + 1, part))
                        || take(with(tokens, open, close + 1, part))) {
                    tokens = Tokens.of(smallest);
                    open = Math.min(open, tokens.size());
                    break;
                }
            }
        }
    }

    private static List<List<String>> arguments(List<String> tokens) {
        List<List<String>> arguments = new ArrayList<>(List.of(new ArrayList<>()));
        int depth = 0;
        for (String token : tokens) {
            depth += "([{".contains(token) ? 1 : ")]}".contains(token) ? -1 : 0;
            if (depth == 0 && token.equals(",")) {
                arguments.add(new ArrayList<>());
            } else if (!arguments.getLast().isEmpty() || !token.isBlank()) {
                arguments.getLast().add(token);
            }
        }
        return arguments;
    }

    /** A value of a dump, {@code %12}, becomes one that was defined before. */
    private void values() {
        List<String> tokens = Tokens.of(smallest);
        Set<String> seen = new LinkedHashSet<>();
        for (int i = 0; i + 1 < tokens.size(); i++) {
            if (!tokens.get(i).equals("%")) {
                continue;
            }
            String number = tokens.get(i + 1);
            for (String other : List.copyOf(seen)) {
                if (other.equals(number)
                        || take(with(tokens, i + 1, i + 2, List.of(other)))) {
                    tokens = Tokens.of(smallest);
                    break;
                }
            }
            seen.add(tokens.get(i + 1));
        }
    }

    private void numbers() {
        List<String> tokens = Tokens.of(smallest);
        for (int i = 0; i < tokens.size(); i++) {
            if (!tokens.get(i).matches("\\d{1,18}") || i > 0 && "%$".contains(tokens.get(i - 1))) {
                continue;
            }
            long number = Long.parseLong(tokens.get(i));
            for (long lower : new long[] {0, 1, 2, number / 2, number - 1}) {
                if (lower >= 0 && lower < number
                        && take(with(tokens, i, i + 1, List.of("" + lower)))) {
                    tokens = Tokens.of(smallest);
                    break;
                }
            }
        }
    }
}
