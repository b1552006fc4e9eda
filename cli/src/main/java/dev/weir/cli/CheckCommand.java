package dev.weir.cli;

import dev.weir.frontend.Frontend;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Severity;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Parameters;

/** {@code weir check}: everything that can be said about programs without running them. */
@Command(name = "check", description = "Check programs and show all errors.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "a .weir file or a folder")
    private List<Path> files;

    @Option(names = "--json", description = "write the diagnostics as JSON")
    private boolean json;

    @Override
    public Integer call() {
        List<Diagnostic> all = new ArrayList<>();
        for (Path file : files) {
            try {
                ModelFiles found = ModelFiles.find(file, Optional.empty());
                all.addAll(Frontend.check(found.source(), found.library(),
                        found.weights().map(folder -> found.configuration())).diagnostics());
            } catch (UserException e) {
                all.add(unreadable(file, e.getMessage()));
            }
        }
        if (json) {
            weir.printJson(Json.diagnostics(all));
        } else if (!all.isEmpty()) {
            weir.say(weir.renderer().render(all));
        }
        return all.stream().anyMatch(d -> d.severity() == Severity.ERROR) ? 1 : 0;
    }

    private static Diagnostic unreadable(Path file, String message) {
        String[] parts = message.split("\nhelp: ", 2);
        Diagnostic found = Diagnostic.error(
                "E0106", new Span(new Source(file.toString(), ""), 0, 0), parts[0]);
        return parts.length > 1 ? found.helped(parts[1]) : found;
    }
}
