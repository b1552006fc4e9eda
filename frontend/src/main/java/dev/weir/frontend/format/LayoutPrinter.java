package dev.weir.frontend.format;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** Chooses where the lines of a layout end: outermost first, and no more than needed. */
final class LayoutPrinter {
    private static final int LEVEL = 4;

    private final Lines lines = new Lines();
    private final Deque<Part> rest = new ArrayDeque<>();

    private LayoutPrinter() {}

    static String print(Layout layout) {
        LayoutPrinter printer = new LayoutPrinter();
        printer.rest.push(new Part(layout, 0, false));
        while (!printer.rest.isEmpty()) {
            printer.step(printer.rest.pop());
        }
        return printer.lines.text();
    }

    private void step(Part part) {
        switch (part.layout()) {
            case Layout.Text l -> write(l.text(), part.indent());
            case Layout.Break l when part.flat() -> write(l.flat(), part.indent());
            case Layout.Break _ -> lines.end(part.indent(), false);
            case Layout.NewLine l -> lines.end(part.indent(), l.blank());
            case Layout.OwnLine l -> ownLine(l, part.indent());
            case Layout.Trailing l -> lines.trailing(l.comment());
            case Layout.Sequence l -> l.parts().reversed().forEach(p -> rest.push(part.of(p)));
            case Layout.Indent l -> rest.push(part.of(l.content()).at(part.indent() + LEVEL));
            case Layout.Anchor l -> rest.push(part.of(l.content()).at(lines.indent()));
            case Layout.Group l -> group(part.of(l.content()));
            case Layout.Filled l -> rest.push(part.of(l.spread()));
            case Layout.Next l -> next(part.of(l.content()));
            case Layout.Hanging l -> hanging(part.of(l.content()), l.firstItem());
        }
    }

    private void write(String text, int indent) {
        if (lines.isFull() && !text.isBlank()) {
            lines.end(indent, false);
        }
        lines.write(text);
    }

    private void ownLine(Layout.OwnLine comment, int indent) {
        if (!lines.isAtStart()) {
            lines.end(indent, comment.blank());
        }
        lines.own(comment.comment());
    }

    private void group(Part part) {
        rest.push(fits(part.flattened()) ? part.flattened() : part);
    }

    private void next(Part part) {
        Part spaced = part.spaced();
        if (part.flat() || fits(spaced.flattened())) {
            rest.push(spaced.flattened());
        } else {
            lines.end(part.indent(), false);
            group(part);
        }
    }

    private void hanging(Part part, Optional<Layout> first) {
        Part here = part.spaced();
        Part below = part.at(part.indent() + LEVEL);
        if (part.flat() || fits(here.flattened())) {
            rest.push(here.flattened());
        } else if (fits(below.flattened(), below.indent()) || !fits(here)
                || first.isPresent() && fitsBelowOnly(part.of(first.get()).flattened())) {
            lines.end(below.indent(), false);
            group(below);
        } else {
            rest.push(here);
        }
    }

    private boolean fitsBelowOnly(Part first) {
        return !Lookahead.fits(first.spaced(), lines.column(), List.of())
                && Lookahead.fits(first, first.indent() + LEVEL, List.of());
    }

    private boolean fits(Part part) {
        return fits(part, lines.column());
    }

    private boolean fits(Part part, int column) {
        return Lookahead.fits(part, column, rest);
    }
}
