package dev.weir.frontend.format;

import dev.weir.frontend.parse.Parser;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import java.util.Optional;
import java.util.function.Consumer;

/** Writes programs in the one style. Only space between tokens changes; comments stay. */
public final class Formatter {
    private Formatter() {}

    /** The formatted text; nothing if the source does not follow the grammar. */
    public static Optional<String> format(Source source, Consumer<Diagnostic> diagnostics) {
        return Parser.concrete(source, diagnostics)
                .map(TreeLayout::module)
                .map(LayoutPrinter::print);
    }
}
