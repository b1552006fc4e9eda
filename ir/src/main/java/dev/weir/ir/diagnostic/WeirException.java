package dev.weir.ir.diagnostic;

import java.util.List;
import java.util.stream.Collectors;

/**
 * Carries diagnostics out of a phase that cannot go on. It stands for a fault in what the user gave
 * (a program, a checkpoint, an input), never for a fault of the compiler.
 */
public final class WeirException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient List<Diagnostic> diagnostics;

    public WeirException(List<Diagnostic> diagnostics) {
        super(diagnostics.stream()
                .map(d -> d.code() + " " + d.primary().location() + ": " + d.message())
                .collect(Collectors.joining("\n")));
        this.diagnostics = List.copyOf(diagnostics);
    }

    public WeirException(Diagnostic diagnostic) {
        this(List.of(diagnostic));
    }

    public List<Diagnostic> diagnostics() {
        return diagnostics;
    }
}
