package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.text.Tokens;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Writes kernels as text, which {@link KernelParser} reads back to the same kernel.
 *
 * <pre>
 * kernel scale {
 *     buffer x f32
 *     scalar n i64
 *     scratch s f32[64]
 *     tile t i64
 *     do {
 *         let left i64 = subtract(n, multiply(t, 16:i64))
 *         var v f32x16 = load(x, multiply(t, 16:i64), 16, left)
 *         v = multiply(v, broadcast(0.5:f32, 16))
 *         store(x, multiply(t, 16:i64), v, left)
 *     }
 * }
 * </pre>
 */
public final class KernelPrinter {

    /** Words that begin a statement or a declaration, so that no name may look like them. */
    static final Set<String> KEYWORDS = Set.of("kernel", "buffer", "scalar", "scratch", "tile",
            "do", "let", "var", "store", "prefetch", "bind", "for", "to", "step", "if", "else",
            "fault", "NaN", "Infinity");

    private static final Pattern NAME = Pattern.compile(Tokens.NAME);

    private final StringBuilder text = new StringBuilder();

    private KernelPrinter() {}

    public static String print(Kernel kernel) {
        KernelPrinter printer = new KernelPrinter();
        printer.kernel(kernel);
        return printer.text.toString();
    }

    public static String print(Statement statement) {
        KernelPrinter printer = new KernelPrinter();
        printer.statement(statement, 0);
        return printer.text.toString();
    }

    private void kernel(Kernel kernel) {
        line(0, "kernel " + name(kernel.name()) + " {");
        kernel.buffers().forEach(b -> line(1, "buffer " + buffer(b)));
        kernel.scalars().forEach(v -> line(1, "scalar " + variable(v)));
        kernel.scratch().forEach(s ->
                line(1, "scratch " + buffer(s.buffer()) + "[" + s.elements() + "]"));
        line(1, "tile " + variable(kernel.tile()));
        line(1, "do {");
        block(kernel.body(), 2);
        line(1, "}");
        line(0, "}");
    }

    private void block(List<Statement> statements, int depth) {
        statements.forEach(s -> statement(s, depth));
    }

    private void statement(Statement statement, int depth) {
        switch (statement) {
            case Declare d -> line(depth, (d.mutable() ? "var " : "let ")
                    + variable(d.variable()) + " = " + print(d.value()));
            case Assign a -> line(depth, name(a.variable().name()) + " = " + print(a.value()));
            case Store s -> line(depth, "store(" + name(s.buffer().name()) + ", "
                    + print(s.index()) + ", " + print(s.value()) + active(s.active()) + ")");
            case Prefetch p -> line(depth, "prefetch " + name(p.buffer().name()) + "["
                    + print(p.index()) + "]");
            case Bind b -> line(depth, "bind " + buffer(b.buffer()) + " = "
                    + name(b.table().name()) + "[" + print(b.index()) + "]");
            case For f -> {
                line(depth, "for " + variable(f.index()) + " = " + print(f.from()) + " to "
                        + print(f.to()) + " step " + f.step() + " {");
                block(f.body(), depth + 1);
                line(depth, "}");
            }
            case If i -> {
                line(depth, "if " + print(i.condition()) + " {");
                block(i.then(), depth + 1);
                if (!i.otherwise().isEmpty()) {
                    line(depth, "} else {");
                    block(i.otherwise(), depth + 1);
                }
                line(depth, "}");
            }
            case Fault f -> line(depth,
                    "fault " + f.code() + ", " + print(f.value()) + ", " + print(f.limit()));
        }
    }

    private static String variable(Variable variable) {
        return name(variable.name()) + " " + variable.type();
    }

    private static String buffer(Buffer buffer) {
        return name(buffer.name()) + " " + buffer.format().word();
    }

    /** A name as it is, or in quotes if it could be read as something else. */
    private static String name(String name) {
        if (NAME.matcher(name).matches() && !KEYWORDS.contains(name)) {
            return name;
        }
        return '"' + name.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    public static String print(Expression expression) {
        return switch (expression) {
            case Expression.Real r -> r.value() + ":" + r.type();
            case Expression.Whole w -> w.value() + ":" + w.type();
            case Expression.Get g -> name(g.variable().name());
            case Expression.Load l -> "load(" + name(l.buffer().name()) + ", " + print(l.index())
                    + ", " + l.lanes() + active(l.active()) + ")";
            case Expression.Unary u -> call(word(u.operation()), u.operands());
            case Expression.Binary b -> call(word(b.operation()), b.operands());
            case Expression.Compare c -> call(word(c.comparison()), c.operands());
            case Expression.Select s -> call("select", s.operands());
            case Expression.FusedMultiplyAdd f -> call("fma", f.operands());
            case Expression.DotBytes d -> call("dot_bytes", d.operands());
            case Expression.Convert c ->
                    "convert(" + c.element().word() + ", " + print(c.operand()) + ")";
            case Expression.Bitcast b ->
                    "bitcast(" + b.element().word() + ", " + print(b.operand()) + ")";
            case Expression.RoundTo r ->
                    "round(" + r.format().word() + ", " + print(r.operand()) + ")";
            case Expression.Broadcast b ->
                    "broadcast(" + print(b.operand()) + ", " + b.lanes() + ")";
            case Expression.Fold f ->
                    "fold(" + word(f.operation()) + ", " + print(f.operand()) + ")";
            case Expression.FoldEach f -> f.operands().stream().map(KernelPrinter::print)
                    .collect(Collectors.joining(", ", "fold_each(" + word(f.operation()) + ", ",
                            ")"));
        };
    }

    private static String active(Optional<Expression> active) {
        return active.map(a -> ", " + print(a)).orElse("");
    }

    private static String call(String operation, List<Expression> operands) {
        return operands.stream()
                .map(KernelPrinter::print)
                .collect(Collectors.joining(", ", operation + "(", ")"));
    }

    /** The name of an operation in text: {@code square_root}. */
    static String word(Enum<?> operation) {
        return operation.name().toLowerCase(Locale.ROOT);
    }

    private void line(int depth, String line) {
        text.append("    ".repeat(depth)).append(line).append('\n');
    }
}
