package dev.weir.frontend.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The lines that were written so far; trailing comments of neighbouring lines are aligned. */
final class Lines {
    static final int WIDTH = 100;

    /** How far a trailing comment is at least from what it comments on. */
    private static final int GAP = 2;

    private static final class Line {
        private final int indent;
        private final StringBuilder text = new StringBuilder();
        private Optional<String> comment = Optional.empty();
        private boolean isFull;

        Line(int indent) {
            this.indent = indent;
        }

        int width() {
            return indent + Lines.width(text.toString().stripTrailing());
        }

        String text() {
            return text.isEmpty() ? "" : " ".repeat(indent) + text.toString().stripTrailing();
        }

        boolean isBeside(Line other) {
            return comment.isPresent() && other.comment.isPresent() && indent == other.indent;
        }

        int commentedWidth(int column) {
            return column + Lines.width(comment.orElse(""));
        }
    }

    private final List<Line> lines = new ArrayList<>(List.of(new Line(0)));

    /** In characters as a reader counts them. */
    static int width(String text) {
        return text.codePointCount(0, text.length());
    }

    /** Adds to the line; spaces at its start are left out. */
    void write(String text) {
        last().text.append(isAtStart() ? text.stripLeading() : text);
    }

    /** A comment behind what is on the line; nothing else may follow. */
    void trailing(String comment) {
        last().comment = Optional.of(comment);
        last().isFull = true;
    }

    /** A comment on a line with nothing else. */
    void own(String comment) {
        last().text.append(comment);
        last().isFull = true;
    }

    /** Begins the next line, after a blank one if asked; it is indented by so many spaces. */
    void end(int indent, boolean blank) {
        if (blank) {
            lines.add(new Line(0));
        }
        lines.add(new Line(indent));
    }

    boolean isAtStart() {
        return last().text.isEmpty();
    }

    /** Whether a comment ended the line. */
    boolean isFull() {
        return last().isFull;
    }

    int column() {
        return last().indent + width(last().text.toString());
    }

    int indent() {
        return last().indent;
    }

    private Line last() {
        return lines.getLast();
    }

    /** Everything, without blank lines at either end. */
    String text() {
        StringBuilder out = new StringBuilder();
        for (int start = 0; start < lines.size(); ) {
            int end = start + 1;
            while (end < lines.size() && lines.get(end).isBeside(lines.get(start))) {
                end++;
            }
            write(lines.subList(start, end), out);
            start = end;
        }
        String text = out.toString().strip();
        return text.isEmpty() ? "" : text + "\n";
    }

    private static void write(List<Line> lines, StringBuilder out) {
        int column = lines.stream().mapToInt(Line::width).max().orElse(0) + GAP;
        boolean fits = lines.stream().allMatch(l -> l.commentedWidth(column) <= WIDTH);
        for (Line line : lines) {
            int gap = fits ? column - line.width() : GAP;
            out.append(line.text())
                    .append(line.comment.map(c -> " ".repeat(gap) + c).orElse(""))
                    .append('\n');
        }
    }
}
