package dev.weir.ir.kernel;

import static dev.weir.ir.tensor.Printer.define;
import static dev.weir.ir.tensor.Printer.quote;
import static dev.weir.ir.tensor.Printer.scalar;
import static dev.weir.ir.tensor.Printer.scalars;
import static dev.weir.ir.tensor.Printer.size;

import dev.weir.ir.tensor.Printer;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Writes a whole kernel program as text, which {@link KernelProgramParser} reads back: parameters,
 * states, kernels, and the host program, a statement a line. What {@code explain} tells is left
 * out.
 */
public final class KernelProgramPrinter {
    private final StringBuilder out = new StringBuilder();

    private KernelProgramPrinter() {}

    public static String print(KernelProgram program) {
        KernelProgramPrinter printer = new KernelProgramPrinter();
        printer.program(program);
        return printer.out.toString();
    }

    /** The host program alone, a statement a line. */
    public static List<String> hostLines(KernelProgram program) {
        KernelProgramPrinter printer = new KernelProgramPrinter();
        printer.host(program);
        return printer.out.toString().lines().toList();
    }

    private void program(KernelProgram program) {
        line(0, "kernel_program " + quote(program.name()) + " entry " + quote(program.entry())
                + Printer.stream(program.stream()) + program.resultNames().stream()
                .map(Printer::quote).collect(Collectors.joining(", ", " results (", ")")));
        line(0, Printer.frames(program.frames()));
        program.parameters().forEach(p -> line(0, Printer.parameter(p)));
        program.states().forEach(s -> line(0, Printer.state(s)));
        line(0, "arguments " + Printer.definitions(program.arguments()));
        program.checks().forEach(c -> line(0, "check " + quote(c)));
        program.kernels().forEach(k -> out.append(KernelPrinter.print(k)));
        host(program);
    }

    private void host(KernelProgram program) {
        line(0, "initialise {");
        block(1, program.initialise());
        line(0, "}");
        line(0, "step {");
        block(1, program.step());
        line(1, "yield " + Printer.uses(program.results()));
        line(0, "}");
    }

    private void line(int depth, String text) {
        out.append("  ".repeat(depth)).append(text).append('\n');
    }

    private void block(int depth, List<HostStatement> statements) {
        statements.forEach(s -> statement(depth, s));
    }

    private void statement(int depth, HostStatement statement) {
        switch (statement) {
            case HostStatement.Allocate s -> line(depth, "allocate " + define(s.value()));
            case HostStatement.Release s -> line(depth, "release " + s.value());
            case HostStatement.Alias s ->
                    line(depth, "alias " + define(s.target()) + " = " + s.source());
            case HostStatement.Own s -> line(depth, "own " + define(s.target()) + " = "
                    + s.source() + (s.last() ? " last" : ""));
            case HostStatement.Launch s -> line(depth, "launch " + quote(s.kernel()) + " tiles "
                    + scalar(s.tiles()) + " "
                    + s.buffers().stream().map(KernelProgramPrinter::operand)
                            .collect(Collectors.joining(", ", "(", ")"))
                    + " " + scalars(s.scalars())
                    + s.weights().stream().map(KernelProgramPrinter::weight)
                            .collect(Collectors.joining(", ", " weights (", ")")));
            case HostStatement.SetSize s ->
                    line(depth, "size " + size(s.size()) + " = " + scalar(s.value()));
            case HostStatement.SetSizeToLargest s ->
                    line(depth, "largest " + size(s.size()) + " = " + s.table());
            case HostStatement.SetScalar s ->
                    line(depth, "let " + define(s.variable()) + " = " + scalar(s.value()));
            case HostStatement.If s -> {
                line(depth, "if " + scalar(s.condition()) + " {");
                block(depth + 1, s.then());
                line(depth, "} else {");
                block(depth + 1, s.otherwise());
                line(depth, "}");
            }
            case HostStatement.Loop s -> {
                line(depth, "loop " + define(s.index()) + " from " + scalar(s.from())
                        + " to " + scalar(s.to())
                        + s.active().map(a -> " active " + a).orElse("") + " {");
                block(depth + 1, s.body());
                line(depth, "}");
            }
            case HostStatement.Reserve s -> line(depth, "reserve " + s.state() + " "
                    + scalars(s.instances()) + " by " + s.offsets());
            case HostStatement.Extend s -> line(depth, "extend " + s.state() + " "
                    + scalars(s.instances()) + " by " + s.offsets());
            case HostStatement.Advance s -> line(depth, "advance " + s.state() + " "
                    + scalars(s.instances()) + " by " + s.offsets());
            case HostStatement.Trace s -> line(depth, "trace " + quote(s.path()) + " "
                    + scalars(s.instances()) + " " + s.value());
            case HostStatement.Tally s -> line(depth, "tally " + quote(s.path()) + " "
                    + scalars(s.instances()) + " " + s.kind().name().toLowerCase(Locale.ROOT)
                    + " " + scalars(s.amounts())
                    + s.offsets().map(o -> " offsets " + o).orElse(""));
        }
    }

    private static String operand(HostStatement.Operand operand) {
        return switch (operand) {
            case HostStatement.Operand.Tensor t -> t.value().toString();
            case HostStatement.Operand.ParameterTable p -> "parameter " + p.parameter();
            case HostStatement.Operand.StateTable s -> "state " + s.state();
        };
    }

    private static String weight(HostStatement.WeightUse use) {
        return use.parameter() + " " + use.bytes()
                + use.groups().map(g -> " groups " + g).orElse("")
                + use.part().map(p -> " from " + scalar(p.first()) + " count "
                        + scalar(p.count())).orElse("")
                + use.picked().map(p -> " picked " + scalar(p.count()) + " most " + p.most())
                        .orElse("");
    }
}
