package dev.weir.ir.diagnostic;

import java.util.List;

/** Shows diagnostics with the lines that they are about, as plain text or with terminal colours. */
public final class DiagnosticRenderer {
    private static final String RED = "\u001b[1;31m";
    private static final String YELLOW = "\u001b[1;33m";
    private static final String BLUE = "\u001b[1;34m";
    private static final String CYAN = "\u001b[1;36m";
    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[0m";

    /** Lines of a source are shown so far, around the place that a message is about. */
    private static final int WIDEST = 120;
    private static final int BEFORE = 40;
    /** A name that is longer than this is not read by anybody. */
    private static final int LONGEST = 1000;

    private final boolean colour;

    public DiagnosticRenderer(boolean colour) {
        this.colour = colour;
    }

    public String render(List<Diagnostic> diagnostics) {
        StringBuilder text = new StringBuilder();
        for (Diagnostic diagnostic : diagnostics) {
            text.append(text.isEmpty() ? "" : "\n").append(render(diagnostic));
        }
        return text.toString();
    }

    /**
     * <pre>
     * error[E0301]: `d` runs over two axes of different size
     *   --> block.weir:4:21
     *    |
     *  4 |     y[d] = a[d] * b[d]
     *    |                     ^ here over `F`
     *  4 |     y[d] = a[d] * b[d]
     *    |              - here over `D`
     *   sizes: D = 64 from config.json: hidden_size
     *          F = 160 from config.json: intermediate_size
     *   help: use two indices
     * </pre>
     */
    public String render(Diagnostic d) {
        String severity = colour(d.severity());
        StringBuilder text = new StringBuilder();
        text.append(paint(severity, d.severity().word() + "[" + d.code() + "]"))
                .append(paint(BOLD, ": " + cut(d.message()))).append('\n');
        int width = lineNumber(d.primary()).length();
        for (Diagnostic.Related related : d.related()) {
            width = Math.max(width, lineNumber(related.span()).length());
        }
        if (!d.primary().source().text().isEmpty()) {
            text.append(" ".repeat(width)).append(paint(BLUE, "--> "))
                    .append(d.primary().location()).append('\n');
            excerpt(text, d.primary(), d.label(), '^', severity, width);
            for (Diagnostic.Related related : d.related()) {
                boolean elsewhere =
                        !related.span().source().name().equals(d.primary().source().name());
                if (elsewhere && !related.span().source().text().isEmpty()) {
                    text.append(" ".repeat(width)).append(paint(BLUE, "::: "))
                            .append(related.span().location()).append('\n');
                }
                excerpt(text, related.span(), related.label(), '-', BLUE, width);
            }
        }
        for (int i = 0; i < d.sizes().size(); i++) {
            text.append("  ").append(i == 0 ? paint(CYAN, "sizes") + ": " : "       ")
                    .append(d.sizes().get(i)).append('\n');
        }
        d.help().ifPresent(h ->
                text.append("  ").append(paint(CYAN, "help")).append(": ").append(cut(h))
                        .append('\n'));
        return text.toString();
    }

    /**
     * What is about no place in a program; lines of the text that begin with {@code help:} say what
     * to do.
     *
     * <pre>
     * error: there is no file block.weir
     * help: name a file or a folder
     * </pre>
     */
    public String message(Severity severity, String text) {
        return paint(colour(severity), severity.word()) + ": "
                + visible(text).replace("\nhelp:", "\n" + paint(CYAN, "help") + ":") + "\n";
    }

    private static String colour(Severity severity) {
        return switch (severity) {
            case ERROR -> RED;
            case WARNING -> YELLOW;
        };
    }

    private void excerpt(
            StringBuilder text, Span span, String label, char mark, String colourOf, int width) {
        if (span.source().text().isEmpty()) {
            return;
        }
        Source.Position position = span.source().position(span.start());
        String whole = span.source().line(position.line());
        int column = Math.min(position.column() - 1, whole.length());
        int first = whole.length() <= WIDEST ? 0
                : Math.max(0, Math.min(column - BEFORE, whole.length() - WIDEST));
        int last = Math.min(whole.length(), first + WIDEST);
        String line = (first > 0 ? "…" : "") + whole.substring(first, last)
                + (last < whole.length() ? "…" : "");
        int from = column - first + (first > 0 ? 1 : 0);
        int to = Math.min(line.length(), from + Math.max(1, span.end() - span.start()));
        StringBuilder blank = new StringBuilder();
        for (int i = 0; i < from; i++) {
            blank.append(line.charAt(i) == '\t' ? '\t' : ' ');
        }
        String number = lineNumber(span);
        text.append(paint(BLUE, " ".repeat(width - number.length()) + number + " | "))
                .append(visible(line)).append('\n')
                .append(paint(BLUE, " ".repeat(width) + " | ")).append(blank)
                .append(paint(colourOf, String.valueOf(mark).repeat(Math.max(1, to - from))
                        + (label.isEmpty() ? "" : " " + cut(label))))
                .append('\n');
    }

    private static String cut(String text) {
        String cut = text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
        return visible(cut);
    }

    /**
     * What a file says may not write to the terminal: signs that move the cursor or change colours
     * are shown by their pictures. Lines and tabs stay.
     */
    private static String visible(String text) {
        StringBuilder shown = new StringBuilder();
        text.chars().forEach(c -> {
            boolean controls = c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0;
            shown.append(!controls ? (char) c : c < ' ' ? (char) ('\u2400' + c) : '\u2421');
        });
        return shown.toString();
    }

    private static String lineNumber(Span span) {
        return Integer.toString(span.source().position(span.start()).line());
    }

    private String paint(String code, String text) {
        return colour ? code + text + PLAIN : text;
    }
}
