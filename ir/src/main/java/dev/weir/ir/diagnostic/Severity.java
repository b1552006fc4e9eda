package dev.weir.ir.diagnostic;

/** How bad a diagnostic is: an error stops the compilation behind the phase that found it. */
public enum Severity {
    ERROR,
    WARNING;

    public String word() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
