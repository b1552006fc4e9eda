package dev.weir.frontend.lower;

import dev.weir.ir.type.Format;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The formats in force in a block: what {@code precision} said there, over what the blocks around
 * it said.
 *
 * @param formats by selector: {@code weights}, {@code activations}, {@code cache}, or a member
 */
record Precision(Map<String, Format> formats) {
    Precision {
        formats = Map.copyOf(formats);
    }

    static Precision none() {
        return new Precision(Map.of());
    }

    Precision with(Map<String, Format> inner) {
        Map<String, Format> all = new HashMap<>(formats);
        all.putAll(inner);
        return new Precision(all);
    }

    Format weights(String parameter, String path) {
        return member(parameter, path)
                .or(() -> Optional.ofNullable(formats.get("weights"))).orElse(Format.F32);
    }

    Format cache(String state, String path) {
        return member(state, path)
                .or(() -> Optional.ofNullable(formats.get("cache"))).orElse(Format.F32);
    }

    /** The format that named values are rounded to, if any. */
    Optional<Format> activations() {
        return Optional.ofNullable(formats.get("activations")).filter(f -> f != f.compute());
    }

    /** A selector names a member anywhere inside: the innermost name decides. */
    private Optional<Format> member(String name, String path) {
        Format own = formats.get(name);
        if (own != null) {
            return Optional.of(own);
        }
        String[] steps = path.split("\\.");
        for (int i = steps.length - 1; i >= 0; i--) {
            Format format = formats.get(steps[i]);
            if (format != null) {
                return Optional.of(format);
            }
        }
        return Optional.empty();
    }
}
