package dev.weir.testkit.fuzz;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.Frontend;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import dev.weir.ir.type.Size;
import dev.weir.testkit.TestModel;
import dev.weir.testkit.random.Trial;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * A file that fails, made smaller: a source or a dumped tensor program, of which an exception, no
 * end, an unsound program or different results come. What is smaller has to fail in the same way;
 * diagnostics are no failure.
 */
final class Reduction implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final boolean isDump;
    private final String configuration;
    private final SourceProvider library = TestModel.library();
    private final Trial trial = Trial.uncounted();
    private final Candidate candidate = new Candidate();
    private Watchdog watchdog = new Watchdog(candidate, PATIENCE);
    private int trials;

    /** The text that is tried next. */
    private final class Candidate implements Subject {
        private String text = "";

        @Override
        public Optional<Failure> attempt(long number) {
            run(text);
            return Optional.empty();
        }

        @Override
        public String describe(long number) {
            return text;
        }
    }

    /**
     * @param isDump whether texts are tensor programs, and not sources
     * @param configuration config.json of a source
     */
    Reduction(boolean isDump, String configuration) {
        this.isDump = isDump;
        this.configuration = configuration;
    }

    /** How a text fails, if it does. */
    Optional<String> kind(String text) {
        return failure(text).map(f -> f.kind() + ", " + f.report().split("[,\n]", 2)[0]);
    }

    private Optional<Failure> failure(String text) {
        trials++;
        candidate.text = text;
        try {
            Optional<Failure> failure = watchdog.attempt(trials);
            if (watchdog.isAbandoned()) {
                watchdog = new Watchdog(candidate, PATIENCE);
            }
            return failure;
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
    }

    /** Runs a text in all ways; an error that escapes is a failure. */
    private void run(String text) {
        TensorProgram program;
        try {
            program = isDump
                    ? Parser.parse(new Source("reduced.tensor", text))
                    : lowered(new Source("reduced.weir", text));
        } catch (WeirException refused) {
            return;
        }
        boolean isSound = Verifier.verify(program).isEmpty();
        if (isDump && (!isSound || program.isLifted())) {
            return;
        }
        if (!isSound) {
            throw new IllegalStateException("the lowered program is not sound");
        }
        try {
            if (program.stream().isPresent()) {
                trial.compare(program);
            } else {
                Compiler.schedule(Compiler.optimise(program), trial.target());
            }
        } catch (WeirException | Size.Overflow refused) {
            // A message to the user.
        }
    }

    private TensorProgram lowered(Source source) {
        Frontend.format(source);
        Frontend.check(source, library);
        return Frontend.lower(
                source, library, LowerOptions.of(Configuration.parse(configuration)));
    }

    /** Prints the smallest text that fails as this one does; whether it fails at all. */
    boolean print(String text, BooleanSupplier isOver, PrintStream out) {
        Optional<String> kind = kind(text);
        if (kind.isEmpty()) {
            out.println("nothing is wrong with it");
            return false;
        }
        String smallest = text;
        String before;
        do {
            // Set in lines again, it can lose lines that nothing needs any more.
            before = smallest;
            String reduced = Reducer.reduce(before, t -> kind(t).equals(kind), isOver);
            smallest = tidy(reduced).filter(t -> kind(t).equals(kind)).orElse(reduced);
        } while (smallest.length() < before.length() && !isOver.getAsBoolean());
        out.println(failure(smallest).map(Failure::report).orElse("") + "\n---- shrunk from "
                + text.lines().count() + " lines to " + smallest.lines().count() + " in "
                + trials + " trials\n" + smallest);
        return true;
    }

    /** The same in the one style. */
    private Optional<String> tidy(String text) {
        try {
            return isDump
                    ? Optional.of(Printer.print(Parser.parse(new Source("reduced.tensor", text))))
                    : Frontend.format(new Source("reduced.weir", text)).text();
        } catch (RuntimeException failed) {
            return Optional.empty();
        }
    }

    @Override
    public void close() {
        watchdog.close();
        trial.close();
    }
}
