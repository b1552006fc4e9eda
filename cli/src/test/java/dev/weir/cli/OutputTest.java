package dev.weir.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What commands write for a terminal, and in which order. */
class OutputTest {
    private static final Terminal WATCHING = new Terminal(true, true, true);
    private static final String RED_ERROR = "\u001b[1;31merror";
    private static final String PROGRAM = """
            import stdlib.embedding { Embedding, Head }

            model Words<V = 24, D = 8> {
                embed: Embedding<V, D>
                head: Head<V, D>

                forward(input_ids[T]: int) -> logits[T, V] = head(embed(input_ids))
            }
            """;

    @TempDir
    private Path folder;

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();

    /** Both streams end in the same terminal. */
    private Output on(Terminal terminal) {
        PrintStream screen = new PrintStream(written, true, StandardCharsets.UTF_8);
        return new Output(screen, screen, terminal);
    }

    private String screen() {
        return written.toString(StandardCharsets.UTF_8);
    }

    private int weir(Terminal terminal, String... arguments) {
        return Weir.run(InputStream.nullInputStream(), on(terminal), arguments);
    }

    /** The rows that a terminal would show, for the few controls that there are. */
    private static List<String> rows(String text) {
        String shown = text.replaceAll("\u001b\\[\\?7[lh]", "");
        Pattern erased = Pattern.compile("(?m)[^\n]*\r\u001b\\[K");
        return erased.matcher(shown).replaceAll("").lines().toList();
    }

    @Test
    void progressIsGoneBeforeAnythingElseIsWritten() {
        Output output = on(WATCHING);
        output.progress("loading weights 1/2");
        output.progress("loading weights 2/2");
        assertTrue(screen().contains("loading weights 1/2"), screen());
        output.say("warning\n");
        output.progress("computing");
        output.print("text");
        output.end();
        assertEquals(List.of("warning", "text"), rows(screen()));
    }

    @Test
    void progressIsGoneAtTheEnd() {
        Output output = on(WATCHING);
        output.progress("computing");
        output.end();
        assertEquals(List.of(), rows(screen()));
    }

    @Test
    void anInterruptEndsTheLineAndWhatFollowsIsLost() {
        Output output = on(WATCHING);
        output.print("Once upon a");
        output.interrupt();
        output.print(" time");
        output.say("error");
        output.progress("computing");
        output.end();
        assertEquals("Once upon a\n", screen());
    }

    @Test
    void anInterruptAddsNoEmptyLine() {
        Output output = on(WATCHING);
        output.print("Once\n");
        output.progress("computing");
        output.interrupt();
        assertEquals(List.of("Once"), rows(screen()));
        assertFalse(screen().endsWith("\n"), "only the line of progress had to go");
    }

    @Test
    void anInterruptBehindTheEndChangesNothing() {
        Output output = on(WATCHING);
        output.print("a result without an end of line");
        output.end();
        output.interrupt();
        assertEquals("a result without an end of line", screen());
    }

    /** A pipe that is full, and a reader that has gone for coffee. */
    @Test
    void anInterruptDoesNotWaitForAReader() throws Exception {
        CountDownLatch writing = new CountDownLatch(1);
        CountDownLatch reading = new CountDownLatch(1);
        Output output = new Output(new PrintStream(new OutputStream() {
            @Override
            public void write(int piece) throws IOException {
                try {
                    writing.countDown();
                    reading.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }
        }), System.err, Terminal.NONE);
        Thread command = Thread.ofPlatform().daemon().start(() -> output.print("text"));
        try {
            writing.await();
            assertTimeoutPreemptively(Duration.ofMinutes(1), () -> Weir.interrupt(output));
            assertTrue(command.isAlive());
        } finally {
            reading.countDown();
        }
    }

    /** Whether a command writes itself, or picocli does for it. */
    @ParameterizedTest
    @CsvSource({
        "--help, Broken pipe, 141, ''", "completion bash, Broken pipe, 141, ''",
        "--help, disk full, 1, 'error: cannot write to standard output: disk full\n'",
        "completion zsh, disk full, 1, 'error: cannot write to standard output: disk full\n'"
    })
    void aResultThatDoesNotArriveIsNoSuccess(
            String command, String reason, int code, String message) {
        PrintStream gone = new PrintStream(new OutputStream() {
            @Override
            public void write(int piece) {
                throw new LostOutputException(reason);
            }
        });
        PrintStream messages = new PrintStream(written, true, StandardCharsets.UTF_8);
        assertEquals(code, Weir.run(InputStream.nullInputStream(),
                new Output(gone, messages, Terminal.NONE), command.split(" ")));
        assertEquals(message, screen());
    }

    @Test
    void colourIsForTerminalsOnly() throws Exception {
        Path wrong = Files.writeString(folder.resolve("wrong.weir"), "block A<D> {");
        for (Terminal terminal : List.of(WATCHING, Terminal.NONE)) {
            written.reset();
            assertEquals(1, weir(terminal, "check", wrong.toString(), "no/such.weir"));
            assertEquals(terminal.colours(), screen().contains(RED_ERROR + "[E0101]"), screen());
            assertEquals(terminal.colours(), screen().contains(RED_ERROR + "[E0106]"), screen());
            assertEquals(1, weir(terminal, "run", "no/such.weir", "--prompt", "x"));
            assertEquals(terminal.colours(), screen().contains(RED_ERROR + "\u001b[0m: there is"),
                    screen());
            assertEquals(terminal.colours(), screen().contains("\u001b[1;36mhelp"), screen());
            assertEquals(terminal.colours(), screen().contains("\u001b"), screen());
        }
    }

    @Test
    void helpIsColouredWhereItIsSeen() {
        for (Terminal terminal : List.of(WATCHING, new Terminal(true, false, true))) {
            written.reset();
            assertEquals(0, weir(terminal, "--help"));
            assertEquals(terminal.helpColours(), screen().contains("\u001b"), screen());
        }
    }

    /** Loading and measuring are told of, and nothing of it stays. */
    @Test
    void benchSaysHowFarItIs() throws Exception {
        Path program = Files.writeString(folder.resolve("words.weir"), PROGRAM);
        String[] common = {"bench", program.toString(), "--random", "1", "-p", "3", "-n", "0",
            "-r", "1", "--warmup", "0", "-t", "1", "--target", "jvm"};
        assertEquals(0, weir(WATCHING, common), screen());
        for (String said : List.of("compiling " + program, "loading weights 0/2",
                "loading weights 1/2", " kernels\u001b", "preparing weights", "pp3")) {
            assertTrue(screen().contains(said), said + " in " + screen());
        }
        assertEquals(3, rows(screen()).size(), screen());
        assertTrue(rows(screen()).getFirst().startsWith("| model"), screen());
        for (Terminal terminal : List.of(WATCHING, Terminal.NONE)) {
            written.reset();
            String[] json = Stream.concat(Stream.of(common), Stream.of("-o", "json"))
                    .toArray(String[]::new);
            assertEquals(0, weir(terminal, json), screen());
            assertTrue(screen().startsWith("["), screen());
            assertFalse(screen().contains("\u001b"), screen());
        }
    }

    /** What picocli writes comes behind the line of progress too. */
    @Test
    void aWrongOptionIsToldOnALineOfItsOwn() throws Exception {
        Path program = Files.writeString(folder.resolve("words.weir"), PROGRAM);
        assertEquals(2, weir(new Terminal(false, false, true), "bench", program.toString(),
                "--disable", "nosuch"));
        assertTrue(screen().contains("compiling"), screen());
        assertTrue(rows(screen()).getFirst().startsWith("--disable: there is no"), screen());
    }
}
