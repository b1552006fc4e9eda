package dev.weir.testkit.fuzz;

import dev.weir.cli.Weir;
import dev.weir.compiler.Compiler;
import dev.weir.frontend.CheckResult;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.FormatResult;
import dev.weir.frontend.Frontend;
import dev.weir.frontend.LowerOptions;
import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.DiagnosticRenderer;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import dev.weir.ir.type.Size;
import dev.weir.testkit.TestModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Programs of the {@link Corpus}, each changed at random, are formatted and checked, and made into
 * kernels if nothing is wrong with them. Diagnostics may come of it, and nothing else.
 */
final class Sources implements Subject {
    private static final DiagnosticRenderer RENDERER = new DiagnosticRenderer(false);

    private final Corpus corpus;
    private final SourceProvider library;
    private final Seed seed;
    private int wrong;
    private int lowered;
    private int refused;
    private int malformed;

    Sources(Corpus corpus, Seed seed) {
        this.corpus = corpus;
        this.library = TestModel.library();
        this.seed = seed;
    }

    private record Changed(Corpus.Specimen specimen, byte[] bytes) {
        String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        boolean isText() {
            try {
                StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
                return true;
            } catch (CharacterCodingException e) {
                return false;
            }
        }
    }

    private Changed changed(long number) {
        Random random = seed.of(number);
        Corpus.Specimen specimen = corpus.any(random);
        return new Changed(specimen, new Mutation(random, corpus.words()).of(specimen.text()));
    }

    @Override
    public Optional<Failure> attempt(long number) {
        Changed changed = changed(number);
        if (!changed.isText()) {
            malformed++;
            String said = refusal(changed.bytes());
            if (!said.isEmpty()) {
                return Optional.of(new Failure("malformed text is not refused", said));
            }
        }
        Source source = new Source("changed.weir", changed.text());
        Optional<Failure> unlike = formatted(number, source);
        if (unlike.isPresent()) {
            return unlike;
        }
        CheckResult result = Frontend.check(source, library);
        RENDERER.render(result.diagnostics());
        if (result.hasErrors()) {
            wrong++;
            return Optional.empty();
        }
        return Frontend.models(source).isEmpty()
                ? Optional.empty() : lowered(number, source, changed.specimen());
    }

    /** What was formatted stays as it is. */
    private Optional<Failure> formatted(long number, Source source) {
        FormatResult result = Frontend.format(source);
        RENDERER.render(result.diagnostics());
        Optional<String> again = result.text()
                .flatMap(text -> Frontend.format(new Source("formatted.weir", text)).text());
        return again.equals(result.text()) ? Optional.empty() : Optional.of(new Failure(
                "formatted text is not in the one style",
                again.orElse("") + "\n" + describe(number)));
    }

    private Optional<Failure> lowered(long number, Source source, Corpus.Specimen specimen) {
        TensorProgram program;
        try {
            program = Frontend.lower(source, library,
                    LowerOptions.of(Configuration.parse(specimen.configuration())));
        } catch (WeirException refusal) {
            refused++;
            RENDERER.render(refusal.diagnostics());
            return Optional.empty();
        }
        lowered++;
        List<String> problems = Verifier.verify(program);
        if (!problems.isEmpty()) {
            return Optional.of(new Failure("the lowered program is not sound",
                    problems + "\n" + describe(number)));
        }
        try {
            Compiler.schedule(Compiler.optimise(program), TargetDescription.AVX2);
        } catch (WeirException refusal) {
            RENDERER.render(refusal.diagnostics());
        } catch (Size.Overflow tooLarge) {
            refused++; // the command has a message for it
        }
        return Optional.empty();
    }

    /** What the command says to bytes that are no text, if it is not what it has to say. */
    private static String refusal(byte[] bytes) {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        int code = Weir.run(new ByteArrayInputStream(bytes), out, out, "fmt", "-");
        String text = said.toString(StandardCharsets.UTF_8);
        return code == 1 && text.endsWith("is not UTF-8 text\n") ? "" : code + ": " + text;
    }

    @Override
    public String describe(long number) {
        Changed changed = changed(number);
        return "---- " + changed.specimen().name() + ", configuration "
                + changed.specimen().configuration() + ", changed to\n" + changed.text()
                + "\n----";
    }

    @Override
    public String summary() {
        return wrong + " wrong, " + lowered + " lowered, " + refused + " refused to be lowered, "
                + malformed + " no UTF-8";
    }
}
