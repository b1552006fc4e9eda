package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.cost.Question;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What an example was claimed, predicted and measured to save.
 *
 * @param question the step of both models
 */
record ExampleResult(Example example, Question question, Comparison comparison) {
    private static final List<MarkdownTable.Column<ExampleResult>> COLUMNS = List.of(
            MarkdownTable.left("row", r -> r.example.row()),
            MarkdownTable.left("idea", r -> "[" + r.example.title() + "]("
                    + r.example.folder().getFileName() + ")"),
            MarkdownTable.left("claim", r -> r.example.claim()),
            MarkdownTable.left("of", r -> r.example.compare().toString()),
            MarkdownTable.right("foretold", r -> r.foretold().map(Scaled::ratio).orElse("?")),
            MarkdownTable.right("predicted", r -> r.predicted().map(Scaled::ratio).orElse("?")),
            MarkdownTable.right("measured", ExampleResult::measured));

    static ExampleResult of(
            Example example, ModelOptions options, Comparison.Setting setting, Weir weir) {
        Question question = new Question(
                example.tokens(), example.context(), example.share(), Map.of(),
                Optional.empty(), example.rounds());
        Comparison comparison = Comparison.of(
                options.of(example.baseline()), options.of(example.idea()),
                new Comparison.Setting(question, example.entry(), setting.threads(),
                        example.ids(),
                        setting.seed().or(() -> Optional.of(1L)), setting.measurement()),
                new QuestionSense(example.file() + ": "), weir::progress);
        if (!example.compare().isIn(comparison.left().before())) {
            throw new UserException(example.file() + " compares \"" + example.compare()
                    + "\", of which the baseline has none\nhelp: compare another amount");
        }
        return new ExampleResult(example, question, comparison);
    }

    /** With the shares that the gates let in when it ran. */
    private Optional<Double> predicted() {
        return example.compare().predicted(comparison, Comparison.Side::cost);
    }

    /** With the share that the example states. */
    private Optional<Double> foretold() {
        return example.compare().predicted(comparison, Comparison.Side::before);
    }

    /** Of times; what is counted is not measured but known. */
    private String measured() {
        Quartiles times = comparison.ratio();
        return Scaled.ratio(times.median()) + " ± " + Scaled.share(times.spread() / 2)
                + (example.compare() == Example.Quantity.TIME ? "" : " of time");
    }

    String text() {
        return example.row() + " " + example.title() + "\n"
                + "  paper      " + example.claim() + "\n"
                + "  predicted  " + foretold().map(Scaled::ratio)
                        .orElse("unknown: run `weir calibrate` once")
                + " of " + example.compare() + ", baseline over idea"
                + predicted().map(p -> "; " + Scaled.ratio(p)
                        + " with what its gates let in").orElse("") + "\n"
                + "  measured   " + measured() + "\n\n" + DiffText.of(comparison, question);
    }

    static String gallery(List<ExampleResult> results) {
        return MarkdownTable.of(COLUMNS, results);
    }

    ObjectNode asJson() {
        ObjectNode node = Json.MAPPER.createObjectNode()
                .put("row", example.row())
                .put("title", example.title())
                .put("claim", example.claim())
                .put("compare", example.compare().toString());
        foretold().ifPresent(p -> node.put("foretold", p));
        predicted().ifPresent(p -> node.put("predicted", p));
        node.put("measuredTime", comparison.ratio().median());
        node.set("models", DiffText.asJson(comparison, question));
        return node;
    }

    static ArrayNode asJson(List<ExampleResult> results) {
        ArrayNode list = Json.MAPPER.createArrayNode();
        results.forEach(r -> list.add(r.asJson()));
        return list;
    }
}
