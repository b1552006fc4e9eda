package dev.weir.cli;

import java.util.Map;

/**
 * What the terminal that looks on is shown beside plain text; nothing where none does.
 *
 * @param colours whether messages are coloured
 * @param helpColours whether the help, which is a result and may go to a file, is coloured
 * @param progress whether a line says how far a long command is
 */
record Terminal(boolean colours, boolean helpColours, boolean progress) {
    /** Text goes to a file, a pipe or a test. */
    static final Terminal NONE = new Terminal(false, false, false);

    /**
     * What users asked for: {@code NO_COLOR} (no-color.org) and {@code NO_PROGRESS} count if they
     * are not empty, and a {@code TERM} that is {@code dumb} cannot do either.
     *
     * @param results whether standard output is a terminal
     * @param messages whether standard error is one
     */
    static Terminal of(boolean results, boolean messages, Map<String, String> environment) {
        boolean able = messages && !environment.getOrDefault("TERM", "").equals("dumb");
        boolean colours = able && environment.getOrDefault("NO_COLOR", "").isEmpty();
        return new Terminal(colours, colours && results,
                able && environment.getOrDefault("NO_PROGRESS", "").isEmpty());
    }
}
