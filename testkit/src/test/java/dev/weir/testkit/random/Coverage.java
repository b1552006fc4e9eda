package dev.weir.testkit.random;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.HostStatement;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Walk;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Counts in how many programs each kind of node, expression and statement of both IRs, each
 * operation, each pass and each form of kernel occurred.
 */
final class Coverage {
    private final Map<String, Integer> programs = new TreeMap<>();
    /** What the present program has been counted for. */
    private final Set<String> present = new HashSet<>();
    private double largestShare;

    /** From here on it is about another program. */
    synchronized void next() {
        present.clear();
    }

    private synchronized void count(String what) {
        if (present.add(what)) {
            programs.merge(what, 1, Integer::sum);
        }
    }

    synchronized int programsWith(String what) {
        return programs.getOrDefault(what, 0);
    }

    synchronized void apart(double share) {
        largestShare = Math.max(largestShare, share);
    }

    void note(String what) {
        count(what);
    }

    void pass(String name) {
        count("pass " + name);
    }

    // ------------------------------------------------------------------ tensor IR

    void program(TensorProgram program) {
        Set<String> seen = new HashSet<>();
        String stage = program.isLifted() ? "lifted " : "unlifted ";
        Walk.nodes(program, node -> {
            seen.add(stage + node.getClass().getSimpleName());
            if (node instanceof Node.Compute compute) {
                compute.reduction().map(Reduction::kind)
                        .ifPresent(kind -> seen.add(stage + "reduction " + kind));
            }
            if (axes(node).stream().anyMatch(axis -> !axis.isRectangular())) {
                seen.add(stage + node.getClass().getSimpleName() + " along a part");
            }
            if (node instanceof Node.Loop loop) {
                loop(loop, stage, seen);
            }
            if (node instanceof Node.Tally tally) {
                seen.add(stage + "tally " + tally.kind());
            }
            Walk.scalars(node).forEach(scalar -> scalar(scalar, stage, seen));
        });
        seen.forEach(this::count);
    }

    private static List<Axis> axes(Node node) {
        return switch (node) {
            case Node.Compute compute -> compute.axes();
            case Node.Scatter scatter -> scatter.axes();
            default -> List.of();
        };
    }

    private static void loop(Node.Loop loop, String stage, Set<String> seen) {
        if (!loop.from().equals(Scalar.whole(0))) {
            seen.add(stage + "Loop from a number");
        }
        if (!(loop.to() instanceof Scalar.Whole)) {
            seen.add(stage + "Loop up to a number");
        }
    }

    private static void scalar(Scalar scalar, String stage, Set<String> seen) {
        seen.add(stage + "scalar " + scalar.getClass().getSimpleName());
        if (scalar instanceof Scalar.Apply apply) {
            seen.add(stage + "operation " + apply.operation());
        }
        if (scalar instanceof Scalar.Load load) {
            seen.add(stage + "load " + load.bounds());
        }
        Walk.operands(scalar).forEach(operand -> scalar(operand, stage, seen));
    }

    // ------------------------------------------------------------------ kernel IR

    void kernels(KernelProgram program) {
        Set<String> seen = new HashSet<>();
        for (KernelProgram.Story story : program.stories()) {
            String form = story.form();
            if (form.startsWith("contraction")) {
                seen.add("form contraction");
                if (form.endsWith("grouped by instance")) {
                    seen.add("form grouped by instance");
                }
            } else if (form.startsWith("elements")) {
                seen.add("form elements");
            } else {
                seen.add("form " + form);
            }
        }
        for (Kernel kernel : program.kernels()) {
            statements(kernel.body(), seen);
        }
        host(program.initialise(), seen);
        host(program.step(), seen);
        seen.forEach(this::count);
    }

    private static void statements(List<Statement> statements, Set<String> seen) {
        for (Statement statement : statements) {
            seen.add("kernel " + statement.getClass().getSimpleName());
            switch (statement) {
                case Statement.Declare declare -> expression(declare.value(), seen);
                case Statement.Assign assign -> expression(assign.value(), seen);
                case Statement.Store store -> {
                    expression(store.index(), seen);
                    expression(store.value(), seen);
                    active(store.active(), seen);
                }
                case Statement.Prefetch prefetch -> expression(prefetch.index(), seen);
                case Statement.Bind bind -> expression(bind.index(), seen);
                case Statement.For loop -> {
                    expression(loop.from(), seen);
                    expression(loop.to(), seen);
                    statements(loop.body(), seen);
                }
                case Statement.If branch -> {
                    expression(branch.condition(), seen);
                    statements(branch.then(), seen);
                    statements(branch.otherwise(), seen);
                }
                case Statement.Fault fault -> {
                    expression(fault.value(), seen);
                    expression(fault.limit(), seen);
                }
            }
        }
    }

    private static void expression(Expression expression, Set<String> seen) {
        seen.add("expression " + expression.getClass().getSimpleName());
        switch (expression) {
            case Expression.Unary unary -> seen.add("expression " + unary.operation());
            case Expression.Binary binary -> seen.add("expression " + binary.operation());
            case Expression.Compare compare -> seen.add("expression " + compare.comparison());
            case Expression.Load load -> active(load.active(), seen);
            default -> { }
        }
        expression.operands().forEach(operand -> expression(operand, seen));
    }

    private static void active(Optional<Expression> lanes, Set<String> seen) {
        lanes.ifPresent(active -> {
            seen.add("some lanes active");
            expression(active, seen);
        });
    }

    private static void host(List<HostStatement> statements, Set<String> seen) {
        for (HostStatement statement : statements) {
            seen.add("host " + statement.getClass().getSimpleName());
            switch (statement) {
                case HostStatement.If branch -> {
                    host(branch.then(), seen);
                    host(branch.otherwise(), seen);
                }
                case HostStatement.Loop loop -> host(loop.body(), seen);
                case HostStatement.Launch launch -> launch.buffers().forEach(buffer ->
                        seen.add("buffer " + buffer.getClass().getSimpleName()));
                default -> { }
            }
        }
    }

    @Override
    public synchronized String toString() {
        StringBuilder text = new StringBuilder();
        programs.forEach((what, count) -> text.append(count).append('\t').append(what).append('\n'));
        return text + "largest share of the tolerance used: " + largestShare + "\n";
    }
}
