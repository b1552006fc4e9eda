package dev.weir.cli;

import dev.weir.passes.cost.Question;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

    @Option(names = "--rounds", paramLabel = "[LOOP=]N",
            description = "rounds of a loop that can be left early, on the average, or of one loop "
                    + "by its path in the ledger (default: all)")
    List<String> rounds = List.of();

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
        Optional<Double> most = Optional.empty();
        Map<String, Double> loops = new HashMap<>();
        for (String text : rounds) {
            int sign = text.lastIndexOf('=');
            double count = count(text.substring(sign + 1));
            if (sign < 0) {
                most = Optional.of(count);
            } else {
                loops.put(text.substring(0, sign), count);
            }
        }
        return new Question(tokens, context.context(), all, single, most, loops);
    }

    private double count(String text) {
        try {
            double count = Double.parseDouble(text);
            require(count >= 0 && count <= BenchCommand.MOST_TOKENS,
                    "--rounds takes a number of at least 0, here it is " + text);
            return count;
        } catch (NumberFormatException e) {
            throw wrong("--rounds takes a number, or LOOP=NUMBER, here it is '" + text + "'");
        }
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
