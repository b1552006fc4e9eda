package dev.weir.passes.schedule;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Facts;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;

/** Decides whether an expression can be evaluated for neighbouring values of an index at once. */
final class Vectors {
    private Vectors() {}

    /** Whether f32 or boolean lanes along {@code axis} can be computed for the expression. */
    static boolean possible(Scalar scalar, Axis axis, Facts facts) {
        if (!Walk.mentions(scalar, List.of(axis.index()))) {
            return scalar.format() == Format.F32 || scalar.format() == Format.BOOL;
        }
        return switch (scalar) {
            case Scalar.Load load -> contiguous(load, axis, Format.F32, facts);
            case Scalar.Apply apply -> possible(apply, axis, facts);
            case Scalar.Round round -> possible(round.operand(), axis, facts);
            case Scalar.Within within -> false;
            // Codes become numbers, and numbers codes.
            case Scalar.Convert convert when convert.format() == Format.F32 ->
                    convert.operand() instanceof Scalar.Load load
                            && contiguous(load, axis, Format.I32, facts);
            case Scalar.Convert convert -> convert.format() == Format.I32
                    && convert.operand().format() == Format.F32
                    && possible(convert.operand(), axis, facts);
            case Scalar.Variable variable -> false;
            case Scalar.Real real -> true;
            case Scalar.Whole whole -> true;
            case Scalar.Extent extent -> true;
        };
    }

    private static boolean possible(Scalar.Apply apply, Axis axis, Facts facts) {
        boolean operation = switch (apply.operation()) {
            case ADD, SUBTRACT, MULTIPLY, DIVIDE, MINIMUM, MAXIMUM, NEGATE, ABSOLUTE, SQUARE_ROOT,
                    RECIPROCAL_SQUARE_ROOT, EXPONENTIAL, SIGMOID ->
                    apply.format() == Format.F32;
            case EQUAL, NOT_EQUAL, LESS, LESS_EQUAL, GREATER, GREATER_EQUAL ->
                    apply.operands().getFirst().format() == Format.F32;
            // Both sides are evaluated, so the right one may not rely on the left one.
            case AND, OR -> harmless(apply.operands().get(1), facts);
            case NOT -> true;
            case SELECT -> apply.format() == Format.F32 && selectable(apply, axis.index(), facts);
            case REMAINDER, POWER, FLOOR, LOGARITHM, SINE, COSINE, TANGENT_HYPERBOLIC,
                    ERROR_FUNCTION, BIT_AND, BIT_OR, BIT_XOR, SHIFT_LEFT, SHIFT_RIGHT -> false;
        };
        return operation && apply.operands().stream().allMatch(o -> possible(o, axis, facts));
    }

    /** A select on lanes evaluates both sides, so neither may rely on the condition. */
    private static boolean selectable(Scalar.Apply select, Index index, Facts facts) {
        return !Walk.mentions(select.operands().getFirst(), List.of(index))
                || select.operands().stream().skip(1).allMatch(o -> harmless(o, facts));
    }

    /** Whether evaluating the expression is safe wherever its indices are in their ranges. */
    static boolean harmless(Scalar scalar, Facts facts) {
        if (scalar instanceof Scalar.Within) {
            return false;
        }
        if (scalar instanceof Scalar.Load load) {
            boolean simple = load.bounds() == Scalar.Bounds.GUARDED
                    || load.bounds() == Scalar.Bounds.PROVED && isInside(load, facts);
            return simple && load.coordinates().stream().allMatch(c -> harmless(c, facts));
        }
        if (scalar instanceof Scalar.Apply apply && isWholeDivision(apply)
                && !(apply.operands().get(1) instanceof Scalar.Whole)) {
            return false;
        }
        return Walk.operands(scalar).stream().allMatch(o -> harmless(o, facts));
    }

    /** Whether all coordinates are inside by themselves; an instance is, wherever it is named. */
    private static boolean isInside(Scalar.Load load, Facts facts) {
        int instances = facts.tableAxes(load.source());
        return IntStream.range(0, load.coordinates().size()).allMatch(i -> {
            Scalar coordinate = load.coordinates().get(i);
            return plain(coordinate) || i < instances && isOfLaunch(coordinate, facts);
        });
    }

    /** Whether a number is the same for all that a launch does. */
    private static boolean isOfLaunch(Scalar scalar, Facts facts) {
        return !(scalar instanceof Scalar.Variable)
                && !(scalar instanceof Scalar.Load load && !facts.isHostScalar(load.source()))
                && Walk.operands(scalar).stream().allMatch(o -> isOfLaunch(o, facts));
    }

    /**
     * Whether a part of a condition may be evaluated although the condition might not get that far:
     * it is harmless, or evaluated whenever the condition is.
     */
    static boolean harmlessIn(Scalar condition, Scalar part, Facts facts) {
        if (harmless(part, facts) || isAlwaysEvaluated(condition, part)) {
            return true;
        }
        boolean isSafe = !(part instanceof Scalar.Load) && !(part instanceof Scalar.Within)
                && !(part instanceof Scalar.Apply apply && isWholeDivision(apply)
                        && !(apply.operands().get(1) instanceof Scalar.Whole));
        return isSafe
                && Walk.operands(part).stream().allMatch(o -> harmlessIn(condition, o, facts));
    }

    private static boolean isAlwaysEvaluated(Scalar within, Scalar part) {
        return within.equals(part) || Walk.operands(within).stream()
                .limit(isLazy(within) ? 1 : Integer.MAX_VALUE)
                .anyMatch(o -> isAlwaysEvaluated(o, part));
    }

    /**
     * Whether an expression that is evaluated at one value of an index may be evaluated at all
     * values of its range.
     */
    static boolean harmlessAlong(Scalar scalar, Collection<Index> indices, Facts facts) {
        if (!Walk.mentions(scalar, indices)) {
            return true;
        }
        if (isLazy(scalar) || scalar instanceof Scalar.Within) {
            return harmless(scalar, facts);
        }
        List<Scalar> moving = Walk.operands(scalar).stream()
                .filter(o -> Walk.mentions(o, indices)).toList();
        return switch (scalar) {
            case Scalar.Load load when load.bounds() == Scalar.Bounds.CHECKED -> false;
            case Scalar.Load load when load.bounds() == Scalar.Bounds.PROVED ->
                    moving.stream().allMatch(c -> plain(c) && harmlessAlong(c, indices, facts));
            case Scalar.Apply apply when isWholeDivision(apply) ->
                    !Walk.mentions(apply.operands().get(1), indices)
                            && harmlessAlong(apply.operands().get(0), indices, facts);
            default -> moving.stream().allMatch(o -> harmlessAlong(o, indices, facts));
        };
    }

    /** Whether the first operand says which of the others are evaluated. */
    static boolean isLazy(Scalar scalar) {
        return scalar instanceof Scalar.Apply apply
                && List.of(Operation.AND, Operation.OR, Operation.SELECT)
                        .contains(apply.operation());
    }

    private static boolean isWholeDivision(Scalar.Apply apply) {
        return (apply.operation() == Operation.DIVIDE || apply.operation() == Operation.REMAINDER)
                && !apply.format().isFloat();
    }

    /**
     * Whether a coordinate that is known to be inside is so by its indices' ranges alone, under
     * whatever condition it stands: one that needs its condition has another form. What is added
     * to an index from a table is where its sequence begins: other data is checked when it is read.
     */
    private static boolean plain(Scalar coordinate) {
        return switch (coordinate) {
            case Scalar.Variable variable -> true;
            case Scalar.Whole whole -> true;
            case Scalar.Load load -> true;
            case Scalar.Apply apply when apply.operation() == Operation.ADD ->
                    isTable(apply.operands().get(0))
                            && apply.operands().get(1) instanceof Scalar.Variable;
            case Scalar.Apply apply when apply.operation() == Operation.DIVIDE ->
                    apply.operands().get(0) instanceof Scalar.Variable
                            && apply.operands().get(1) instanceof Scalar.Whole;
            default -> false;
        };
    }

    private static boolean isTable(Scalar scalar) {
        return scalar instanceof Scalar.Load load && !load.coordinates().isEmpty()
                && load.bounds() == Scalar.Bounds.PROVED;
    }

    /** Whether neighbouring places along the axis read neighbouring elements. */
    private static boolean contiguous(
            Scalar.Load load, Axis axis, Format format, Facts facts) {
        Index index = axis.index();
        if (!isInside(load, axis) || load.coordinates().isEmpty()
                || !load.source().type().format().compute().equals(format)) {
            return false;
        }
        int last = load.coordinates().size() - 1;
        if (last < facts.tableAxes(load.source())) {
            // Neighbouring instances or sequences have memory of their own.
            return false;
        }
        for (int i = 0; i < last; i++) {
            if (Walk.mentions(load.coordinates().get(i), List.of(index))) {
                return false;
            }
        }
        return linear(load.coordinates().get(last), index);
    }

    /** Whether no lane has to be checked by itself: the axis is that of what is read. */
    private static boolean isInside(Scalar.Load load, Axis axis) {
        return switch (load.bounds()) {
            case PROVED -> true;
            case CHECKED -> isWhole(load, axis);
            case GUARDED -> isWhole(load, axis) && load.otherwise().stream()
                    .noneMatch(o -> Walk.mentions(o, List.of(axis.index())));
        };
    }

    private static boolean isWhole(Scalar.Load load, Axis axis) {
        return load.coordinates().getLast().equals(Scalar.variable(axis.index()))
                && axis.covers(load.source().type().shape().getLast());
    }

    /** Whether an expression is the index plus something that does not depend on it. */
    static boolean linear(Scalar scalar, Index index) {
        if (scalar instanceof Scalar.Variable variable) {
            return variable.index().equals(index);
        }
        if (scalar instanceof Scalar.Apply apply && apply.operation() == Operation.ADD) {
            Scalar left = apply.operands().get(0);
            Scalar right = apply.operands().get(1);
            return linear(left, index) && !Walk.mentions(right, List.of(index))
                    || linear(right, index) && !Walk.mentions(left, List.of(index));
        }
        return scalar instanceof Scalar.Apply minus
                && minus.operation() == Operation.SUBTRACT
                && linear(minus.operands().get(0), index)
                && !Walk.mentions(minus.operands().get(1), List.of(index));
    }
}
