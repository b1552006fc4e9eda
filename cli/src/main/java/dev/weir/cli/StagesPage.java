package dev.weir.cli;

import static dev.weir.cli.Markup.text;

import dev.weir.cli.Stage.Part;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Writes {@link Stages} as one page of HTML, which is XML too: a table of what each pass did, and a
 * column for each stage. It loads nothing, and what it shows cannot run: the script is our own.
 */
final class StagesPage {
    private final StringBuilder out = new StringBuilder();

    private StagesPage() {}

    static String of(Stages stages) {
        StagesPage page = new StagesPage();
        page.write(stages);
        return page.out.toString();
    }

    private void write(Stages stages) {
        String title = text(stages.model());
        out.append("""
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8"/>
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
                style-src 'unsafe-inline'; script-src 'unsafe-inline'"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                """);
        out.append("<title>").append(title).append(": stages</title>\n<style>\n")
                .append(resource("stages.css")).append("</style>\n</head>\n<body>\n<header>\n<h1>")
                .append(title).append("</h1>\n<p>Click a line or a kernel: what it became and ")
                .append("came from is marked in the other columns, and who uses its values. ")
                .append("Green is new in a stage, red is gone in the next. Esc clears.</p>\n")
                .append("<nav>\n");
        for (Stage stage : stages.stages()) {
            out.append("<button type=\"button\" data-stage=\"").append(text(stage.name()))
                    .append("\" aria-pressed=\"").append(stage.changed()).append('"')
                    .append(stage.changed() ? "" : " class=\"unchanged\" title=\"changed nothing\"")
                    .append('>').append(text(stage.name())).append("</button>\n");
        }
        out.append("<input type=\"search\" placeholder=\"only lines with …\" ")
                .append("aria-label=\"only lines with\"/>\n</nav>\n");
        table(stages.passes());
        out.append("</header>\n<main>\n");
        stages.stages().forEach(this::column);
        out.append("</main>\n<script>\n").append(resource("stages.js"))
                .append("</script>\n</body>\n</html>\n");
    }

    private static String resource(String name) {
        try (InputStream in = StagesPage.class.getResourceAsStream("/weir/page/" + name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // ------------------------------------------------------------------ what passes did

    private void table(List<Stages.Row> rows) {
        long all = rows.stream().mapToLong(row -> row.time().orElse(0L)).sum();
        out.append("<details class=\"passes\" open=\"open\"><summary>passes: ")
                .append(milliseconds(all)).append(" in this one run</summary>\n<table>\n<tr>");
        for (String head : List.of("pass", "ms", "what it is for", "nodes", "of which", "lines",
                "without it")) {
            out.append("<th>").append(head).append("</th>");
        }
        out.append("</tr>\n");
        rows.forEach(this::row);
        out.append("</table>\n</details>\n");
    }

    private void row(Stages.Row row) {
        boolean isStage = !row.before().isEmpty();
        boolean idle = row.time().isEmpty() || isStage && row.added() + row.removed() == 0;
        out.append("<tr").append(idle ? " class=\"idle\"" : "").append(" data-stage=\"")
                .append(text(isStage ? row.name() : "kernels")).append("\"><td><code>")
                .append(text(row.name())).append("</code></td><td class=\"number\">")
                .append(row.time().map(StagesPage::milliseconds).orElse("left out"))
                .append("</td><td>").append(text(row.purpose()))
                .append("</td><td class=\"number\">")
                .append(text(row.before())).append("</td><td>")
                .append(text(row.change().isEmpty() && isStage
                        ? idle ? "changed nothing" : "the same kinds" : row.change()))
                .append("</td><td class=\"number\">")
                .append(isStage && !idle ? "+" + row.added() + " \u2212" + row.removed() : "")
                .append("</td><td>")
                .append(row.optional() ? "<code>--disable " + text(row.name()) + "</code>"
                        : "cannot be left out")
                .append("</td></tr>\n");
    }

    private static String milliseconds(long nanos) {
        return String.format(Locale.ROOT, "%.2f ms", nanos / 1e6);
    }

    // ------------------------------------------------------------------ columns

    private void column(Stage stage) {
        String name = text(stage.name());
        out.append("<section id=\"stage-").append(name).append('"')
                .append(stage.changed() ? "" : " hidden=\"hidden\"").append("><h2>").append(name)
                .append(stage.changed() ? "" : " <small>changed nothing</small>")
                .append("</h2><p>").append(text(stage.note()))
                .append("</p><div class=\"lines\">\n");
        stage.parts().forEach(this::part);
        out.append("</div></section>\n");
    }

    private void part(Part part) {
        switch (part) {
            case Part.Heading heading ->
                    out.append("<h3>").append(text(heading.text())).append("</h3>\n");
            case Part.Line line -> {
                String mark = line.mark() == Stage.Mark.NONE
                        ? "" : " " + line.mark().name().toLowerCase(Locale.ROOT);
                out.append("<div class=\"line").append(mark).append('"');
                if (line.number() > 0) {
                    out.append(" data-n=\"").append(line.number()).append('"');
                }
                origins(line.origins());
                out.append('>').append(text(line.text())).append("</div>\n");
            }
            case Part.Folded folded -> {
                out.append("<details class=\"kernel\" data-k=\"").append(text(folded.title()))
                        .append('"');
                origins(folded.origins());
                out.append("><summary><code>").append(text(folded.title()))
                        .append("</code> <small>").append(text(folded.form()))
                        .append("</small></summary>\n");
                if (!folded.facts().isEmpty()) {
                    out.append("<ul>");
                    folded.facts().forEach(fact ->
                            out.append("<li>").append(text(fact)).append("</li>"));
                    out.append("</ul>\n");
                }
                out.append("<pre>").append(text(folded.text())).append("</pre></details>\n");
            }
        }
    }

    private void origins(List<Integer> origins) {
        if (!origins.isEmpty()) {
            out.append(" data-o=\"").append(origins.stream().map(String::valueOf)
                    .collect(Collectors.joining(" "))).append('"');
        }
    }
}
