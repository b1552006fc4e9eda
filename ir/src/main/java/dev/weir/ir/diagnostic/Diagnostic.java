package dev.weir.ir.diagnostic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One message to the user: what was expected, what was found, where both came from, what to do.
 *
 * @param code stable identifier, {@code E0301} or {@code W0102}; its page is {@code docs/errors/}
 * @param severity error or warning
 * @param message one sentence in the user's own names
 * @param primary the place that is wrong
 * @param label what is the matter at the primary place; may be empty
 * @param related the other places that take part, each with its label
 * @param sizes the sizes that the message names, where their values are known
 * @param help what to do, where it is known
 */
public record Diagnostic(
        String code,
        Severity severity,
        String message,
        Span primary,
        String label,
        List<Related> related,
        List<NamedSize> sizes,
        Optional<String> help) {

    /** A second place, and what it has to do with the first. */
    public record Related(Span span, String label) {}

    /**
     * What a size stands for.
     *
     * @param name in the user's program
     * @param origin where the value is from, {@code from config.json: hidden_size}
     */
    public record NamedSize(String name, long value, String origin) {
        @Override
        public String toString() {
            return name + " = " + value + " " + origin;
        }
    }

    public Diagnostic {
        related = List.copyOf(related);
        sizes = List.copyOf(sizes);
    }

    public static Diagnostic error(String code, Span primary, String message) {
        return new Diagnostic(
                code, Severity.ERROR, message, primary, "", List.of(), List.of(),
                Optional.empty());
    }

    public static Diagnostic warning(String code, Span primary, String message) {
        return new Diagnostic(
                code, Severity.WARNING, message, primary, "", List.of(), List.of(),
                Optional.empty());
    }

    public Diagnostic labelled(String text) {
        return new Diagnostic(code, severity, message, primary, text, related, sizes, help);
    }

    public Diagnostic with(Span span, String text) {
        List<Related> longer = new ArrayList<>(related);
        longer.add(new Related(span, text));
        return new Diagnostic(code, severity, message, primary, label, longer, sizes, help);
    }

    public Diagnostic helped(String text) {
        return new Diagnostic(
                code, severity, message, primary, label, related, sizes, Optional.of(text));
    }

    /** The same with what the sizes stand for that it names. */
    public Diagnostic withSizes(List<NamedSize> found) {
        return new Diagnostic(code, severity, message, primary, label, related, found, help);
    }
}
