package dev.weir.cli;

import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code weir completion}: the script by which a shell completes commands and options. */
@Command(name = "completion",
        description = "Print a script for the shell that completes commands and options.",
        mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {

    /** The shells that there is a script for. */
    enum Shell {
        BASH,
        ZSH;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @ParentCommand
    private Weir weir;

    @Spec
    private CommandSpec command;

    @Parameters(paramLabel = "SHELL",
            description = "${COMPLETION-CANDIDATES}; to have it always, put "
                    + "`source <(weir completion bash)` into ~/.bashrc, or the same with zsh into "
                    + "~/.zshrc")
    private Shell shell;

    /** One script serves both: under zsh it loads zsh's own emulation of bash's completion. */
    @Override
    public Integer call() {
        weir.print(AutoComplete.bash("weir", command.root().commandLine()));
        return 0;
    }
}
