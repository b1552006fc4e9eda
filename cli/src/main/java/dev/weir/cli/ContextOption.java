package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What a sequence has seen before a step; the same for all commands that measure or predict. */
final class ContextOption {
    @Option(names = "--context", paramLabel = "[ENTRY=]N", split = ",",
            description = "tokens that the sequence has seen before, and which of the model's "
                    + "entries took them, in order (default: 0, the entry of the step)")
    private List<String> context = List.of();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    List<Question.Context> context() {
        List<Question.Context> seen = new ArrayList<>();
        for (String text : context) {
            int sign = text.lastIndexOf('=');
            seen.add(new Question.Context(
                    sign < 0 ? Optional.empty() : Optional.of(text.substring(0, sign)),
                    tokens(text, text.substring(sign + 1))));
        }
        return seen;
    }

    private long tokens(String text, String number) {
        try {
            long tokens = Long.parseLong(number);
            if (tokens >= 0 && tokens <= BenchCommand.MOST_TOKENS) {
                return tokens;
            }
        } catch (NumberFormatException e) {
            // Said below, as for a number out of range.
        }
        throw new CommandLine.ParameterException(command.commandLine(),
                "--context takes tokens from 0 to " + BenchCommand.MOST_TOKENS
                        + ", or ENTRY=TOKENS, here it is '" + text + "'");
    }
}
