package dev.weir.frontend.parse;

import java.util.List;
import java.util.Optional;

/**
 * A text as the grammar divides it, with every token and every comment. Rules that only choose or
 * only list are left out: a part stands where its alternative does, list items stand between the
 * brackets around them.
 */
public sealed interface ConcreteTree {

    /** The token that the text of this tree begins with. */
    Word first();

    /**
     * What one rule of the grammar covers.
     *
     * @param rule the rule's name in the grammar
     * @param parts at least one
     */
    record Node(String rule, List<ConcreteTree> parts) implements ConcreteTree {
        public Node {
            parts = List.copyOf(parts);
        }

        @Override
        public Word first() {
            return parts.getFirst().first();
        }
    }

    /**
     * A token. The end of the file is an empty one.
     *
     * @param text as it was written
     * @param before the comments on lines of their own between the token before and this one
     * @param afterBlank whether a blank line separates it from the token or comment before
     * @param trailing the comment behind it on its line
     */
    record Word(String text, List<Comment> before, boolean afterBlank, Optional<Comment> trailing)
            implements ConcreteTree {
        public Word {
            before = List.copyOf(before);
        }

        @Override
        public Word first() {
            return this;
        }

        public boolean is(String expected) {
            return text.equals(expected);
        }

        /** Whether a blank line comes before it and its comments. */
        public boolean beginsAfterBlank() {
            return before.isEmpty() ? afterBlank : before.getFirst().afterBlank();
        }

        /** The same token without the comments before it. */
        public Word bare() {
            return new Word(text, List.of(), false, trailing);
        }
    }

    /**
     * A comment with its slashes.
     *
     * @param afterBlank whether a blank line separates it from the token or comment before
     */
    record Comment(String text, boolean afterBlank) {}
}
