package dev.weir.cli;

import java.util.List;

/**
 * A column of the page of a model: the model at one stage of the compiler.
 *
 * @param name as {@code --stage} takes it
 * @param note what the stage is, in a sentence
 * @param parts from top to bottom
 * @param changed whether it differs from the stage before it
 */
record Stage(String name, String note, List<Part> parts, boolean changed) {

    /** A piece of a column. */
    sealed interface Part {
        /** A heading between lines. */
        record Heading(String text) implements Part {}

        /**
         * A line.
         *
         * @param number of the line in its file; 0 where that says nothing
         * @param origins the places of the source that it comes from, see {@link Origins}
         * @param mark whether it is new here, or gone in the next stage
         */
        record Line(String text, int number, List<Integer> origins, Mark mark) implements Part {}

        /**
         * Text that is shown on request.
         *
         * @param title what it is about
         * @param form how it is made, in a word or two
         * @param facts what is to know of it, a sentence each
         */
        record Folded(
                String title, String form, List<String> facts, String text, List<Integer> origins)
                implements Part {}
    }

    /** What happened to a line between neighbouring stages. */
    enum Mark {
        NONE,
        /** Not in the stage before. */
        NEW,
        /** Not in the stage behind. */
        GONE,
        /** Both. */
        PASSING
    }

    Stage {
        parts = List.copyOf(parts);
    }
}
