package dev.weir.frontend;

import dev.weir.ir.diagnostic.Diagnostic;
import java.util.List;
import java.util.Optional;

/**
 * A source in the one style.
 *
 * @param text the whole text; nothing if there are errors
 * @param diagnostics what kept the source from being formatted, in its order
 */
public record FormatResult(Optional<String> text, List<Diagnostic> diagnostics) {
    public FormatResult {
        diagnostics = List.copyOf(diagnostics);
    }
}
