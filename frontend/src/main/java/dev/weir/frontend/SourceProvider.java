package dev.weir.frontend;

import dev.weir.ir.diagnostic.Source;
import java.util.Optional;

/**
 * Finds the text of an imported module. The frontend itself opens no files.
 *
 * <p>{@code import stdlib.normalisation { … }} asks for {@code stdlib.normalisation}; the standard
 * library's modules all begin with {@code stdlib.}.
 */
@FunctionalInterface
public interface SourceProvider {
    Optional<Source> find(String modulePath);

    static SourceProvider none() {
        return path -> Optional.empty();
    }
}
