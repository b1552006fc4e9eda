package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The options that say which step a cost is about; the same for all commands that predict. */
final class CostOptions {
    @Option(names = "--tokens", paramLabel = "N", defaultValue = "128",
            description = "tokens of the step (default: ${DEFAULT-VALUE})")
    long tokens;

    @Mixin
    private ContextOption context;

    @Option(names = "--open", paramLabel = "[GATE=]SHARE",
            description = "the share of elements, from 0 to 1, that gates let in, or one gate by "
                    + "its path in the ledger (default: 1)")
    List<String> open = List.of();

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    Question question() {
        require(tokens >= 1 && tokens <= BenchCommand.MOST_TOKENS,
                "--tokens has to be at least 1 and at most " + BenchCommand.MOST_TOKENS
                        + ", here it is " + tokens);
        double all = 1;
        Map<String, Double> single = new HashMap<>();
        for (String text : open) {
            int sign = text.lastIndexOf('=');
            double share = share(text.substring(sign + 1));
            if (sign < 0) {
                all = share;
            } else {
                single.put(text.substring(0, sign), share);
            }
        }
        return new Question(tokens, context.context(), all, single);
    }

    private double share(String text) {
        try {
            double share = Double.parseDouble(text);
            require(share >= 0 && share <= 1,
                    "--open takes a share from 0 to 1, here it is " + text);
            return share;
        } catch (NumberFormatException e) {
            throw wrong("--open takes a share from 0 to 1, or GATE=SHARE, here it is '" + text
                    + "'");
        }
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            throw wrong(problem);
        }
    }

    private CommandLine.ParameterException wrong(String problem) {
        return new CommandLine.ParameterException(command.commandLine(), problem);
    }
}
