package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.ir.diagnostic.DiagnosticRenderer;
import dev.weir.ir.diagnostic.Severity;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.CheckpointException;
import dev.weir.runtime.memory.MemoryLimitException;
import java.io.InputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Ansi;

/**
 * The {@code weir} command. Exit codes: 0 all is well, 1 the user's program or data is wrong, 2 the
 * command line is wrong, 3 an error of Weir's own, 130 interrupted, 141 nobody read on.
 */
@Command(
        name = "weir",
        version = "weir 0.1.0",
        description = "Compile and run efficient neural networks.",
        mixinStandardHelpOptions = true,
        subcommands = {
            NewCommand.class, CheckCommand.class, FmtCommand.class, RunCommand.class,
            BenchCommand.class, CompileCommand.class, CostCommand.class,
            CalibrateCommand.class, DiffCommand.class, DumpCommand.class,
            ExplainCommand.class, ExplainErrorCommand.class, CompletionCommand.class
        })
public final class Weir implements Runnable {
    /** The reader of a pipe went away: what a shell says of a process that SIGPIPE ended. */
    private static final int BROKEN_PIPE = 128 + 13;

    /** How long an interrupt may wait for a pipe that nobody reads. */
    private static final Duration PATIENCE = Duration.ofMillis(500);

    private final InputStream in;
    private final Output output;

    /** What was said already: a command that loads a model twice says once what is odd about it. */
    private final Set<String> warnings = new HashSet<>();

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    Weir(InputStream in, Output output) {
        this.in = in;
        this.output = output;
    }

    /**
     * The script that starts Weir asks what Java cannot: {@code weir.terminal} names the terminal
     * behind standard error, {@code weir.terminal.output} says that standard output is one too.
     */
    public static void main(String[] arguments) {
        Optional<String> named = Optional.ofNullable(System.getProperty("weir.terminal"));
        Terminal terminal = Terminal.of(
                Boolean.getBoolean("weir.terminal.output"), named.isPresent(), System.getenv());
        Output output = new Output(
                StandardStreams.results(), StandardStreams.messages(named), terminal);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> interrupt(output)));
        System.exit(run(System.in, output, arguments));
    }

    /** At Ctrl-C: Java itself ends with 130 then. Does nothing behind a command that has ended. */
    static void interrupt(Output output) {
        Thread ending = Thread.ofPlatform().daemon()
                .uncaughtExceptionHandler((thread, nobodyReads) -> { })
                .start(output::interrupt);
        try {
            ending.join(PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Runs one command without input; never throws for what a user can cause. */
    public static int run(PrintStream out, PrintStream err, String... arguments) {
        return run(InputStream.nullInputStream(), out, err, arguments);
    }

    /** Runs one command without a terminal; never throws for what a user can cause. */
    public static int run(
            InputStream in, PrintStream out, PrintStream err, String... arguments) {
        return run(in, new Output(out, err, Terminal.NONE), arguments);
    }

    /** Runs one command; never throws for what a user can cause. */
    static int run(InputStream in, Output output, String... arguments) {
        Weir weir = new Weir(in, output);
        Ansi ansi = output.terminal().helpColours() ? Ansi.ON : Ansi.OFF;
        CommandLine line = new CommandLine(weir)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setColorScheme(Help.defaultColorScheme(ansi))
                .setOut(output.resultWriter())
                .setErr(output.messageWriter())
                .setExecutionExceptionHandler((e, command, parsed) -> weir.failed(e));
        return weir.execute(line, arguments);
    }

    /** Memory that is not there is no exception to picocli. */
    private int execute(CommandLine line, String... arguments) {
        try {
            int code = line.execute(arguments);
            return output.lost().map(this::lost).orElse(code);
        } catch (OutOfMemoryError e) {
            String reason = e.getMessage() == null ? "" : ": " + e.getMessage();
            return user(new UserException("there is not enough memory" + reason
                    + "\nhelp: take a smaller model, or fewer threads, or fewer sequences or "
                    + "tokens at once"));
        } finally {
            output.end();
        }
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getErr());
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
    }

    DiagnosticRenderer renderer() {
        return new DiagnosticRenderer(output.terminal().colours());
    }

    /** All of standard input. */
    String input() {
        return Texts.read(in);
    }

    void print(String text) {
        output.print(text);
    }

    void printJson(JsonNode node) {
        print(node.toPrettyString() + "\n");
    }

    /** Writes what is no result as it is. */
    void say(String text) {
        output.say(text.endsWith("\n") ? text : text + "\n");
    }

    /** Says what is wrong with no place in a program. */
    void error(String text) {
        say(renderer().message(Severity.ERROR, text));
    }

    /** Says what is odd with no place in a program, once. */
    void warning(String text) {
        if (warnings.add(text)) {
            say(renderer().message(Severity.WARNING, text));
        }
    }

    /** Says how far a long command is, if a terminal looks on. */
    void progress(String text) {
        output.progress(text);
    }

    private int failed(Exception e) {
        return switch (e) {
            case WeirException w -> {
                say(renderer().render(w.diagnostics()));
                yield 1;
            }
            case UserException u -> user(u);
            case CheckpointException c -> user(c);
            case Fault f -> user(f);
            case LostOutputException o -> o.readerIsGone() ? BROKEN_PIPE : 1;
            case MemoryLimitException m -> user(new UserException(m.getMessage()
                    + "\nhelp: raise --memory-limit, or take fewer sequences or threads, or fewer "
                    + "tokens at once" + (canChunk() ? " (--chunk)" : "")));
            case Size.Overflow o -> user(new UserException("the model is too large: "
                    + o.getMessage() + "\nhelp: look at the sizes in config.json and in --set"));
            default -> {
                say("internal error: " + e
                        + "\nThis is a fault of Weir, not of your program. Set WEIR_DEBUG=1 for"
                        + " the stack trace.");
                if (System.getenv("WEIR_DEBUG") != null) {
                    e.printStackTrace(output.messageWriter());
                }
                yield 3;
            }
        };
    }

    /** Whether the command takes a prompt piece by piece. */
    private boolean canChunk() {
        CommandLine.ParseResult given = spec.commandLine().getParseResult();
        return given != null && given.hasSubcommand()
                && given.subcommand().commandSpec().findOption("--chunk") != null;
    }

    private int user(Exception e) {
        error(e.getMessage());
        return 1;
    }

    private int lost(LostOutputException e) {
        return e.readerIsGone() ? BROKEN_PIPE : user(
                new UserException("cannot write to standard output: " + e.getMessage()));
    }
}
