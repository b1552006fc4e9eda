package dev.weir.ir.kernel;

import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Statement.Assign;
import dev.weir.ir.kernel.Statement.Bind;
import dev.weir.ir.kernel.Statement.Declare;
import dev.weir.ir.kernel.Statement.Fault;
import dev.weir.ir.kernel.Statement.For;
import dev.weir.ir.kernel.Statement.If;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks that a kernel is one: types fit, variables and buffers are known where they are used,
 * names are unique, only mutable variables are assigned. What fails here is a fault of whoever made
 * the kernel, not of the user.
 */
public final class KernelVerifier {

    private final List<String> problems = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    /** Variables in scope, and whether they are mutable. */
    private Map<Variable, Boolean> variables = new HashMap<>();
    private Set<Buffer> buffers = new HashSet<>();
    /** Where the verifier is, for messages. */
    private String place = "";

    private KernelVerifier() {}

    /**
     * Does nothing for a kernel that is right.
     *
     * @throws IllegalStateException with all problems and the kernel's text
     */
    public static void verify(Kernel kernel) {
        List<String> problems = problems(kernel);
        if (!problems.isEmpty()) {
            throw new IllegalStateException("kernel " + kernel.name() + ":\n"
                    + String.join("\n", problems) + "\n" + KernelPrinter.print(kernel));
        }
    }

    /** A sentence for each thing that is wrong. */
    public static List<String> problems(Kernel kernel) {
        KernelVerifier verifier = new KernelVerifier();
        verifier.kernel(kernel);
        return verifier.problems;
    }

    private void kernel(Kernel kernel) {
        place = "kernel " + kernel.name();
        check(kernel.name().matches("[A-Za-z_][A-Za-z0-9_]*"), "the name is no C identifier");
        kernel.buffers().forEach(this::introduce);
        for (Variable scalar : kernel.scalars()) {
            introduce(scalar, false);
            check(scalar.type().equals(Type.I64), "scalar " + scalar.name() + " is no i64");
        }
        for (Kernel.Scratch s : kernel.scratch()) {
            introduce(s.buffer());
            check(s.elements() >= 0, "scratch " + s.buffer().name() + " is of negative size");
        }
        introduce(kernel.tile(), false);
        check(kernel.tile().type().equals(Type.I64), "the tile is no i64");
        block(kernel.body());
    }

    private void introduce(Buffer buffer) {
        check(names.add("buffer " + buffer.name()), "buffer " + buffer.name() + " is there twice");
        buffers.add(buffer);
    }

    private void introduce(Variable variable, boolean mutable) {
        check(names.add("variable " + variable.name()),
                "variable " + variable.name() + " is there twice");
        variables.put(variable, mutable);
    }

    private void block(List<Statement> statements) {
        Map<Variable, Boolean> outerVariables = variables;
        Set<Buffer> outerBuffers = buffers;
        variables = new HashMap<>(outerVariables);
        buffers = new HashSet<>(outerBuffers);
        statements.forEach(this::statement);
        variables = outerVariables;
        buffers = outerBuffers;
    }

    private void statement(Statement statement) {
        switch (statement) {
            case Declare d -> {
                place = "declaration of " + d.variable().name();
                same(expression(d.value()), d.variable().type());
                introduce(d.variable(), d.mutable());
            }
            case Assign a -> {
                place = "assignment of " + a.variable().name();
                same(expression(a.value()), a.variable().type());
                check(variables.getOrDefault(a.variable(), false),
                        a.variable().name() + " is not a mutable variable in scope");
            }
            case Store s -> {
                place = "store to " + s.buffer().name();
                known(s.buffer());
                same(expression(s.index()), Type.I64);
                s.active().ifPresent(a -> same(expression(a), Type.I64));
                Type value = expression(s.value());
                same(value, value.withElement(s.buffer().register()));
            }
            case Prefetch p -> {
                place = "prefetch of " + p.buffer().name();
                known(p.buffer());
                same(expression(p.index()), Type.I64);
            }
            case Bind b -> {
                place = "binding of " + b.buffer().name();
                known(b.table());
                check(b.table().format() == Format.I64, "the table is not of i64");
                same(expression(b.index()), Type.I64);
                introduce(b.buffer());
            }
            case For f -> loop(f);
            case If i -> {
                place = "condition of if";
                same(expression(i.condition()), Type.BOOL);
                block(i.then());
                block(i.otherwise());
            }
            case Fault f -> {
                place = "fault " + f.code();
                same(expression(f.value()), Type.I64);
                same(expression(f.limit()), Type.I64);
            }
        }
    }

    private void loop(For f) {
        place = "loop over " + f.index().name();
        same(expression(f.from()), Type.I64);
        same(expression(f.to()), Type.I64);
        same(f.index().type(), Type.I64);
        check(f.step() > 0, "the step is not positive");
        Map<Variable, Boolean> outer = variables;
        variables = new HashMap<>(outer);
        introduce(f.index(), false);
        block(f.body());
        variables = outer;
    }

    private Type expression(Expression expression) {
        visit(expression, new IdentityHashMap<>());
        return expression.type();
    }

    private void visit(Expression expression, Map<Expression, Boolean> seen) {
        if (seen.put(expression, true) != null) {
            return;
        }
        expression.operands().forEach(o -> visit(o, seen));
        Type type = expression.type();
        Element element = type.element();
        switch (expression) {
            case Expression.Real r ->
                    check(type.isScalar() && element.isFloat(), "a real constant is of " + type);
            case Expression.Whole w -> {
                check(type.isScalar() && !element.isFloat(), "a whole constant is of " + type);
                check(element != Element.I32 || w.value() == (int) w.value(),
                        w.value() + " does not fit i32");
                check(element != Element.BOOL || w.value() == 0 || w.value() == 1,
                        w.value() + " is no bool");
            }
            case Expression.Get g -> check(variables.containsKey(g.variable()),
                    "variable " + g.variable() + " is not in scope");
            case Expression.Load l -> {
                known(l.buffer());
                same(l.index().type(), Type.I64);
                l.active().ifPresent(a -> same(a.type(), Type.I64));
            }
            case Expression.Unary u -> check(switch (u.operation()) {
                case NEGATE, ABSOLUTE -> element != Element.BOOL;
                case SQUARE_ROOT, FLOOR -> element.isFloat();
                case NOT -> element == Element.BOOL;
            }, KernelPrinter.word(u.operation()) + " of " + type);
            case Expression.Binary b -> operation(b.operation(), type);
            case Expression.Compare c -> check(
                    c.left().type().element() != Element.BOOL
                            || c.comparison() == Comparison.EQUAL
                            || c.comparison() == Comparison.NOT_EQUAL,
                    KernelPrinter.word(c.comparison()) + " of " + c.left().type());
            case Expression.Select s -> check(s.condition().type().element() == Element.BOOL,
                    "select by " + s.condition().type());
            case Expression.FusedMultiplyAdd f -> check(element.isFloat(), "fma of " + type);
            case Expression.DotBytes d -> check(element == Element.I32, "dot_bytes of " + type);
            case Expression.Convert c -> { }
            case Expression.Bitcast b -> bitcast(b);
            case Expression.RoundTo r -> check(
                    element == Element.F32
                            && (r.format().isNarrowFloat() || r.format() == Format.F32),
                    "round to " + r.format().word() + " of " + type);
            case Expression.Broadcast b ->
                    check(b.operand().type().isScalar(), "broadcast of " + b.operand().type());
            case Expression.Fold f -> operation(f.operation(), type);
            case Expression.FoldEach f -> {
                f.operands().forEach(o -> same(o.type(), type));
                check(f.operands().size() == type.lanes(),
                        f.operands().size() + " vectors are folded into " + type);
                operation(f.operation(), type);
                check(element != Element.BOOL && switch (f.operation()) {
                    case ADD, MULTIPLY, MINIMUM, MAXIMUM, AND, OR, EXCLUSIVE_OR -> true;
                    case SUBTRACT, DIVIDE, REMAINDER, SHIFT_LEFT, SHIFT_RIGHT -> false;
                }, "fold_each by " + KernelPrinter.word(f.operation()) + " of " + type);
            }
        }
    }

    private void operation(BinaryOperation operation, Type type) {
        Element element = type.element();
        check(switch (operation) {
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM -> element != Element.BOOL;
            case REMAINDER, SHIFT_LEFT, SHIFT_RIGHT ->
                    element == Element.I64 || element == Element.I32;
            case AND, OR, EXCLUSIVE_OR -> !element.isFloat();
        }, KernelPrinter.word(operation) + " of " + type);
    }

    private void bitcast(Expression.Bitcast b) {
        Element from = b.operand().type().element();
        boolean fits = switch (b.element()) {
            case F64, I64 -> from == Element.F64 || from == Element.I64;
            case F32, I32 -> from == Element.F32 || from == Element.I32;
            case BOOL -> false;
        };
        check(fits, "bitcast of " + from.word() + " to " + b.element().word());
    }

    private void known(Buffer buffer) {
        check(buffers.contains(buffer), "buffer " + buffer + " is not in scope");
    }

    private void same(Type found, Type wanted) {
        check(found.equals(wanted), "expected " + wanted + ", found " + found);
    }

    private void check(boolean condition, String message) {
        if (!condition) {
            problems.add(place + ": " + message);
        }
    }
}
