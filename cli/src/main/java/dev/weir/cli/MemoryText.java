package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.memory.MemoryPlan;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** How {@code weir cost} writes what memory a model needs. */
final class MemoryText {
    private static final double MEBIBYTE = 1 << 20;
    /** How many tensors of the step's peak are shown. */
    private static final int SHOWN = 12;

    private MemoryText() {}

    /** One line of the table: what it is, how much it is, and where it comes from. */
    private record Line(String part, String name, double bytes) {}

    /** All of it in one line. */
    static String line(MemoryPlan plan) {
        return "at least " + Scaled.bytes(plan.total()) + ": "
                + Scaled.bytes(plan.readBytes()) + " of weights as stored, "
                + Scaled.bytes(plan.madeBytes()) + " made of weights at load, "
                + Scaled.bytes(plan.stateBytes()) + " of states, "
                + Scaled.bytes(plan.bound()) + " of tensors";
    }

    /**
     * What it is made of, for the option {@code --memory}.
     *
     * @param said assumptions that need not be said again
     */
    static String of(MemoryPlan plan, List<String> said) {
        List<Line> lines = new ArrayList<>();
        plan.stored().stream().filter(MemoryPlan.Stored::isRead).sorted(
                Comparator.comparingLong(MemoryPlan.Stored::bytes).reversed()).forEach(
                s -> lines.add(new Line("weights as stored", s.path(), s.bytes())));
        plan.made().stream().sorted(
                Comparator.comparingLong(MemoryPlan.Made::bytes).reversed()).forEach(
                m -> lines.add(new Line("made at load",
                        m.name() + (m.of().isEmpty() ? "" : ", of " + String.join(", ", m.of())),
                        m.bytes())));
        plan.states().stream().sorted(
                Comparator.comparingDouble(MemoryPlan.Remembered::bytes).reversed()).forEach(
                s -> lines.add(new Line("state", s.path() + (s.slot() == 0
                        ? ", and a copy to go back to"
                        : ", " + Scaled.bytes(s.slot()) + " a slot"), s.bytes())));
        plan.tensors().stream().limit(SHOWN).forEach(t -> lines.add(
                new Line("tensor", t.name() + " : " + t.type(), t.bytes())));
        double others = plan.tensors().stream().skip(SHOWN)
                .mapToDouble(MemoryPlan.Tensor::bytes).sum();
        if (others > 0) {
            lines.add(new Line("tensor",
                    plan.tensors().size() - SHOWN + " smaller ones", others));
        }
        lines.add(new Line("all", "", plan.total()));
        StringBuilder out = new StringBuilder(MarkdownTable.of(List.of(
                MarkdownTable.left("memory", Line::part),
                MarkdownTable.left("of what", Line::name),
                MarkdownTable.right("MiB", l -> mebibytes(l.bytes()))), lines));
        out.append("\nThe tensors are those that are alive at ").append(plan.place())
                .append(", where they take most.\n");
        if (plan.loadedBytes() > 0) {
            out.append("Not counted: ").append(mebibytes(plan.loadedBytes()))
                    .append(" MiB of stored weights that only the load reads.\n");
        }
        out.append("Not counted: code, what the caller holds, and ")
                .append(Scaled.bytes(plan.scratch())).append(" of scratch for each thread.\n");
        plan.assumptions().stream().filter(a -> !said.contains(a))
                .forEach(a -> out.append("assumed: ").append(a).append('\n'));
        return out.toString();
    }

    private static String mebibytes(double bytes) {
        return String.format(Locale.ROOT, "%.3f", bytes / MEBIBYTE);
    }

    static ObjectNode asJson(MemoryPlan plan) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        node.put("bytes", plan.total());
        node.put("storedWeightBytes", plan.readBytes());
        node.put("loadOnlyWeightBytes", plan.loadedBytes());
        node.put("madeAtLoadBytes", plan.madeBytes());
        node.put("stateBytes", plan.stateBytes());
        node.put("tensorBytes", plan.bound());
        node.put("scratchBytesPerThread", plan.scratch());
        ArrayNode stored = node.putArray("stored");
        plan.stored().forEach(s -> stored.addObject().put("path", s.path())
                .put("bytes", s.bytes()).put("readBySteps", s.isRead()));
        ArrayNode made = node.putArray("madeAtLoad");
        plan.made().forEach(m -> {
            ObjectNode one = made.addObject().put("name", m.name()).put("bytes", m.bytes());
            ArrayNode of = one.putArray("of");
            m.of().forEach(of::add);
        });
        ArrayNode states = node.putArray("states");
        plan.states().forEach(s -> states.addObject().put("path", s.path())
                .put("bytesPerSlot", s.slot()).put("bytes", s.bytes()));
        ObjectNode peak = node.putObject("peak").put("kernel", plan.place());
        ArrayNode tensors = peak.putArray("tensors");
        plan.tensors().forEach(t -> tensors.addObject().put("name", t.name())
                .put("type", t.type()).put("bytes", t.bytes()));
        ArrayNode assumptions = node.putArray("assumptions");
        plan.assumptions().forEach(assumptions::add);
        return node;
    }
}
