package dev.weir.frontend.format;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/** Looks along a line without writing it, up to where it may end. */
final class Lookahead {
    /** What a look at one part tells. */
    private enum Answer { FITS, DOES_NOT_FIT, OPEN }

    private final Deque<Part> ahead;
    private int room;
    private boolean behindComment;

    private Lookahead(Part part, int column) {
        ahead = new ArrayDeque<>(List.of(part));
        room = Lines.WIDTH - column;
    }

    /** Whether a part fits from a column on, with what of the rest has to be on its line. */
    static boolean fits(Part part, int column, Iterable<Part> rest) {
        return new Lookahead(part, column).fits(rest.iterator());
    }

    private boolean fits(Iterator<Part> rest) {
        Answer answer = Answer.OPEN;
        while (answer == Answer.OPEN && room >= 0 && (!ahead.isEmpty() || rest.hasNext())) {
            answer = look(ahead.isEmpty() ? rest.next() : ahead.pop());
        }
        return answer != Answer.DOES_NOT_FIT && room >= 0;
    }

    private Answer look(Part part) {
        return switch (part.layout()) {
            case Layout.Text l -> write(l.text(), part.flat());
            case Layout.Break l -> part.flat() ? write(l.flat(), true) : Answer.FITS;
            case Layout.Filled l -> open(part.of(l.spread()));
            case Layout.Next l -> part.flat() ? open(part.of(l.content()).spaced()) : Answer.FITS;
            case Layout.Hanging l ->
                    part.flat() ? open(part.of(l.content()).spaced()) : Answer.FITS;
            case Layout.NewLine _, Layout.OwnLine _ -> lineEnds(part.flat());
            case Layout.Trailing _ -> {
                behindComment = true;
                yield Answer.OPEN;
            }
            case Layout.Sequence l -> {
                l.parts().reversed().forEach(p -> ahead.push(part.of(p)));
                yield Answer.OPEN;
            }
            case Layout.Indent l -> open(part.of(l.content()));
            case Layout.Anchor l -> open(part.of(l.content()));
            case Layout.Group l -> open(part.of(l.content()));
        };
    }

    private Answer open(Part content) {
        ahead.push(content);
        return Answer.OPEN;
    }

    private Answer write(String text, boolean flat) {
        if (behindComment && !text.isBlank()) {
            return lineEnds(flat);
        }
        room -= Lines.width(text);
        return Answer.OPEN;
    }

    private static Answer lineEnds(boolean flat) {
        return flat ? Answer.DOES_NOT_FIT : Answer.FITS;
    }
}
