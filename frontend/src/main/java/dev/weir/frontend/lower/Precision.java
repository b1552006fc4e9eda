package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Quantisation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The formats in force in a block: what {@code precision} said there, over what the blocks around
 * it said.
 *
 * @param groups by {@code weights}, {@code activations}, {@code cache}
 * @param selected formats of members by name, wherever they are inside; the outermost first
 */
record Precision(Map<String, Encoding> groups, List<Selected> selected) {
    static final Set<String> GROUPS =
            Set.of("weights", "activations", "cache", "compute", "accumulate");

    Precision {
        groups = Map.copyOf(groups);
        selected = List.copyOf(selected);
    }

    /**
     * The format of members that a selector names.
     *
     * @param selector members that follow each other in the path of one: {@code experts}, or {@code
     *     attention.wq}
     */
    record Selected(Selector selector, Encoding encoding, Span span) {
        @Override
        public String toString() {
            return selector + ": " + encoding.word();
        }
    }

    /** The elements of a list of a block that are named apart from others. */
    List<Selector.Elements> elements(String owner, String list) {
        List<Selector.Step> path = Selector.steps(owner);
        return selected.stream()
                .flatMap(s -> s.selector().elementsOf(path, list, true).stream()).toList();
    }

    static Precision none() {
        return new Precision(Map.of(), List.of());
    }

    Precision with(Map<String, Encoding> inner, List<Selected> innerSelected) {
        Map<String, Encoding> all = new HashMap<>(groups);
        all.putAll(inner);
        List<Selected> longer = new ArrayList<>(selected);
        longer.addAll(innerSelected);
        return new Precision(all, longer);
    }

    /**
     * How a parameter is kept; {@code used} hears of each selector that names it. What is said of
     * all weights quantises matrices: vectors, such as scales and biases, are kept in f32 then.
     *
     * @param rank how many axes it has
     */
    Encoding weights(String path, int rank, Consumer<Span> used) {
        return member(path, used, false)
                .or(() -> Optional.ofNullable(groups.get("weights"))
                        .filter(e -> rank > 1 || e.quantisation().isEmpty()))
                .orElse(Encoding.of(Format.F32));
    }

    /**
     * How a state is kept; {@code used} hears of each selector that names it. What is said of a
     * block is about its weights where it quantises: a state is named itself, or all are.
     */
    Encoding cache(String path, Consumer<Span> used) {
        return member(path, used, true)
                .or(() -> Optional.ofNullable(groups.get("cache")))
                .orElse(Encoding.of(Format.F32));
    }

    /** Whether a selector says how the state at a path is kept. */
    boolean namesState(String path) {
        return member(path, span -> { }, true).isPresent();
    }

    /** The format that named values are rounded to, if any. */
    Optional<Format> activations() {
        return Optional.ofNullable(groups.get("activations")).map(Encoding::format)
                .filter(f -> f != f.compute());
    }

    /** How what quantised weights are multiplied with is rounded, if it is. */
    Optional<Quantisation> factors() {
        return Optional.ofNullable(groups.get("activations")).flatMap(Encoding::quantisation);
    }

    /** The innermost name decides, and of selectors for the same name the innermost block's. */
    private Optional<Encoding> member(String path, Consumer<Span> used, boolean isState) {
        List<Selector.Step> steps = Selector.steps(path);
        Optional<Encoding> found = Optional.empty();
        int deepest = -1;
        for (Selected one : selected) {
            int end = one.selector().lastIn(steps);
            boolean isAbout = !isState || end == steps.size()
                    || one.encoding().quantisation().isEmpty();
            if (end < 0 || !isAbout) {
                continue;
            }
            used.accept(one.span());
            if (end >= deepest) {
                deepest = end;
                found = Optional.of(one.encoding());
            }
        }
        return found;
    }
}
