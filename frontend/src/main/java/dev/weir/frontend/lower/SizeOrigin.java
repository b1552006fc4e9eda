package dev.weir.frontend.lower;

import dev.weir.ir.diagnostic.Diagnostic.NamedSize;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Where a size has its value from, to be read behind {@code F = 160}.
 *
 * @param text such as {@code from config.json: intermediate_size}
 * @param parts the sizes that it is computed from
 */
record SizeOrigin(String text, List<NamedSize> parts) {
    SizeOrigin {
        parts = List.copyOf(parts);
    }

    SizeOrigin(String text) {
        this(text, List.of());
    }

    /** The whole story in one line. */
    String whole() {
        return with(parts);
    }

    /** The text with some of the sizes. */
    String with(List<NamedSize> some) {
        return text + some.stream().map(s -> ", " + s).collect(Collectors.joining());
    }
}
