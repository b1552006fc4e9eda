package dev.weir.ir.diagnostic;

import java.util.ArrayList;
import java.util.List;

/**
 * A text that a user wrote, with its name as the user knows it and the offsets at which its lines
 * start.
 *
 * @param name a path or a label such as {@code <stdin>}
 * @param text the whole text
 */
public record Source(String name, String text) {

    /** The 1-based line and column of an offset in UTF-16 units. */
    public record Position(int line, int column) {}

    public Position position(int offset) {
        int line = 1;
        int lineStart = 0;
        int end = Math.min(offset, text.length());
        for (int i = 0; i < end; i++) {
            if (text.charAt(i) == '\n') {
                line++;
                lineStart = i + 1;
            }
        }
        return new Position(line, end - lineStart + 1);
    }

    /** The text of a 1-based line, without its line break. */
    public String line(int number) {
        List<String> lines = new ArrayList<>(text.lines().toList());
        return number >= 1 && number <= lines.size() ? lines.get(number - 1) : "";
    }
}
