package dev.weir.frontend.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A text with the places at which its lines may end (after Wadler 2003, "A prettier printer").
 * Whatever is laid out is either flat, on one line, or broken.
 */
sealed interface Layout {

    /** A piece of a line. */
    record Text(String text) implements Layout {}

    /** Ends the line if broken, and is this text if flat. */
    record Break(String flat) implements Layout {}

    /** Ends the line, and leaves a blank one if asked. What holds it is never flat. */
    record NewLine(boolean blank) implements Layout {}

    /** A comment on a line of its own, with a blank one before if asked and not at a beginning. */
    record OwnLine(String comment, boolean blank) implements Layout {}

    /** A comment that ends the line. */
    record Trailing(String comment) implements Layout {}

    record Sequence(List<Layout> parts) implements Layout {
        public Sequence {
            parts = List.copyOf(parts);
        }
    }

    /** Its lines are indented by one more level than those around it. */
    record Indent(Layout content) implements Layout {}

    /** Its lines are indented like the one that it begins on. */
    record Anchor(Layout content) implements Layout {}

    /** Flat if that fits. */
    record Group(Layout content) implements Layout {}

    /** Behind a space if that fits, otherwise on the next line. */
    record Next(Layout content) implements Layout {}

    /** Items with spaces or line ends between them, on as few lines as they need. */
    record Filled(List<Layout> items) implements Layout {
        public Filled {
            items = List.copyOf(items);
        }

        Layout spread() {
            List<Layout> parts = new ArrayList<>(List.of(new Group(items.getFirst())));
            items.stream().skip(1).map(Next::new).forEach(parts::add);
            return new Sequence(parts);
        }
    }

    /**
     * Behind a space if that fits; otherwise indented on the next line if that fits; otherwise
     * broken, where its first item fits.
     */
    record Hanging(Layout content) implements Layout {
        Optional<Layout> firstItem() {
            return firstItem(content);
        }

        private static Optional<Layout> firstItem(Layout layout) {
            return switch (layout) {
                case Anchor l -> firstItem(l.content());
                case Indent l -> firstItem(l.content());
                case Filled l -> Optional.of(l.items().getFirst());
                default -> Optional.empty();
            };
        }
    }

    Layout SPACE = new Text(" ");

    static Layout of(Layout... parts) {
        return new Sequence(List.of(parts));
    }

    static Layout text(String text) {
        return new Text(text);
    }
}
