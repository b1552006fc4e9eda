package dev.weir.ir.tensor;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import java.util.List;
import java.util.Set;

/**
 * Checks expressions against the table of operations: what they load and mention is known, and the
 * formats of their operands are those that the operation takes.
 */
final class ScalarVerifier {
    private final Scope scope;
    private final Set<Index> indices;
    private final Problems problems;

    /** What is known where an expression stands. */
    interface Scope {
        /** Whether a value is known, with the type that its definition gives it. */
        void use(Value value);

        void use(Size size);
    }

    /** Where problems go. */
    interface Problems {
        void report(String problem);
    }

    ScalarVerifier(Scope scope, Set<Index> indices, Problems problems) {
        this.scope = scope;
        this.indices = indices;
        this.problems = problems;
    }

    void whole(Scalar scalar, String what) {
        expect(scalar, Format.I64, what);
    }

    void expect(Scalar scalar, Format format, String what) {
        check(scalar);
        if (scalar.format() != format) {
            problems.report(what + " is " + scalar.format().word() + " where " + format.word()
                    + " is expected: " + Printer.scalar(scalar));
        }
    }

    void check(Scalar scalar) {
        Walk.operands(scalar).forEach(operand -> {
            if (!(scalar instanceof Scalar.Load) && !(scalar instanceof Scalar.Within)) {
                check(operand);
            }
        });
        switch (scalar) {
            case Scalar.Real r -> require(
                    r.format() == Format.F32 || r.format() == Format.F64,
                    "a float constant is " + r.format().word());
            case Scalar.Whole w -> require(
                    !w.format().isFloat(), "a whole constant is " + w.format().word());
            case Scalar.Variable v -> require(
                    indices.contains(v.index()), "index $" + v.index().id() + " is not in scope");
            case Scalar.Extent e -> scope.use(e.size());
            case Scalar.Load l -> load(l);
            case Scalar.Apply a -> apply(a);
            case Scalar.Convert c -> require(
                    c.format() == c.format().compute(),
                    "a conversion to the stored format " + c.format().word());
            case Scalar.Within w -> {
                whole(w.index(), "the index of " + w.place());
                whole(w.extent(), "the extent of " + w.place());
            }
            case Scalar.Round r -> require(
                    r.stored().isFloat() && r.operand().format().isFloat(),
                    "rounding " + r.operand().format().word() + " to " + r.stored().word());
        }
    }

    private void require(boolean holds, String problem) {
        if (!holds) {
            problems.report(problem);
        }
    }

    private void load(Scalar.Load load) {
        scope.use(load.source());
        load.coordinates().forEach(c -> whole(c, "a coordinate of " + load.source().name()));
        load.otherwise().ifPresent(o ->
                expect(o, load.format(), "what is read outside of " + load.source().name()));
    }

    private void apply(Scalar.Apply apply) {
        Operation operation = apply.operation();
        List<Format> formats = apply.operands().stream().map(Scalar::format).toList();
        int first = operation.result() == Operation.Result.SECOND ? 1 : 0;
        if (first == 1) {
            require(formats.getFirst() == Format.BOOL,
                    operation.word() + " decides on " + formats.getFirst().word());
        }
        Format format = formats.get(first);
        boolean same = formats.subList(first, formats.size()).stream().allMatch(format::equals);
        require(same && takes(operation, format),
                operation.word() + " of " + String.join(" and ",
                        formats.stream().map(Format::word).toList()));
    }

    private static boolean takes(Operation operation, Format format) {
        return switch (operation) {
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER, MINIMUM, MAXIMUM, NEGATE, ABSOLUTE ->
                    format != Format.BOOL;
            case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL, SELECT -> true;
            case POWER, FLOOR, SQUARE_ROOT, RECIPROCAL_SQUARE_ROOT, EXPONENTIAL, LOGARITHM, SINE,
                    COSINE, TANGENT_HYPERBOLIC, ERROR_FUNCTION, SIGMOID -> format.isFloat();
            case AND, OR, NOT -> format == Format.BOOL;
            case BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT -> format.isInteger();
        };
    }
}
