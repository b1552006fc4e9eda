package dev.weir.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.passes.cost.Question;
import dev.weir.passes.cost.Time;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/** How {@code weir diff} writes what it found. */
final class DiffText {
    private DiffText() {}

    /** A line of the table. */
    private record Line(String name, String left, String right, String ratio) {
        static Line of(
                String name, double left, double right, DoubleFunction<String> text) {
            return new Line(name, text.apply(left), text.apply(right),
                    right == 0 ? (left == 0 ? "" : "∞") : Scaled.ratio(left / right));
        }
    }

    /** A part of the predicted time. */
    private record Part(String name, ToDoubleFunction<Time> seconds) {}

    private static final List<Part> PARTS = List.of(
            new Part("work", Time::work),
            new Part("bytes", Time::bytes),
            new Part("gather and scatter", Time::gathering),
            new Part("launches", Time::launches));

    static String of(Comparison comparison, Question question) {
        List<Line> lines = lines(comparison);
        StringBuilder out = new StringBuilder();
        out.append("A: ").append(comparison.left().path())
                .append("\nB: ").append(comparison.right().path())
                .append("\n").append(StepEntry.text(question)).append("\n\n");
        out.append(MarkdownTable.of(List.of(
                MarkdownTable.left("", Line::name),
                MarkdownTable.right("A", Line::left),
                MarkdownTable.right("B", Line::right),
                MarkdownTable.right("A / B", Line::ratio)), lines));
        return out.append('\n').append(reasons(comparison)).toString();
    }

    private static List<Line> lines(Comparison comparison) {
        var a = comparison.left().cost();
        var b = comparison.right().cost();
        List<Line> lines = new ArrayList<>(List.of(
                Line.of("parameters", a.parameters(), b.parameters(), Scaled::count),
                Line.of("read by a token", a.active(), b.active(), Scaled::count),
                Line.of("cache a token", a.cache(), b.cache(), Scaled::bytes),
                Line.of("operations", a.total().operations(), b.total().operations(),
                        Scaled::count),
                Line.of("bytes of weights", a.total().weights(), b.total().weights(),
                        Scaled::bytes),
                Line.of("other bytes", a.total().read() + a.total().written(),
                        b.total().read() + b.total().written(), Scaled::bytes),
                Line.of("launches", a.total().launches(), b.total().launches(),
                        Scaled::count)));
        if (comparison.machine().isPresent()) {
            lines.add(Line.of("predicted time", a.total().seconds(), b.total().seconds(),
                    Scaled::seconds));
        }
        Quartiles ratio = comparison.ratio();
        lines.add(Line.of("measured time", comparison.left().seconds(),
                comparison.right().seconds(), Scaled::seconds));
        lines.add(new Line("spread", Scaled.share(comparison.left().spread()),
                Scaled.share(comparison.right().spread()), ""));
        lines.add(new Line("round by round", "", "", Scaled.ratio(ratio.median())
                + " ± " + Scaled.share(ratio.spread() / 2)));
        return lines;
    }

    /** What the difference goes into, so far as the prediction knows. */
    private static String reasons(Comparison comparison) {
        StringBuilder out = new StringBuilder();
        Quartiles ratio = comparison.ratio();
        double measured = comparison.left().seconds() - comparison.right().seconds();
        out.append("A takes ").append(Scaled.seconds(Math.abs(measured)))
                .append(measured < 0 ? " less" : " more").append(" than B");
        if (comparison.machine().isEmpty()) {
            return out.append("; run `weir calibrate` once to see what that is due to\n")
                    .toString();
        }
        out.append(", due to\n");
        double rest = measured;
        for (Part part : PARTS) {
            double difference = difference(comparison, part);
            rest -= difference;
            reason(out, part.name(), difference);
        }
        double imbalance = imbalance(comparison);
        reason(out, "imbalance", imbalance);
        reason(out, "what no prediction has", rest - imbalance);
        if (ratio.lower() < 1 && ratio.upper() > 1) {
            out.append("which of the two is faster changed from round to round: the difference is "
                    + "within chance\n");
        }
        imbalance(out, "A", comparison.left());
        imbalance(out, "B", comparison.right());
        return out.toString();
    }

    private static double difference(Comparison comparison, Part part) {
        return part.seconds().applyAsDouble(comparison.left().balanced().total().time())
                - part.seconds().applyAsDouble(comparison.right().balanced().total().time());
    }

    /** What routes cost more as they were than if they had sent equally many rows everywhere. */
    private static double imbalance(Comparison comparison) {
        return comparison.left().imbalanceSeconds() - comparison.right().imbalanceSeconds();
    }

    private static void reason(StringBuilder out, String name, double seconds) {
        out.append(String.format(Locale.ROOT, "  %-24s%s%s%n", name,
                seconds < 0 ? "-" : "+", Scaled.seconds(Math.abs(seconds))));
    }

    private static void imbalance(StringBuilder out, String name, Comparison.Side side) {
        side.imbalance().ifPresent(i -> out.append(String.format(Locale.ROOT,
                "%s: the busiest block of a route has %.2f times the rows of the average one%n",
                name, i)));
    }

    static ObjectNode asJson(Comparison comparison, Question question) {
        ObjectNode node = Json.MAPPER.createObjectNode();
        node.set("a", side(comparison.left(), comparison, question));
        node.set("b", side(comparison.right(), comparison, question));
        ObjectNode due = node.putObject("secondsDueTo");
        if (comparison.machine().isPresent()) {
            PARTS.forEach(part -> due.put(part.name(), difference(comparison, part)));
            due.put("imbalance", imbalance(comparison));
        }
        Quartiles ratio = comparison.ratio();
        node.putObject("measuredRatio").put("median", ratio.median())
                .put("lowerQuartile", ratio.lower()).put("upperQuartile", ratio.upper());
        return node;
    }

    private static ObjectNode side(
            Comparison.Side side, Comparison comparison, Question question) {
        ObjectNode node = Json.MAPPER.createObjectNode().put("path", side.path().toString());
        node.set("cost", CostText.asJson(side.cost(), question, comparison.machine()));
        node.put("measuredSeconds", side.seconds());
        node.set("samples_ns", Json.MAPPER.valueToTree(side.measured().nanos()));
        side.imbalance().ifPresent(i -> node.put("imbalance", i));
        return node;
    }
}
