package dev.weir.passes.contract;

import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.analysis.Facts;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The weights of a contraction: an element of a parameter, or arithmetic on elements of several,
 * such as codes and the scales that neighbours have in common.
 *
 * <pre>
 *   convert(shift(codes[j, k / 2], k % 2)) · scales[j, k / 32]      step 2, run 32
 * </pre>
 *
 * @param value of one weight
 * @param operands what it reads
 * @param columns the axes along which it varies, those of the node
 * @param reduced the summed axes, in the order in which the operands have them, but for what the
 *     other factor asks for
 * @param instances the coordinates that choose the instance, equal in all operands
 * @param step how many neighbours along the last reduced axis are made together, so that remainders
 *     of its index are known
 * @param run how many neighbours along the last reduced axis read the same of the operands that do
 *     not vary within a step; the axis's whole extent if there are none
 */
public record Weights(
        Scalar value,
        List<Operand> operands,
        List<Axis> columns,
        List<Axis> reduced,
        List<Scalar> instances,
        int step,
        long run) {
    private static final int LARGEST_STEP = 8;
    private static final Set<Operation> DECODING = Set.of(
            Operation.ADD, Operation.SUBTRACT, Operation.MULTIPLY, Operation.SHIFT_LEFT,
            Operation.SHIFT_RIGHT, Operation.BIT_AND, Operation.BIT_OR, Operation.BIT_XOR);

    /**
     * A tensor that is read.
     *
     * @param load of an element
     * @param leading how many of its axes choose the instance
     * @param run how many neighbours along the last reduced axis read the same element
     */
    public record Operand(Scalar.Load load, int leading, long run) {
        /** The coordinates within an instance. */
        public List<Scalar> own() {
            return load.coordinates().subList(leading, load.coordinates().size());
        }

        /** Whether it is the same for all weights that are made together, and their neighbours. */
        public boolean isShared(int step) {
            return step % run != 0;
        }
    }

    /** The last reduced axis. */
    public Axis last() {
        return reduced.getLast();
    }

    /**
     * With the reduced axis last along which the other factor has neighbours side by side, so that
     * these are neighbours here too. Weights that are made in steps keep their order.
     */
    Weights beside(Scalar other) {
        if (step > 1 || operands.size() > 1 || operands.getFirst().run > 1) {
            return this;
        }
        Optional<Axis> inner = inner(other);
        if (inner.isEmpty() || inner.get().equals(last())) {
            return this;
        }
        List<Axis> order = new ArrayList<>(reduced);
        order.remove(inner.get());
        order.add(inner.get());
        return new Weights(
                value, operands, columns, order, instances, step, extent(inner.get()));
    }

    private Optional<Axis> inner(Scalar scalar) {
        if (scalar instanceof Scalar.Load load && !load.coordinates().isEmpty()
                && load.coordinates().getLast() instanceof Scalar.Variable variable
                && find(reduced, variable.index()).isPresent()) {
            return find(reduced, variable.index());
        }
        return Walk.operands(scalar).stream().flatMap(o -> inner(o).stream()).findFirst();
    }

    static long extent(Axis axis) {
        return ((Scalar.Whole) axis.upper()).value();
    }

    static boolean isConstant(Axis axis) {
        return axis.lower().equals(Scalar.whole(0)) && axis.upper() instanceof Scalar.Whole;
    }

    static Optional<Axis> find(List<Axis> axes, Index index) {
        return axes.stream().filter(a -> a.index().equals(index)).findFirst();
    }

    /** How a factor of a sum reads weights, if it reads nothing else and does so plainly. */
    static Optional<Weights> of(Node.Compute compute, Scalar value, Facts facts) {
        Set<Scalar.Load> loads = new LinkedHashSet<>();
        collect(value, loads);
        List<Reading> readings = new ArrayList<>();
        for (Scalar.Load load : loads) {
            Optional<Reading> reading = Reading.of(compute, load, facts);
            if (reading.isEmpty()) {
                return Optional.empty();
            }
            readings.add(reading.get());
        }
        return readings.stream()
                .max((a, b) -> Integer.compare(a.reduced.size(), b.reduced.size()))
                .flatMap(fullest -> of(compute, value, readings, fullest));
    }

    /** The elements that a value is made of; what they are found by is not part of it. */
    private static void collect(Scalar value, Set<Scalar.Load> loads) {
        if (value instanceof Scalar.Load load) {
            loads.add(load);
        } else {
            Walk.operands(value).forEach(o -> collect(o, loads));
        }
    }

    private static Optional<Weights> of(
            Node.Compute compute, Scalar value, List<Reading> readings, Reading fullest) {
        List<Axis> reduced = fullest.reduced;
        List<Axis> summed = compute.reduction().orElseThrow().axes();
        if (reduced.isEmpty()
                || reduced.size() != summed.size()
                || reduced.stream().distinct().count() != summed.size()
                || !reduced.stream().allMatch(Weights::isConstant)) {
            return Optional.empty();
        }
        Axis last = reduced.getLast();
        Optional<Integer> step = step(value, last);
        // A sum of nothing has no runs.
        if (step.isEmpty() || extent(last) == 0) {
            return Optional.empty();
        }
        List<Operand> operands = new ArrayList<>();
        long run = extent(last);
        for (Reading reading : readings) {
            Optional<Operand> operand = reading.operand(fullest)
                    .filter(o -> step.get() % o.run == 0 || o.run % step.get() == 0
                            || o.run == extent(last));
            if (operand.isEmpty()) {
                return Optional.empty();
            }
            operands.add(operand.get());
            if (operand.get().isShared(step.get())) {
                run = Math.min(run, operand.get().run);
            }
        }
        for (Operand operand : operands) {
            if (operand.isShared(step.get())
                    && operand.run % run != 0 && operand.run != extent(last)) {
                return Optional.empty();
            }
        }
        if (operands.stream().allMatch(o -> o.isShared(step.get()))) {
            return Optional.empty();
        }
        return Optional.of(new Weights(value, operands, fullest.columns, reduced,
                fullest.instances, step.get(), run));
    }

    /**
     * The least common multiple of what the last axis's index is divided by for remainders; empty
     * if the value is other arithmetic than decoding.
     */
    private static Optional<Integer> step(Scalar value, Axis last) {
        return switch (value) {
            case Scalar.Load load -> Optional.of(1);
            case Scalar.Whole whole -> Optional.of(1);
            case Scalar.Real real -> Optional.of(1);
            case Scalar.Convert convert -> step(convert.operand(), last);
            case Scalar.Apply apply when apply.operation() == Operation.REMAINDER ->
                    apply.operands().get(0).equals(Scalar.variable(last.index()))
                            && apply.operands().get(1) instanceof Scalar.Whole by
                            && by.value() > 0 && by.value() <= LARGEST_STEP
                            && LARGEST_STEP % by.value() == 0
                            ? Optional.of((int) by.value()) : Optional.empty();
            case Scalar.Apply apply when DECODING.contains(apply.operation()) -> {
                Optional<Integer> left = step(apply.operands().get(0), last);
                Optional<Integer> right = step(apply.operands().get(1), last);
                // Both are powers of two.
                yield left.flatMap(a -> right.map(b -> Math.max(a, b)));
            }
            default -> Optional.empty();
        };
    }

    /**
     * A load, with its own coordinates understood.
     *
     * @param divisor of the index of the last reduced axis
     */
    private record Reading(
            Scalar.Load load,
            int leading,
            List<Axis> columns,
            List<Axis> reduced,
            long divisor,
            List<Scalar> instances) {

        static Optional<Reading> of(Node.Compute compute, Scalar.Load load, Facts facts) {
            Format format = load.source().type().format().compute();
            if (load.bounds() != Scalar.Bounds.PROVED
                    || format != Format.F32 && format != Format.I32
                    || !facts.isWeight(load.source())) {
                return Optional.empty();
            }
            int leading = Math.max(leading(load, compute),
                    facts.parameter(load.source()).map(Parameter::instanceAxes).orElse(0));
            List<Axis> columns = new ArrayList<>();
            List<Axis> reduced = new ArrayList<>();
            long divisor = 1;
            for (Scalar coordinate
                    : load.coordinates().subList(leading, load.coordinates().size())) {
                if (coordinate.equals(Scalar.whole(0))) {
                    continue;
                }
                Optional<Index> index = index(coordinate);
                Optional<Axis> column = index.flatMap(i -> find(compute.axes(), i));
                Optional<Axis> sum = index.flatMap(
                        i -> find(compute.reduction().orElseThrow().axes(), i));
                // Only the last of the reduced axes may be divided.
                if (divisor > 1 && sum.isPresent()
                        || column.isEmpty() && sum.isEmpty()
                        || column.isPresent() && divisor(coordinate) > 1) {
                    return Optional.empty();
                }
                column.ifPresent(columns::add);
                sum.ifPresent(reduced::add);
                divisor = Math.max(divisor, divisor(coordinate));
            }
            return Optional.of(new Reading(load, leading, columns, reduced, divisor,
                    load.coordinates().subList(0, leading)));
        }

        private static Optional<Index> index(Scalar coordinate) {
            return switch (coordinate) {
                case Scalar.Variable variable -> Optional.of(variable.index());
                case Scalar.Apply apply when apply.operation() == Operation.DIVIDE
                                && apply.operands().get(0) instanceof Scalar.Variable variable
                                && apply.operands().get(1) instanceof Scalar.Whole by
                                && by.value() > 0 ->
                        Optional.of(variable.index());
                default -> Optional.empty();
            };
        }

        private static long divisor(Scalar coordinate) {
            return coordinate instanceof Scalar.Apply apply
                    ? ((Scalar.Whole) apply.operands().get(1)).value() : 1;
        }

        /**
         * How many coordinates choose the instance: those that stand before the first constant axis
         * of the node, {@code i} and {@code 2} in {@code w[i, 2, d, e]}, and the list's own.
         */
        private static int leading(Scalar.Load load, Node.Compute compute) {
            List<Axis> axes = new ArrayList<>(compute.axes());
            compute.reduction().ifPresent(r -> axes.addAll(r.axes()));
            int leading = 0;
            for (Scalar coordinate : load.coordinates()) {
                boolean isOwn = coordinate instanceof Scalar.Variable v
                        && find(axes, v.index()).filter(Weights::isConstant).isPresent();
                if (isOwn) {
                    return leading;
                }
                leading++;
            }
            return leading;
        }

        /** As an operand beside one that has all reduced axes. */
        Optional<Operand> operand(Reading fullest) {
            List<Axis> all = fullest.reduced;
            boolean hasLast = reduced.equals(all);
            boolean fits = instances.equals(fullest.instances)
                    && columns.size() == fullest.columns.size()
                    && columns.containsAll(fullest.columns)
                    && (hasLast || reduced.equals(all.subList(0, all.size() - 1)));
            return fits
                    ? Optional.of(new Operand(
                            load, leading, hasLast ? divisor : extent(all.getLast())))
                    : Optional.empty();
        }
    }
}
