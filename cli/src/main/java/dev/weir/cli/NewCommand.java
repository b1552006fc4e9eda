package dev.weir.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code weir new}: a folder with a small model, to read, to run and to change. */
@Command(name = "new", description = "Start a project: a folder with a small model.",
        mixinStandardHelpOptions = true)
final class NewCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Spec
    private CommandSpec command;

    @Parameters(paramLabel = "NAME", description = "the folder to make; its last part names the "
            + "program: letters, digits and _, a letter first")
    private Path folder;

    @Override
    public Integer call() {
        Project project = Project.named(folder.toAbsolutePath().normalize()).orElseThrow(() ->
                new CommandLine.ParameterException(command.commandLine(), "NAME has to consist of "
                        + "at most " + Project.LONGEST_NAME + " letters, digits and _, a letter "
                        + "first; here it is '" + folder + "'"));
        project.write();
        weir.print("made " + folder + ": " + String.join(", ", project.files().keySet())
                + "\nnext: weir check " + folder + "\n");
        return 0;
    }
}
