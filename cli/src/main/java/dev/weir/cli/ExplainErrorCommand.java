package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.cli.ErrorPages.Page;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Parameters;

/** {@code weir explain-error}: what a diagnostic means and what helps. */
@Command(name = "explain-error",
        description = "Explain the code of a diagnostic, or list all codes.",
        mixinStandardHelpOptions = true)
final class ExplainErrorCommand implements Callable<Integer> {
    @ParentCommand
    private Weir weir;

    @Parameters(paramLabel = "CODE", arity = "0..1", description = "such as E0301, e0301 or 0301 "
            + "(default: all codes with their titles)")
    private Optional<String> code = Optional.empty();

    @Option(names = "--json", description = "write as JSON")
    private boolean json;

    @Override
    public Integer call() {
        ErrorPages all = ErrorPages.load();
        if (code.isEmpty()) {
            show(all.pages());
            return 0;
        }
        List<Page> found = all.find(code.get());
        if (found.size() != 1) {
            weir.say(unclear(code.get(), found, all.near(code.get())));
            return 2;
        }
        explain(found.getFirst());
        return 0;
    }

    private void show(List<Page> pages) {
        if (json) {
            ArrayNode list = Json.MAPPER.createArrayNode();
            pages.forEach(p -> list.addObject().put("code", p.code()).put("title", p.title()));
            weir.printJson(list);
        } else {
            weir.print(titles(pages));
        }
    }

    private void explain(Page page) {
        if (json) {
            ObjectNode node = Json.MAPPER.createObjectNode();
            weir.printJson(node.put("code", page.code()).put("title", page.title())
                    .put("text", page.body()));
        } else {
            weir.print(page.code() + ": " + page.title() + "\n\n" + PlainText.of(page.body()));
        }
    }

    private static String unclear(String code, List<Page> found, List<Page> near) {
        if (!found.isEmpty()) {
            return "error: " + code + " may be one of\n" + titles(found);
        }
        String message = "error: there is no code " + code + "\n";
        return message + (near.isEmpty() ? "help: weir explain-error lists all codes\n"
                : "help: there are\n" + titles(near));
    }

    private static String titles(List<Page> pages) {
        return pages.stream().map(p -> p.code() + "  " + p.title() + "\n")
                .collect(Collectors.joining());
    }
}
