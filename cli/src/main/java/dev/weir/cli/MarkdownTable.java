package dev.weir.cli;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A table in Markdown whose columns are also straight in a terminal. */
final class MarkdownTable {
    private MarkdownTable() {}

    /**
     * @param isRight whether its cells end at the same place, instead of beginning there
     * @param text what it shows of a row
     */
    record Column<R>(String title, boolean isRight, Function<R, String> text) {

        private int width(List<R> rows) {
            return Stream.concat(Stream.of(title), rows.stream().map(text))
                    .mapToInt(String::length).max().orElseThrow();
        }

        private String padded(String cell, int width) {
            String space = " ".repeat(width - cell.length());
            return isRight ? space + cell : cell + space;
        }

        /** Title, rule and cells. */
        private List<String> cells(List<R> rows) {
            int width = width(rows);
            String rule = isRight ? "-".repeat(width - 1) + ":" : "-".repeat(width);
            return Stream.concat(
                    Stream.of(padded(title, width), rule),
                    rows.stream().map(row -> padded(text.apply(row), width))).toList();
        }
    }

    static <R> Column<R> left(String title, Function<R, String> text) {
        return new Column<>(title, false, text);
    }

    static <R> Column<R> right(String title, Function<R, String> text) {
        return new Column<>(title, true, text);
    }

    static <R> String of(List<Column<R>> columns, List<R> rows) {
        List<List<String>> cells = columns.stream().map(c -> c.cells(rows)).toList();
        StringBuilder table = new StringBuilder();
        for (int line = 0; line < rows.size() + 2; line++) {
            int at = line;
            table.append(cells.stream().map(column -> column.get(at))
                    .collect(Collectors.joining(" | ", "| ", " |\n")));
        }
        return table.toString();
    }
}
