package dev.weir.cli;

import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.Writer;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * All that a command writes: results to standard output, everything else to standard error, and on
 * a terminal one line of progress, which is gone before anything else appears.
 *
 * <pre>
 *   loading weights 12/36█                 progress("loading weights 12/36")
 *   Once upon a time█                      print("Once upon a time")
 * </pre>
 */
final class Output {
    /** To the first column, and nothing from there on (ECMA-48: CR, EL). */
    private static final String ERASE = "\r\u001b[K";

    /** A line that is too long is cut by the terminal: two rows could not be erased (DECAWM). */
    private static final String CUT = "\u001b[?7l";
    private static final String WRAP = "\u001b[?7h";

    private final PrintStream results;
    private final PrintStream messages;
    private final Terminal terminal;
    private boolean progressIsShown;
    private boolean lineIsOpen;
    private boolean closed;
    private Optional<LostOutputException> lost = Optional.empty();

    Output(PrintStream results, PrintStream messages, Terminal terminal) {
        this.results = results;
        this.messages = messages;
        this.terminal = terminal;
    }

    Terminal terminal() {
        return terminal;
    }

    /** Writes a piece of the result. */
    synchronized void print(String text) {
        if (!closed && !text.isEmpty()) {
            erase();
            try {
                results.print(text);
                results.flush();
            } catch (LostOutputException e) {
                lost = Optional.of(e);
                throw e;
            }
            lineIsOpen = !text.endsWith("\n");
        }
    }

    /** Why a result did not arrive; empty as long as all did. */
    synchronized Optional<LostOutputException> lost() {
        return lost;
    }

    /** Writes a message as it is. */
    synchronized void say(String text) {
        if (!closed && !text.isEmpty()) {
            erase();
            messages.print(text);
            messages.flush();
        }
    }

    /** Says how far a long command is; what it said before goes away. */
    synchronized void progress(String text) {
        if (!closed && terminal.progress()) {
            messages.print(ERASE + CUT + text + WRAP);
            messages.flush();
            progressIsShown = true;
        }
    }

    private void erase() {
        if (progressIsShown) {
            progressIsShown = false;
            messages.print(ERASE);
            messages.flush();
        }
    }

    /** The command has ended of itself, with whatever it wrote last. */
    synchronized void end() {
        erase();
        closed = true;
    }

    /**
     * Ends the line in which an interrupt found the result, and lets nothing more through: what the
     * command would still write came behind the prompt of the shell.
     */
    synchronized void interrupt() {
        if (!closed) {
            closed = true;
            erase();
            if (lineIsOpen) {
                results.print("\n");
                results.flush();
            }
        }
    }

    /** Results, for whoever needs a writer, which does not fail: see {@link #lost()}. */
    PrintWriter resultWriter() {
        return new PrintWriter(new Lines(text -> {
            try {
                print(text);
            } catch (LostOutputException e) {
                // It is kept, and said at the end: writers of this kind throw nothing.
            }
        }), true);
    }

    /** Messages, for whoever needs a writer. */
    PrintWriter messageWriter() {
        return new PrintWriter(new Lines(this::say), true);
    }

    /** Hands on what was written when it is flushed. */
    private static final class Lines extends Writer {
        private final Consumer<String> taker;
        private final StringBuilder text = new StringBuilder();

        Lines(Consumer<String> taker) {
            this.taker = taker;
        }

        @Override
        public void write(char[] characters, int start, int count) {
            text.append(characters, start, count);
        }

        @Override
        public void flush() {
            String whole = text.toString();
            text.setLength(0);
            taker.accept(whole);
        }

        @Override
        public void close() {
            flush();
        }
    }
}
