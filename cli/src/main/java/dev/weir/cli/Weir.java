package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.ir.diagnostic.DiagnosticRenderer;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.type.Size;
import dev.weir.runtime.checkpoint.CheckpointException;
import dev.weir.runtime.memory.MemoryLimitException;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The {@code weir} command. Exit codes: 0 all is well, 1 the user's program or data is wrong, 2 the
 * command line is wrong, 3 an error of Weir's own.
 */
@Command(
        name = "weir",
        version = "weir 0.1.0",
        description = "Compile and run efficient neural networks.",
        mixinStandardHelpOptions = true,
        subcommands = {
            CheckCommand.class, FmtCommand.class, RunCommand.class, BenchCommand.class,
            DumpCommand.class, ExplainCommand.class, ExplainErrorCommand.class
        })
public final class Weir implements Runnable {
    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    Weir(InputStream in, PrintStream out, PrintStream err) {
        this.in = in;
        this.out = out;
        this.err = err;
    }

    public static void main(String[] arguments) {
        PrintStream out = stream(FileDescriptor.out);
        PrintStream err = stream(FileDescriptor.err);
        System.exit(run(System.in, out, err, arguments));
    }

    private static PrintStream stream(FileDescriptor descriptor) {
        return new PrintStream(new FileOutputStream(descriptor), false, StandardCharsets.UTF_8);
    }

    /** Runs one command without input; never throws for what a user can cause. */
    public static int run(PrintStream out, PrintStream err, String... arguments) {
        return run(InputStream.nullInputStream(), out, err, arguments);
    }

    /** Runs one command; never throws for what a user can cause. */
    public static int run(
            InputStream in, PrintStream out, PrintStream err, String... arguments) {
        Weir weir = new Weir(in, out, err);
        CommandLine line = new CommandLine(weir)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setOut(new java.io.PrintWriter(out, true, StandardCharsets.UTF_8))
                .setErr(new java.io.PrintWriter(err, true, StandardCharsets.UTF_8))
                .setExecutionExceptionHandler((e, command, parsed) -> weir.failed(e));
        int code = weir.execute(line, arguments);
        out.flush();
        err.flush();
        return code;
    }

    /** Memory that is not there is no exception to picocli. */
    private int execute(CommandLine line, String... arguments) {
        try {
            return line.execute(arguments);
        } catch (OutOfMemoryError e) {
            String reason = e.getMessage() == null ? "" : ": " + e.getMessage();
            return user(new UserException("there is not enough memory" + reason
                    + "\nhelp: take a smaller model, or fewer threads, or fewer sequences or "
                    + "tokens at once"));
        }
    }

    @Override
    public void run() {
        spec.commandLine().usage(err);
        throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
    }

    DiagnosticRenderer renderer() {
        boolean colour = System.console() != null && System.getenv("NO_COLOR") == null;
        return new DiagnosticRenderer(colour);
    }

    /** All of standard input. */
    String input() {
        return Texts.read(in);
    }

    void print(String text) {
        out.print(text);
        out.flush();
    }

    void printJson(JsonNode node) {
        print(node.toPrettyString() + "\n");
    }

    void error(String text) {
        err.print(text.endsWith("\n") ? text : text + "\n");
        err.flush();
    }

    /** Says how far a long command is, if a terminal looks on. */
    void progress(String text) {
        Console console = System.console();
        if (console != null && console.isTerminal()) {
            error(text);
        }
    }

    private int failed(Exception e) {
        return switch (e) {
            case WeirException w -> {
                error(renderer().render(w.diagnostics()));
                yield 1;
            }
            case UserException u -> user(u);
            case CheckpointException c -> user(c);
            case Fault f -> user(f);
            case MemoryLimitException m -> user(new UserException(m.getMessage()
                    + "\nhelp: raise --memory-limit, or take fewer sequences or threads, or fewer "
                    + "tokens at once (--chunk)"));
            case Size.Overflow o -> user(new UserException("the model is too large: "
                    + o.getMessage() + "\nhelp: look at the sizes in config.json and in --set"));
            default -> {
                error("internal error: " + e
                        + "\nThis is a fault of Weir, not of your program. Set WEIR_DEBUG=1 for"
                        + " the stack trace.");
                if (System.getenv("WEIR_DEBUG") != null) {
                    e.printStackTrace(err);
                }
                yield 3;
            }
        };
    }

    private int user(Exception e) {
        error("error: " + e.getMessage());
        return 1;
    }
}
