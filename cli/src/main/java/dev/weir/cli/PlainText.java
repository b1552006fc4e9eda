package dev.weir.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Markdown for a terminal: paragraphs are wrapped, blocks of code indented. Everything else is
 * readable as it is.
 */
final class PlainText {
    private static final int WIDTH = 80;
    private static final String FENCE = "```";

    private final StringBuilder out = new StringBuilder();
    private final List<String> words = new ArrayList<>();
    private boolean inCode;

    private PlainText() {}

    static String of(String markdown) {
        PlainText text = new PlainText();
        markdown.lines().forEach(text::line);
        text.endParagraph();
        return text.out.toString();
    }

    private void line(String line) {
        if (line.startsWith(FENCE)) {
            endParagraph();
            inCode = !inCode;
        } else if (inCode) {
            out.append(("    " + line).stripTrailing()).append('\n');
        } else if (line.isBlank()) {
            endParagraph();
            out.append('\n');
        } else {
            words.addAll(List.of(line.strip().split("\\s+")));
        }
    }

    private void endParagraph() {
        int column = 0;
        for (String word : words) {
            boolean fits = column + 1 + word.length() <= WIDTH;
            out.append(column == 0 ? "" : fits ? " " : "\n").append(word);
            column = column > 0 && fits ? column + 1 + word.length() : word.length();
        }
        out.append(words.isEmpty() ? "" : "\n");
        words.clear();
    }
}
