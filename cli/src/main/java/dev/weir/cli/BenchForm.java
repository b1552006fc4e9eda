package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.cost.Question;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How {@code weir bench} writes its lines. The names are those of llama-bench where it has the
 * thing too, so that scripts that read its output read this.
 */
enum BenchForm {
    /** A table in Markdown, for people. */
    MD {
        @Override
        String of(List<BenchRow> rows) {
            return MarkdownTable.of(COLUMNS, rows);
        }
    },
    /** An array with an object for each line. */
    JSON {
        @Override
        String of(List<BenchRow> rows) {
            ArrayNode array = Json.MAPPER.createArrayNode();
            rows.forEach(row -> array.add(
                    fields(row).set("samples_ns", Json.MAPPER.valueToTree(
                            row.throughput().nanos()))));
            return array.toPrettyString() + "\n";
        }
    },
    /** A line of names, then a line of quoted values for each (RFC 4180). */
    CSV {
        @Override
        String of(List<BenchRow> rows) {
            List<String> lines = new ArrayList<>();
            for (BenchRow row : rows) {
                ObjectNode fields = fields(row);
                if (lines.isEmpty()) {
                    lines.add(fields.propertyStream().map(Map.Entry::getKey)
                            .collect(Collectors.joining(",")));
                }
                lines.add(fields.valueStream().map(BenchForm::quoted)
                        .collect(Collectors.joining(",")));
            }
            return String.join("\n", lines) + "\n";
        }
    };

    private static final List<MarkdownTable.Column<BenchRow>> COLUMNS = List.of(
            MarkdownTable.left("model", BenchRow::model),
            MarkdownTable.right("size", row -> bytes(row.bytes())),
            MarkdownTable.right("params", row -> count(row.parameters())),
            MarkdownTable.left("target", row -> row.target().toString()),
            MarkdownTable.right("threads", row -> Integer.toString(row.threads())),
            MarkdownTable.right("batch", row -> Integer.toString(row.batch())),
            MarkdownTable.right("test", BenchRow::test),
            MarkdownTable.right("t/s", row -> String.format(Locale.ROOT, "%.2f ± %.2f",
                    row.throughput().meanRate(), row.throughput().deviationOfRate())));

    /** The text of at least one line. */
    abstract String of(List<BenchRow> rows);

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    private static ObjectNode fields(BenchRow row) {
        Workload workload = row.workload();
        Throughput throughput = row.throughput();
        return Json.MAPPER.createObjectNode()
                .put("model_filename", row.file())
                .put("model_type", row.model())
                .put("model_size", row.bytes())
                .put("model_n_params", row.parameters())
                .put("target", row.target().toString())
                .put("n_threads", row.threads())
                .put("batch", row.batch())
                .put("test", row.test())
                .put("n_prompt", workload.isGeneration() ? 0 : workload.tokens())
                .put("n_gen", workload.isGeneration() ? workload.tokens() : 0)
                .put("n_depth", row.context().stream()
                        .mapToLong(Question.Context::tokens).sum())
                .put("avg_ns", Math.round(throughput.meanNanos()))
                .put("stddev_ns", Math.round(throughput.deviationOfNanos()))
                .put("avg_ts", throughput.meanRate())
                .put("stddev_ts", throughput.deviationOfRate());
    }

    private static String quoted(JsonNode value) {
        return "\"" + value.asText().replace("\"", "\"\"") + "\"";
    }

    private static String bytes(long bytes) {
        return scaled(bytes, 1024, "KiB", "MiB", "GiB");
    }

    private static String count(long numbers) {
        return scaled(numbers, 1000, "K", "M", "B");
    }

    /** In the largest of the units of which there is at least one, or in the first. */
    private static String scaled(double amount, double step, String... units) {
        double scaled = amount / step;
        int unit = 0;
        while (scaled >= step && unit + 1 < units.length) {
            scaled /= step;
            unit++;
        }
        return String.format(Locale.ROOT, "%.2f %s", scaled, units[unit]);
    }
}
