package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.fma;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Writes the sums of one register block.
 *
 * <p>Weights that are made of several tensors are made in registers, a step of neighbours along the
 * last reduced axis at a time. Factors that a run of neighbours has in common, such as a scale, are
 * left out of the products and applied to the run's sum:
 *
 * <pre>
 *   for each run g {
 *       s = 0;  for k in the run { s = fma(x[k], code[k], s) };  y = fma(s, scale[g], y)
 *   }
 * </pre>
 */
final class ContractionSums {
    private final ContractionSchedule schedule;
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final List<List<Expression>> places;
    private final List<Expression> starts;
    private final Map<Weights.Operand, Expression> bases;
    private final List<Contraction> contractions;
    private final Contraction lead;
    private final int lanes;
    private final int vectors;
    private final int step;
    private final Map<Contraction, Variable[][]> sums;
    /** The vectors that have been read, by operand. */
    private final Map<Weights.Operand, Expression[]> loaded = new HashMap<>();

    /**
     * @param places of the block's rows, by axis
     * @param starts of the rows where they are gathered
     * @param bases where the panel in use begins in each packed operand
     */
    ContractionSums(
            ContractionSchedule schedule,
            List<List<Expression>> places,
            List<Expression> starts,
            Map<Weights.Operand, Expression> bases) {
        this.schedule = schedule;
        this.emitter = schedule.emitter();
        this.writer = emitter.writer();
        this.places = places;
        this.starts = starts;
        this.bases = bases;
        this.contractions = schedule.contractions();
        this.lead = contractions.getFirst();
        this.lanes = schedule.lanes();
        this.vectors = schedule.vectors();
        this.step = lead.weights().step();
        this.sums = grids();
    }

    /** The sums, by row and vector of columns. */
    Map<Contraction, Expression[][]> write() {
        List<Axis> reduced = lead.reduced();
        boolean isScaled = contractions.stream().anyMatch(c -> !common(c).isEmpty());
        boolean isOneRun = reduced.size() == 1 && run() == length();
        Map<Contraction, Variable[][]> totals = isScaled && !isOneRun ? grids() : sums;
        outer(reduced.subList(0, reduced.size() - 1), whole(0), flat -> {
            if (isScaled) {
                runs(flat, totals);
            } else {
                readShared(flat, whole(0));
                steps(flat, whole(0), length());
            }
        });
        Map<Contraction, Expression[][]> results = new HashMap<>();
        totals.forEach((contraction, grid) -> {
            Expression[][] values = new Expression[places.size()][vectors];
            each((r, v) -> values[r][v] = new Expression.Get(grid[r][v]));
            results.put(contraction, values);
        });
        return results;
    }

    private long length() {
        return ((Scalar.Whole) lead.weights().last().upper()).value();
    }

    private long run() {
        return lead.weights().run();
    }

    private Map<Contraction, Variable[][]> grids() {
        Type vector = new Type(Type.Element.F32, lanes);
        Map<Contraction, Variable[][]> grids = new HashMap<>();
        for (Contraction contraction : contractions) {
            Variable[][] grid = new Variable[places.size()][vectors];
            each((r, v) -> grid[r][v] = writer.mutable(real(vector, 0)));
            grids.put(contraction, grid);
        }
        return grids;
    }

    private interface Cell {
        void at(int row, int vector);
    }

    private void each(Cell cell) {
        for (int r = 0; r < places.size(); r++) {
            for (int v = 0; v < vectors; v++) {
                cell.at(r, v);
            }
        }
    }

    /** Loops over all reduced axes but the last; the body gets their flat index. */
    private void outer(List<Axis> axes, Expression flat, Consumer<Expression> body) {
        if (axes.isEmpty()) {
            body.accept(flat);
            return;
        }
        int at = lead.reduced().size() - 1 - axes.size();
        Expression extent = emitter.emit(axes.getFirst().upper());
        writer.loop(whole(0), extent, 1, index -> {
            contractions.forEach(c -> emitter.bind(c.reduced().get(at), index));
            outer(axes.subList(1, axes.size()),
                    at == 0 ? index : writer.let(add(multiply(flat, extent), index)), body);
        });
    }

    // ------------------------------------------------------------------ runs

    private void runs(Expression flat, Map<Contraction, Variable[][]> totals) {
        long whole = length() / run();
        long rest = length() % run();
        if (whole == 1) {
            run(flat, whole(0), run(), totals);
        } else {
            writer.loop(whole(0), whole(whole), 1, g -> run(flat, g, run(), totals));
        }
        if (rest > 0) {
            run(flat, whole(whole), rest, totals);
        }
    }

    private void run(
            Expression flat, Expression number, long size, Map<Contraction, Variable[][]> totals) {
        readShared(flat, number);
        boolean isFresh = totals == sums;
        if (!isFresh) {
            contractions.forEach(c -> each((r, v) -> writer.assign(
                    sums.get(c)[r][v], real(new Type(Type.Element.F32, lanes), 0))));
        }
        steps(flat, multiply(number, whole(run() / step)), size);
        for (Contraction contraction : contractions) {
            for (int v = 0; v < vectors; v++) {
                Expression scale = product(contraction, common(contraction), v, 0);
                for (int r = 0; r < places.size(); r++) {
                    Variable sum = sums.get(contraction)[r][v];
                    Variable total = totals.get(contraction)[r][v];
                    writer.assign(total, isFresh
                            ? multiply(new Expression.Get(sum), scale)
                            : fma(new Expression.Get(sum), scale, new Expression.Get(total)));
                }
            }
        }
    }

    /** Reads what the weights of a run have in common. */
    private void readShared(Expression flat, Expression number) {
        for (Contraction contraction : contractions) {
            for (Weights.Operand operand : contraction.weights().operands()) {
                if (operand.isShared(step)) {
                    // Runs of runs: as many as fit into what this operand has in common.
                    long runs = Math.max(1, operand.run() / run());
                    read(contraction, operand, flat, Build.divide(number, whole(runs)));
                }
            }
        }
    }

    private void read(
            Contraction contraction, Weights.Operand operand, Expression flat, Expression number) {
        long elements = (length() + operand.run() - 1) / operand.run();
        Expression at = multiply(
                add(multiply(flat, whole(elements)), number), whole((long) vectors * lanes));
        Expression offset = writer.let(at);
        Buffer buffer = writer.buffer(schedule.packed(contraction, operand));
        Expression[] values = new Expression[vectors];
        for (int v = 0; v < vectors; v++) {
            values[v] = writer.let(new Expression.Load(buffer,
                    add(add(bases.get(operand), offset), whole((long) v * lanes)),
                    lanes, Optional.empty()));
        }
        loaded.put(operand, values);
    }

    // ------------------------------------------------------------------ products

    /** The products of so many neighbours, from a step on. */
    private void steps(Expression flat, Expression first, long size) {
        long count = size / step;
        Expression end = writer.let(add(first, whole(count)));
        if (count > 0) {
            writer.loop(first, end, 1, number -> neighbours(flat, number, step));
        }
        if (size % step > 0) {
            neighbours(flat, end, (int) (size % step));
        }
    }

    private void neighbours(Expression flat, Expression number, int count) {
        for (int at = 0; at < count; at++) {
            Expression index = writer.let(add(multiply(number, whole(step)), whole(at)));
            Map<Contraction, Expression[]> weights = new HashMap<>();
            for (Contraction contraction : contractions) {
                emitter.bind(contraction.weights().last(), index);
                for (Weights.Operand operand : contraction.weights().operands()) {
                    if (!operand.isShared(step) && at % operand.run() == 0) {
                        read(contraction, operand, flat, writer.let(add(
                                multiply(number, whole(step / operand.run())),
                                whole(at / operand.run()))));
                    }
                }
                Expression[] values = new Expression[vectors];
                for (int v = 0; v < vectors; v++) {
                    values[v] = writer.let(product(contraction, own(contraction), v, at));
                }
                weights.put(contraction, values);
            }
            for (int r = 0; r < places.size(); r++) {
                Expression x = writer.let(ScalarEmitter.widen(
                        activation(r, writer.let(add(multiply(flat, whole(length())), index))),
                        lanes));
                for (Contraction contraction : contractions) {
                    for (int v = 0; v < vectors; v++) {
                        Variable sum = sums.get(contraction)[r][v];
                        writer.assign(sum, fma(
                                x, weights.get(contraction)[v], new Expression.Get(sum)));
                    }
                }
            }
        }
    }

    /**
     * An activation of a row of the block.
     *
     * @param reduced its place among all reduced indices
     */
    private Expression activation(int row, Expression reduced) {
        return schedule.inScratch()
                .map(rows -> rows.at(starts.get(row), reduced))
                .orElseGet(() -> {
                    schedule.bindRow(places.get(row));
                    return emitter.emit(lead.activations());
                });
    }

    // ------------------------------------------------------------------ decoding

    private static List<Scalar> factors(Scalar value) {
        List<Scalar> factors = new ArrayList<>();
        if (value instanceof Scalar.Apply apply && apply.operation() == Operation.MULTIPLY
                && apply.format().isFloat()) {
            apply.operands().forEach(o -> factors.addAll(factors(o)));
        } else {
            factors.add(value);
        }
        return factors;
    }

    /** The factors that all weights of a run have in common. */
    private List<Scalar> common(Contraction contraction) {
        Weights weights = contraction.weights();
        return factors(weights.value()).stream()
                .filter(f -> weights.operands().stream()
                        .filter(o -> Walk.contains(f, o.load()))
                        .allMatch(o -> o.isShared(step)))
                .toList();
    }

    private List<Scalar> own(Contraction contraction) {
        List<Scalar> own = new ArrayList<>(factors(contraction.weights().value()));
        own.removeAll(common(contraction));
        return own;
    }

    private Expression product(
            Contraction contraction, List<Scalar> factors, int vector, int at) {
        return factors.stream()
                .map(f -> ScalarEmitter.widen(decode(contraction, f, vector, at), lanes))
                .reduce(Build::multiply)
                .orElseGet(() -> real(new Type(Type.Element.F32, lanes), 1));
    }

    /** A vector, or a scalar that all lanes have in common. */
    private Expression decode(Contraction contraction, Scalar scalar, int vector, int at) {
        return switch (scalar) {
            case Scalar.Load load -> contraction.weights().operands().stream()
                    .filter(o -> o.load().equals(load))
                    .map(o -> loaded.get(o)[vector])
                    .findFirst().orElseThrow();
            case Scalar.Convert convert -> converted(
                    ScalarEmitter.element(convert.format()),
                    decode(contraction, convert.operand(), vector, at));
            case Scalar.Apply apply when apply.operation() == Operation.REMAINDER ->
                    whole(at % ((Scalar.Whole) apply.operands().get(1)).value());
            case Scalar.Apply apply -> {
                List<Expression> operands = apply.operands().stream()
                        .map(o -> decode(contraction, o, vector, at))
                        .toList();
                int widest = operands.stream().mapToInt(o -> o.type().lanes()).max().orElse(1);
                yield emitter.operate(apply, operands.stream()
                        .map(o -> ScalarEmitter.widen(o, widest)).toList());
            }
            case Scalar.Whole constant -> emitter.emit(constant);
            case Scalar.Real constant -> emitter.emit(constant);
            default -> throw new IllegalStateException("not a weight: " + scalar);
        };
    }

    private static Expression converted(Type.Element element, Expression operand) {
        return operand instanceof Expression.Whole constant && element == Type.Element.I32
                ? new Expression.Whole(Type.I32, (int) constant.value())
                : Build.convert(element, operand);
    }
}
