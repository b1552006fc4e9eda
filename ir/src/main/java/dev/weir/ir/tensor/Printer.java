package dev.weir.ir.tensor;

import dev.weir.ir.type.Size;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The textual form of tensor programs, which {@link Parser} reads back. One node a line; values are
 * {@code %12 "name" : f32[N, 64]} where they are defined and {@code %12} where they are used.
 */
public final class Printer {
    private final List<Line> lines = new ArrayList<>();
    private Optional<Node> present = Optional.empty();

    /**
     * A line without its line break.
     *
     * @param node the innermost node that it is part of; empty outside of nodes
     */
    public record Line(String text, Optional<Node> node) {}

    private Printer() {}

    public static String print(TensorProgram program) {
        StringBuilder text = new StringBuilder();
        lines(program).forEach(line -> text.append(line.text()).append('\n'));
        return text.toString();
    }

    /** The text, line by line. */
    public static List<Line> lines(TensorProgram program) {
        Printer printer = new Printer();
        printer.program(program);
        return printer.lines;
    }

    private void program(TensorProgram program) {
        line(0, "program " + quote(program.name())
                + stream(program.stream())
                + program.resultNames().stream().map(Printer::quote)
                        .collect(Collectors.joining(", ", " results (", ")")));
        program.configuration().entrySet().stream()
                .sorted(java.util.Map.Entry.comparingByKey())
                .forEach(e -> line(0, "configuration " + quote(e.getKey()) + " "
                        + quote(e.getValue())));
        program.frames().ifPresent(f -> line(0, frames(f)));
        program.parameters().forEach(p -> line(0, parameter(p)));
        program.states().forEach(x -> line(0, state(x)));
        program.functions().forEach(f -> function("function", f));
        function("entry", program.entry());
    }

    /** The stream, if there is one. */
    public static String stream(Optional<StreamAxis> stream) {
        return stream.map(s -> " stream " + size(s.size())
                + s.obstacle().map(o -> " whole " + quote(o)).orElse("")).orElse("");
    }

    /** The names of the batch's run-time tables. */
    public static String frames(TensorProgram.Frames f) {
        return "frames " + size(f.sequences()) + " " + size(f.rows()) + " "
                + define(f.segment()) + " " + define(f.offsets());
    }

    /** A parameter in a line. */
    public static String parameter(Parameter p) {
        return "parameter " + define(p.value()) + " instances " + p.instanceAxes()
                + " path " + quote(p.path())
                + p.stored().stream().map(Printer::quote)
                        .collect(Collectors.joining(", ", " stored (", ")"))
                + (p.optional() ? " optional " + p.fill() : "")
                + p.layout().map(Printer::layout).orElse("")
                + p.part().map(x -> " part " + x.kind().word() + " of " + quote("" + x.of())
                        + " length " + x.length()).orElse("");
    }

    /** A state in a line. */
    public static String state(State s) {
        return "state " + quote(s.name()) + " instances "
                + s.instances().stream().map(String::valueOf)
                        .collect(Collectors.joining(", ", "(", ")"))
                + " " + define(s.value())
                + s.slots().map(x -> " slots " + size(x)).orElse("")
                + s.lengths().map(x -> " lengths " + define(x)).orElse("")
                + s.keep().map(k -> " keep " + k).orElse("")
                + " initial " + s.initial();
    }

    private static String layout(Parameter.Layout layout) {
        return layout.indices().stream().map(i -> "$" + i.id() + " " + quote(i.name()))
                .collect(Collectors.joining(", ", " layout [", "]"))
                + layout.coordinates().stream().map(Printer::scalar)
                        .collect(Collectors.joining(", ", " [", "]"));
    }

    private void function(String word, Function function) {
        line(0, word + " " + quote(function.name()) + " path " + quote(function.path())
                + " instances " + definitions(function.instances())
                + " " + header(function.body()) + " {");
        body(1, function.body());
        line(0, "}");
    }

    private static String header(Region region) {
        return "arguments " + definitions(region.arguments());
    }

    private void body(int depth, Region region) {
        Optional<Node> outer = present;
        for (Node node : region.nodes()) {
            present = Optional.of(node);
            node(depth, node);
        }
        present = outer;
        line(depth, "yield " + uses(region.results()));
    }

    private void node(int depth, Node node) {
        String results = node.results().isEmpty()
                ? ""
                : node.results().stream().map(Printer::define).collect(Collectors.joining(", "))
                        + " = ";
        switch (node) {
            case Node.Compute n -> line(depth, results + "compute " + axes(n.axes())
                    + n.reduction().map(Printer::reduction).orElse("")
                    + " " + scalar(n.body()));
            case Node.Scatter n -> line(depth, results + "scatter " + n.base() + " "
                    + axes(n.axes()) + " at " + scalars(n.target())
                    + n.combine().map(k -> " combine " + k.word()).orElse("")
                    + (n.checked() ? " checked" : "") + " " + scalar(n.body()));
            case Node.TopK n -> line(depth, results + "top_k " + n.operand() + " " + n.count());
            case Node.Selection n ->
                    line(depth, results + "selection " + n.condition() + " " + size(n.count()));
            case Node.Grouping n ->
                    line(depth, results + "grouping " + n.keys() + " " + n.groups());
            case Node.Measure n -> line(depth, "measure " + size(n.size()) + " " + n.table());
            case Node.Call n -> line(depth, results + "call " + quote(n.function()) + " "
                    + scalars(n.instances()) + " " + uses(n.arguments())
                    + n.lifts().stream().map(l -> " lift " + size(l.size()) + " "
                            + l.carried().stream().map(String::valueOf)
                                    .collect(Collectors.joining(", ", "(", ")")))
                            .collect(Collectors.joining()));
            case Node.Route n -> {
                String alternatives = n.alternatives().stream()
                        .map(a -> (a.isNone() ? "none" : quote(a.function())) + " " + a.first()
                                + " " + a.count()
                                + (a.isNone() ? "" : a.indexed() ? " indexed" : " single")
                                + (a.start() == 0 ? "" : " from " + a.start()))
                        .collect(Collectors.joining(", ", "(", ")"));
                line(depth, results + "route " + n.selection() + " " + n.weights() + " "
                        + alternatives + " " + scalars(n.instances()) + " "
                        + uses(n.arguments()) + " path " + quote(n.path()));
            }
            case Node.If n -> {
                line(depth, results + "if " + n.condition() + " {");
                body(depth + 1, n.then());
                line(depth, "} else {");
                body(depth + 1, n.otherwise());
                line(depth, "}");
            }
            case Node.Gate n -> {
                line(depth, results + "gate " + n.condition() + " entrants "
                        + size(n.entrants()) + " captured " + uses(n.captured()) + " before "
                        + uses(n.before()) + n.completes().stream().map(Printer::quote)
                                .collect(Collectors.joining(", ", n.completes().isEmpty()
                                        ? "" : " completes (", n.completes().isEmpty() ? "" : ")"))
                        + " path " + quote(n.path()) + " "
                        + header(n.body()) + " {");
                body(depth + 1, n.body());
                line(depth, "}");
            }
            case Node.Loop n -> {
                line(depth, results + "loop " + define(n.index()) + " from " + scalar(n.from())
                        + " to " + scalar(n.to()) + " initial " + uses(n.initial())
                        + n.active().map(a -> " active " + a).orElse("")
                        + " path " + quote(n.path()) + " " + header(n.body()) + " {");
                body(depth + 1, n.body());
                line(depth, "}");
            }
            case Node.Append n -> line(depth, results + "append " + quote(n.state()) + " "
                    + scalars(n.instances()) + " " + n.rows());
            case Node.Read n -> line(depth, results + "read " + quote(n.state()) + " "
                    + scalars(n.instances()));
            case Node.Write n -> line(depth, "write " + quote(n.state()) + " "
                    + scalars(n.instances()) + " " + n.value());
            case Node.AppendRows n -> line(depth, "append_rows " + quote(n.state()) + " "
                    + scalars(n.instances()) + " " + n.rows() + " " + n.segment() + " "
                    + n.offsets() + n.among().map(a ->
                            " among " + a.places() + " " + a.offsets()).orElse(""));
            case Node.WriteRows n -> line(depth, "write_rows " + quote(n.state()) + " "
                    + scalars(n.instances()) + " " + n.rows() + " " + n.segment());
            case Node.Trace n -> line(depth, "trace " + quote(n.path()) + " "
                    + scalars(n.instances()) + " " + n.value());
            case Node.Tally n -> line(depth, "tally " + quote(n.path()) + " "
                    + scalars(n.instances()) + " "
                    + n.kind().name().toLowerCase(java.util.Locale.ROOT) + " "
                    + scalars(n.amounts())
                    + n.offsets().map(o -> " offsets " + o).orElse(""));
        }
    }

    private void line(int depth, String text) {
        lines.add(new Line("  ".repeat(depth) + text, present));
    }

    /** A name in quotes. */
    public static String quote(String text) {
        return '"' + escape(text).replace("\"", "\\\"") + '"';
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n");
    }

    /** {@code %12 "name" : f32['N', 64]}. */
    public static String define(Value value) {
        return value + " " + quote(value.name()) + " : " + value.type().format().word()
                + value.type().shape().stream().map(Printer::size)
                        .collect(Collectors.joining(", ", "[", "]"));
    }

    /** Values with their types, in parentheses. */
    public static String definitions(List<Value> values) {
        return values.stream().map(Printer::define).collect(Collectors.joining(", ", "(", ")"));
    }

    /** Values that are known already, in parentheses. */
    public static String uses(List<Value> values) {
        return values.stream().map(Value::toString).collect(Collectors.joining(", ", "(", ")"));
    }

    /** A size as it is read back. */
    public static String size(Size size) {
        return switch (size) {
            case Size.Constant c -> Long.toString(c.value());
            case Size.Symbol s -> '\'' + escape(s.name()).replace("'", "\\'") + '\'';
            case Size.Sum s -> "(" + size(s.left()) + " + " + size(s.right()) + ")";
            case Size.Product p -> "(" + size(p.left()) + " * " + size(p.right()) + ")";
            case Size.Quotient q -> "(" + size(q.left()) + " / " + size(q.right()) + ")";
        };
    }

    private static String axes(List<Axis> axes) {
        return axes.stream().map(Printer::axis).collect(Collectors.joining(", ", "[", "]"));
    }

    private static String axis(Axis axis) {
        return index(axis.index()) + " in " + scalar(axis.lower()) + " .. "
                + scalar(axis.upper());
    }

    private static String index(Index index) {
        return "$" + index.id() + " " + quote(index.name());
    }

    private static String reduction(Reduction reduction) {
        return " " + reduction.kind().word() + axes(reduction.axes())
                + reduction.filter().map(f -> " where " + scalar(f)).orElse("");
    }

    /** Expressions in parentheses. */
    public static String scalars(List<Scalar> scalars) {
        return scalars.stream().map(Printer::scalar).collect(Collectors.joining(", ", "(", ")"));
    }

    /** An expression in prefix form. */
    public static String scalar(Scalar scalar) {
        return switch (scalar) {
            case Scalar.Real r -> Double.toString(r.value()) + " " + r.format().word();
            case Scalar.Whole w -> w.value() + " " + w.format().word();
            case Scalar.Variable v -> "$" + v.index().id();
            case Scalar.Extent e -> "extent " + size(e.size());
            case Scalar.Load l -> l.source()
                    + l.coordinates().stream().map(Printer::scalar)
                            .collect(Collectors.joining(", ", "[", "]"))
                    + switch (l.bounds()) {
                        case PROVED -> "";
                        case CHECKED -> " checked";
                        case GUARDED -> " or (" + scalar(l.otherwise().orElseThrow()) + ")";
                    };
            case Scalar.Apply a -> a.operation().word() + scalars(a.operands());
            case Scalar.Convert c -> "convert " + c.format().word() + "(" + scalar(c.operand())
                    + ")";
            case Scalar.Within w -> "within(" + scalar(w.index()) + ", " + scalar(w.extent()) + ", "
                    + quote(w.place()) + ")";
            case Scalar.Round r -> "round " + r.stored().word() + "(" + scalar(r.operand()) + ")";
        };
    }
}
