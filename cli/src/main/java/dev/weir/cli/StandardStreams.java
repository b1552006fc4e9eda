package dev.weir.cli;

import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** The streams of this process, in UTF-8 whatever the locale. */
final class StandardStreams {
    private StandardStreams() {}

    /** Standard output; throws a {@link LostOutputException} if nobody takes what is written. */
    static PrintStream results() {
        return text(new Loud(new FileOutputStream(FileDescriptor.out)));
    }

    /**
     * Standard error. Whether it is a terminal, Java cannot ask; whoever starts it can, and names
     * the terminal.
     *
     * @param terminal a file that is the terminal behind standard error, if there is one
     */
    static PrintStream messages(Optional<String> terminal) {
        try {
            if (terminal.isPresent()) {
                return text(new FileOutputStream(terminal.get(), true));
            }
        } catch (FileNotFoundException e) {
            // It belongs to somebody else, say behind `su`: the plain way is always there.
        }
        return text(new FileOutputStream(FileDescriptor.err));
    }

    private static PrintStream text(OutputStream stream) {
        return new PrintStream(stream, false, StandardCharsets.UTF_8);
    }

    /** A {@code PrintStream} keeps silent about an {@code IOException}, but not about this one. */
    private static final class Loud extends OutputStream {
        private final OutputStream stream;

        Loud(OutputStream stream) {
            this.stream = stream;
        }

        @Override
        public void write(int piece) {
            write(new byte[] {(byte) piece}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int start, int count) {
            try {
                stream.write(bytes, start, count);
            } catch (IOException e) {
                throw new LostOutputException(String.valueOf(e.getMessage()));
            }
        }
    }
}
