package dev.weir.cli;

/** Text in a page of HTML that is XML as well: whatever it holds is shown and means nothing. */
final class Markup {
    private Markup() {}

    /** The text for between tags and for attributes in double quotes. */
    static String text(String plain) {
        StringBuilder safe = new StringBuilder(plain.length() + 16);
        plain.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                case '\n', '\t' -> safe.appendCodePoint(c);
                default -> {
                    if (isShown(c)) {
                        safe.appendCodePoint(c);
                    } else {
                        safe.append(String.format("\\u%04X", c));
                    }
                }
            }
        });
        return safe.toString();
    }

    /** Not what XML refuses, nor what turns the direction of writing round. */
    private static boolean isShown(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL, Character.FORMAT, Character.SURROGATE,
                    Character.UNASSIGNED, Character.PRIVATE_USE,
                    Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> false;
            default -> true;
        };
    }
}
