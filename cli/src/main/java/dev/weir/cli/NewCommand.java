package dev.weir.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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

    @Option(names = "--example",
            description = "an idea beside its baseline, with a page and what is compared")
    private boolean example;

    @Override
    public Integer call() {
        Project project = Project.named(folder.toAbsolutePath().normalize()).orElseThrow(() ->
                new CommandLine.ParameterException(command.commandLine(), "NAME has to consist of "
                        + "at most " + Project.LONGEST_NAME + " letters, digits and _, a letter "
                        + "first; here it is '" + folder + "'"));
        Map<String, String> files = example ? project.exampleFiles() : project.files();
        project.write(files);
        String test = example
                ? project.writeTest().map(path -> ", and its test " + path).orElse("") : "";
        weir.print("made " + folder + ": " + String.join(", ", files.keySet()) + test
                + "\nnext: weir " + (example ? "bench " : "check ") + folder + "\n");
        return 0;
    }
}
