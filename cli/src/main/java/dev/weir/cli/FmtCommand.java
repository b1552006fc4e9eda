package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.frontend.FormatResult;
import dev.weir.frontend.Frontend;
import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Parameters;

/** {@code weir fmt}: programs in the one style. */
@Command(name = "fmt", description = "Format programs in the one style.",
        mixinStandardHelpOptions = true)
final class FmtCommand implements Callable<Integer> {
    private static final Path STANDARD_INPUT = Path.of("-");

    @ParentCommand
    private Weir weir;

    @CommandLine.Spec
    private CommandLine.Model.CommandSpec spec;

    @Parameters(paramLabel = "FILE", arity = "0..*", description = "a .weir file, or a folder for "
            + "all .weir files in and below it (default: the current folder); - formats standard "
            + "input to standard output")
    private List<Path> files = List.of(Path.of(""));

    @Option(names = "--check", description = "change nothing, list the files that would "
            + "change, and exit with 1 if there are any")
    private boolean check;

    @Option(names = "--json", description = "write the changed files and the diagnostics as JSON")
    private boolean json;

    private final List<String> changed = new ArrayList<>();
    private final List<Diagnostic> diagnostics = new ArrayList<>();

    @Override
    public Integer call() {
        if (files.contains(STANDARD_INPUT)) {
            standardInput();
        } else {
            files.stream().flatMap(f -> programs(f).stream()).distinct().forEach(this::file);
            report(changed);
        }
        boolean isWrong = !diagnostics.isEmpty() || check && !changed.isEmpty();
        return isWrong ? 1 : 0;
    }

    private void standardInput() {
        if (files.size() > 1 || json) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(), "- is formatted alone and without --json");
        }
        Source source = new Source("<stdin>", weir.input());
        format(source).text().filter(_ -> !check).ifPresent(weir::print);
        report(check ? changed : List.of());
    }

    private static List<Path> programs(Path place) {
        if (!Files.isDirectory(place)) {
            return List.of(place);
        }
        try (Stream<Path> files = Files.walk(place)) {
            return files.filter(f -> f.toString().endsWith(".weir"))
                    .filter(f -> !isHidden(place.relativize(f)))
                    .filter(Files::isRegularFile)
                    .sorted().toList();
        } catch (IOException | UncheckedIOException e) {
            throw new UserException("cannot read " + place + ": " + e.getMessage());
        }
    }

    private static boolean isHidden(Path path) {
        return StreamSupport.stream(path.spliterator(), false)
                .anyMatch(p -> p.toString().startsWith("."));
    }

    private void file(Path file) {
        Source source = Texts.source(file);
        format(source).text()
                .filter(text -> !check && !text.equals(source.text()))
                .ifPresent(text -> Texts.write(file, text));
    }

    private FormatResult format(Source source) {
        FormatResult result = Frontend.format(source);
        diagnostics.addAll(result.diagnostics());
        result.text()
                .filter(text -> !text.equals(source.text()))
                .ifPresent(_ -> changed.add(source.name()));
        return result;
    }

    private void report(List<String> names) {
        if (json) {
            ObjectNode node = Json.MAPPER.createObjectNode();
            ArrayNode list = node.putArray("changed");
            names.forEach(list::add);
            node.set("diagnostics", Json.diagnostics(diagnostics));
            weir.printJson(node);
            return;
        }
        names.forEach(name -> weir.print(name + "\n"));
        if (!diagnostics.isEmpty()) {
            weir.say(weir.renderer().render(diagnostics));
        }
    }
}
