package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.cost.Amounts;
import dev.weir.passes.cost.Cost;
import dev.weir.passes.cost.Machine;
import dev.weir.passes.cost.Question;
import dev.weir.passes.memory.MemoryPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** How {@code weir cost} writes what it found. */
final class CostText {
    private CostText() {}

    /**
     * @param detailed whether the table is that of the memory instead of the work's
     */
    static String of(
            Cost cost, MemoryPlan memory, Question question, Optional<Machine> machine,
            boolean detailed) {
        StringBuilder out = new StringBuilder();
        Amounts total = cost.total();
        out.append(cost.model()).append(": ").append(StepEntry.text(question)).append('\n');
        line(out, "parameters", Scaled.count(cost.parameters()) + ", of which a token reads "
                + Scaled.count(cost.active()));
        line(out, "cache", Scaled.bytes(cost.cache()) + " for each token, and "
                + Scaled.bytes(cost.bounded()) + " for each sequence");
        line(out, "operations", Scaled.count(total.operations()));
        line(out, "bytes", Scaled.bytes(total.weights()) + " of weights, "
                + Scaled.bytes(total.read()) + " of other tensors read, "
                + Scaled.bytes(total.written()) + " written");
        line(out, "intensity", String.format(Locale.ROOT, "%.2f operations for each byte",
                total.intensity()));
        line(out, "memory", MemoryText.line(memory));
        line(out, "launches", Scaled.count(total.launches()));
        line(out, "time", machine.map(m -> "at least " + Scaled.seconds(total.seconds())
                        + " with " + m.threads() + (m.threads() == 1 ? " thread" : " threads")
                        + (cost.assumptions().isEmpty() ? "" : ", if all is as assumed here:"))
                .orElse("unknown: run `weir calibrate` once"));
        for (Cost.Assumption assumption : cost.assumptions()) {
            out.append("assumed: ").append(assumption.path()).append(": ")
                    .append(assumption.text()).append('\n');
        }
        if (detailed) {
            return out.append('\n').append(MemoryText.of(memory, cost.assumptions()
                    .stream().map(a -> a.path() + ": " + a.text()).toList())).toString();
        }
        List<Cost.Block> rows = new ArrayList<>(cost.blocks());
        rows.add(new Cost.Block("all", total));
        return out.append('\n').append(MarkdownTable.of(columns(machine.isPresent()), rows))
                .toString();
    }

    private static void line(StringBuilder out, String name, String text) {
        out.append("  ").append(String.format("%-11s", name)).append(text).append('\n');
    }

    private static List<MarkdownTable.Column<Cost.Block>> columns(boolean timed) {
        List<MarkdownTable.Column<Cost.Block>> columns = new ArrayList<>(List.of(
                MarkdownTable.left("block", Cost.Block::path),
                MarkdownTable.right("operations", b -> Scaled.count(b.amounts().operations())),
                MarkdownTable.right("weights", b -> Scaled.bytes(b.amounts().weights())),
                MarkdownTable.right("read", b -> Scaled.bytes(b.amounts().read())),
                MarkdownTable.right("written", b -> Scaled.bytes(b.amounts().written())),
                MarkdownTable.right("launches", b -> Scaled.count(b.amounts().launches()))));
        if (timed) {
            columns.add(MarkdownTable.right(
                    "time", b -> Scaled.seconds(b.amounts().seconds())));
        }
        return columns;
    }

    static ObjectNode asJson(Cost cost, Question question, Optional<Machine> machine) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        node.put("model", cost.model());
        node.put("tokens", question.tokens());
        node.put("context", question.context().stream()
                .mapToLong(Question.Context::tokens).sum());
        ObjectNode entries = Json.MAPPER.createObjectNode();
        question.context().forEach(c -> c.entry().ifPresent(e -> entries.put(
                e, entries.path(e).asLong() + c.tokens())));
        if (!entries.isEmpty()) {
            node.set("contextByEntry", entries);
        }
        machine.ifPresent(m -> node.put("threads", m.threads()));
        node.put("parameters", cost.parameters());
        node.put("activeParameters", cost.active());
        node.put("cacheBytesPerToken", cost.cache());
        node.put("stateBytesPerSequence", cost.bounded());
        amounts(node.putObject("total"), cost.total(), machine.isPresent());
        ArrayNode blocks = node.putArray("blocks");
        cost.blocks().forEach(b -> amounts(
                blocks.addObject().put("path", b.path()), b.amounts(), machine.isPresent()));
        ArrayNode loops = node.putArray("loops");
        cost.loops().forEach(l -> loops.addObject().put("path", l.path())
                .put("entered", l.entered()).put("iterations", l.iterations()));
        ArrayNode assumptions = node.putArray("assumptions");
        cost.assumptions().forEach(a ->
                assumptions.addObject().put("path", a.path()).put("text", a.text()));
        return node;
    }

    private static void amounts(ObjectNode node, Amounts amounts, boolean timed) {
        node.put("operations", amounts.operations())
                .put("weightBytes", amounts.weights())
                .put("bytesRead", amounts.read())
                .put("bytesWritten", amounts.written())
                .put("intensity", amounts.intensity())
                .put("launches", amounts.launches());
        if (timed) {
            node.put("seconds", amounts.seconds());
        }
    }
}
