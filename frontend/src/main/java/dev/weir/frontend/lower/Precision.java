package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.Collections;
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
record Precision(Map<String, Format> groups, List<Selected> selected) {
    static final Set<String> GROUPS =
            Set.of("weights", "activations", "cache", "compute", "accumulate");

    Precision {
        groups = Map.copyOf(groups);
        selected = List.copyOf(selected);
    }

    /**
     * The format of members that a selector names.
     *
     * @param names that follow each other in the path of a member: {@code experts}, or {@code
     *     attention.wq}
     */
    record Selected(List<String> names, Format format, Span span) {
        Selected {
            names = List.copyOf(names);
        }

        @Override
        public String toString() {
            return String.join(".", names) + ": " + format.word();
        }
    }

    static Precision none() {
        return new Precision(Map.of(), List.of());
    }

    Precision with(Map<String, Format> inner, List<Selected> innerSelected) {
        Map<String, Format> all = new HashMap<>(groups);
        all.putAll(inner);
        List<Selected> longer = new ArrayList<>(selected);
        longer.addAll(innerSelected);
        return new Precision(all, longer);
    }

    /** The format of a parameter; {@code used} hears of each selector that names it. */
    Format weights(String path, Consumer<Span> used) {
        return member(path, used)
                .or(() -> Optional.ofNullable(groups.get("weights"))).orElse(Format.F32);
    }

    /** The format of a state; {@code used} hears of each selector that names it. */
    Format cache(String path, Consumer<Span> used) {
        return member(path, used)
                .or(() -> Optional.ofNullable(groups.get("cache"))).orElse(Format.F32);
    }

    /** The format that named values are rounded to, if any. */
    Optional<Format> activations() {
        return Optional.ofNullable(groups.get("activations")).filter(f -> f != f.compute());
    }

    /** The innermost name decides, and of selectors for the same name the innermost block's. */
    private Optional<Format> member(String path, Consumer<Span> used) {
        List<String> steps = new ArrayList<>();
        for (String step : path.split("\\.")) {
            String name = step.replaceAll("[\\[{#].*", "");
            if (!name.isEmpty()) {
                steps.add(name);
            }
        }
        Optional<Format> found = Optional.empty();
        int deepest = -1;
        for (Selected one : selected) {
            int at = Collections.lastIndexOfSubList(steps, one.names());
            if (at < 0) {
                continue;
            }
            used.accept(one.span());
            if (at + one.names().size() >= deepest) {
                deepest = at + one.names().size();
                found = Optional.of(one.format());
            }
        }
        return found;
    }
}
