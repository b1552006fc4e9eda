package dev.weir.frontend.format;

import static dev.weir.frontend.format.Layout.SPACE;

/** A part of a layout that is still to print; its lines begin at the column {@code indent}. */
record Part(Layout layout, int indent, boolean flat) {

    Part of(Layout content) {
        return new Part(content, indent, flat);
    }

    Part at(int column) {
        return new Part(layout, column, flat);
    }

    Part flattened() {
        return new Part(layout, indent, true);
    }

    /** The same behind a space. */
    Part spaced() {
        return of(Layout.of(SPACE, layout));
    }
}
