package dev.weir.ir.kernel;

import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Value;
import java.util.List;
import java.util.stream.Collectors;

/** The host program as text, a statement a line. */
public final class HostPrinter {
    private final StringBuilder out = new StringBuilder();

    private HostPrinter() {}

    public static String print(KernelProgram program) {
        HostPrinter printer = new HostPrinter();
        printer.line(0, "initialise {");
        program.initialise().forEach(s -> printer.statement(1, s));
        printer.line(0, "}");
        printer.line(0, "step " + values(program.arguments()) + " -> "
                + values(program.results()) + " {");
        program.step().forEach(s -> printer.statement(1, s));
        printer.line(0, "}");
        return printer.out.toString();
    }

    private static String values(List<Value> values) {
        return values.stream().map(HostPrinter::value).collect(Collectors.joining(", ", "(", ")"));
    }

    private static String value(Value value) {
        return value + "." + value.name().replace(' ', '_');
    }

    private static String scalars(List<Scalar> scalars) {
        return scalars.stream().map(Printer::scalar).collect(Collectors.joining(", ", "(", ")"));
    }

    private void line(int depth, String text) {
        out.append("  ".repeat(depth)).append(text).append('\n');
    }

    private void statement(int depth, HostStatement statement) {
        switch (statement) {
            case HostStatement.Allocate s ->
                    line(depth, "allocate " + value(s.value()) + " : " + s.value().type());
            case HostStatement.Release s -> line(depth, "release " + value(s.value()));
            case HostStatement.Alias s ->
                    line(depth, "alias " + value(s.target()) + " = " + value(s.source()));
            case HostStatement.Own s -> line(depth, "own " + value(s.target()) + " = "
                    + value(s.source()) + (s.last() ? " last" : ""));
            case HostStatement.Launch s -> line(depth, "launch " + s.kernel() + " tiles "
                    + Printer.scalar(s.tiles()) + " "
                    + s.buffers().stream().map(HostPrinter::operand)
                            .collect(Collectors.joining(", ", "(", ")"))
                    + " " + scalars(s.scalars()));
            case HostStatement.SetSize s ->
                    line(depth, "size '" + s.size() + "' = " + Printer.scalar(s.value()));
            case HostStatement.SetSizeToLargest s ->
                    line(depth, "size '" + s.size() + "' = largest of " + value(s.table()));
            case HostStatement.SetScalar s ->
                    line(depth, "let " + value(s.variable()) + " = " + Printer.scalar(s.value()));
            case HostStatement.If s -> {
                line(depth, "if " + Printer.scalar(s.condition()) + " {");
                s.then().forEach(inner -> statement(depth + 1, inner));
                line(depth, "} else {");
                s.otherwise().forEach(inner -> statement(depth + 1, inner));
                line(depth, "}");
            }
            case HostStatement.Loop s -> {
                line(depth, "loop " + value(s.index()) + " from " + Printer.scalar(s.from())
                        + " to " + Printer.scalar(s.to())
                        + s.active().map(a -> " while any " + value(a)).orElse("") + " {");
                s.body().forEach(inner -> statement(depth + 1, inner));
                line(depth, "}");
            }
            case HostStatement.Reserve s -> line(depth, "reserve " + value(s.state()) + " "
                    + scalars(s.instances()) + " by " + value(s.offsets()));
            case HostStatement.Advance s -> line(depth, "advance " + value(s.state()) + " "
                    + scalars(s.instances()) + " by " + value(s.offsets()));
            case HostStatement.Trace s -> line(depth, "trace " + s.path() + " "
                    + scalars(s.instances()) + " " + value(s.value()));
            case HostStatement.Tally s -> line(depth, "tally " + s.path() + " "
                    + scalars(s.instances()) + " " + s.kind() + " " + scalars(s.amounts())
                    + s.offsets().map(o -> " " + value(o)).orElse(""));
        }
    }

    private static String operand(HostStatement.Operand operand) {
        return switch (operand) {
            case HostStatement.Operand.Tensor t -> value(t.value());
            case HostStatement.Operand.ParameterTable p -> "table of " + value(p.parameter());
            case HostStatement.Operand.StateTable s -> "table of " + value(s.state());
        };
    }
}
