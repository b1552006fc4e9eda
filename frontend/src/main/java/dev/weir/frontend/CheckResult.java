package dev.weir.frontend;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Severity;
import java.util.List;

/** What a check found, in the order of the source. */
public record CheckResult(List<Diagnostic> diagnostics) {
    public CheckResult {
        diagnostics = List.copyOf(diagnostics);
    }

    public boolean hasErrors() {
        return diagnostics.stream().anyMatch(d -> d.severity() == Severity.ERROR);
    }
}
