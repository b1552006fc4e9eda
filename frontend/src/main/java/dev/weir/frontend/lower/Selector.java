package dev.weir.frontend.lower;

import dev.weir.frontend.syntax.Declaration;
import dev.weir.frontend.syntax.Expression;
import dev.weir.ir.diagnostic.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Blocks by their path, {@code layers[0..4].mlp}, with the elements of lists as numbers. Where
 * only some elements of a list are named, the list is divided, so that what lives below one place
 * is named as a whole or not at all.
 */
record Selector(List<Part> parts) {
    /** Stands for an end that is not known while templates are checked. */
    private static final long OPEN = Long.MAX_VALUE;
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\d+(?:\\+|:)?(\\d*).*}");

    Selector {
        parts = List.copyOf(parts);
    }

    /** A member; of a list, the elements that are meant, all if there are none. */
    record Part(String name, Optional<Elements> elements) {
        boolean names(String member) {
            return name.equals("*") || name.equals(member);
        }

        private boolean names(Step step) {
            return names(step.name()) && elements.map(e ->
                    step.first().filter(e::contains).isPresent()).orElse(true);
        }
    }

    /** From {@code first} up to but not including {@code end}. */
    record Elements(long first, long end, Span span) {
        /** Whether a list of so many lacks some of them. */
        boolean leave(long count) {
            return first < 0 || end > count && end != OPEN;
        }

        boolean contains(long position) {
            return first <= position && position < end;
        }
    }

    /**
     * A member on a path.
     *
     * @param first where the first of the elements stands that the path is about
     */
    record Step(String name, Optional<Long> first) {}

    static Selector of(Declaration.Selector source, Body constants, Scope scope) {
        return new Selector(source.parts().stream().map(p -> new Part(p.name(),
                p.elements().map(e -> elements(e, constants, scope)))).toList());
    }

    private static Elements elements(Expression.Range range, Body constants, Scope scope) {
        long first = whole(range.from(), constants, scope, 0);
        return new Elements(first, range.from() == range.to()
                ? first + 1 : whole(range.to(), constants, scope, OPEN), range.span());
    }

    /** @param open what stands for a size that is not known while templates are checked */
    private static long whole(Expression e, Body constants, Scope scope, long open) {
        return constants.evaluator.dimension(e, scope).size().constant().orElseGet(() -> {
            if (constants.session.isChecking()) {
                return open;
            }
            throw constants.fail("E0208", e.span(), "this must be a whole number");
        });
    }

    /** The members of a path as {@link Place} writes it, rounds and calls left out. */
    static List<Step> steps(String path) {
        List<Step> steps = new ArrayList<>();
        for (String word : path.split("\\.")) {
            String name = word.replaceAll("[\\[#].*", "");
            Matcher placeholder = PLACEHOLDER.matcher(name);
            boolean isPlaceholder = placeholder.matches();
            boolean isNumber = !name.isEmpty() && name.chars().allMatch(Character::isDigit);
            if (isPlaceholder || isNumber) {
                String number = isNumber ? name : placeholder.group(1);
                steps.add(new Step(steps.removeLast().name(),
                        Optional.of(number.isEmpty() ? 0 : Long.parseLong(number))));
            } else if (!name.isEmpty()) {
                steps.add(new Step(name, Optional.empty()));
            }
        }
        return steps;
    }

    /** Whether this is the path from the model down. */
    boolean isPath(List<Step> path) {
        return path.size() == parts.size() && isAt(path, 0, parts.size());
    }

    /** How many steps there are up to the end of where this stands in a path; -1 if nowhere. */
    int lastIn(List<Step> path) {
        for (int from = path.size() - parts.size(); from >= 0; from--) {
            if (isAt(path, from, parts.size())) {
                return from + parts.size();
            }
        }
        return -1;
    }

    /** Whether the first parts name the steps from one on. */
    private boolean isAt(List<Step> path, int from, int count) {
        for (int i = 0; i < count; i++) {
            if (!parts.get(i).names(path.get(from + i))) {
                return false;
            }
        }
        return true;
    }

    /**
     * The elements that are named of a list.
     *
     * @param owner the path of the block that has the list
     * @param anywhere whether the selector may begin anywhere in a path, not only at the model
     */
    List<Elements> elementsOf(List<Step> owner, String list, boolean anywhere) {
        List<Elements> found = new ArrayList<>();
        for (int at = 0; at < parts.size(); at++) {
            int from = owner.size() - at;
            boolean isHere = parts.get(at).name().equals(list)
                    && parts.get(at).elements().isPresent()
                    && from >= 0 && (anywhere || from == 0) && isAt(owner, from, at);
            if (isHere) {
                found.add(parts.get(at).elements().get());
            }
        }
        return found;
    }
}
