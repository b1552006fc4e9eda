package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.fma;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Statement;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Size;
import dev.weir.passes.contract.ByteProducts;
import dev.weir.passes.contract.Contraction;
import dev.weir.passes.contract.Weights;
import dev.weir.passes.contract.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
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
    private final Panels panels;
    private final Optional<ReadAhead.Block> ahead;
    private final List<Contraction> contractions;
    private final Contraction lead;
    private final int lanes;
    private final int vectors;
    private final int step;
    /** How many neighbours a round of the innermost loop takes: a step, or those of a word. */
    private final int round;
    private final Map<Contraction, Variable[][]> sums;
    private final Optional<ByteSums> bytes;
    /** What makes this one of codes with codes, if it is. */
    private final Optional<ByteProducts> coded;
    /** The sums of long runs of codes, which f32 would round. */
    private final Map<Contraction, Variable[][]> wholes;
    /** The vectors that have been read, by operand. */
    private final Map<Weights.Operand, Expression[]> loaded = new HashMap<>();

    /**
     * @param places of the block's rows, by axis
     * @param starts of the rows where they are gathered
     * @param vectors of columns
     * @param panels in use
     * @param ahead what the block reads of the next panel, if it does
     */
    ContractionSums(
            ContractionSchedule schedule,
            List<List<Expression>> places,
            List<Expression> starts,
            int vectors,
            Panels panels,
            Optional<ReadAhead.Block> ahead) {
        this.schedule = schedule;
        this.emitter = schedule.emitter();
        this.writer = emitter.writer();
        this.places = places;
        this.starts = starts;
        this.panels = panels;
        this.ahead = ahead;
        this.contractions = schedule.contractions();
        this.lead = contractions.getFirst();
        this.lanes = schedule.lanes();
        this.vectors = vectors;
        this.step = lead.weights().step();
        this.round = schedule.isInWords() ? Words.BYTES * step : step;
        this.coded = Optional.ofNullable(schedule.products().get(lead));
        this.sums = grids(schedule.isBytes() ? Type.Element.I32 : Type.Element.F32);
        this.bytes = schedule.isBytes()
                ? Optional.of(new ByteSums(schedule, places, panels, schedule.products(), sums))
                : Optional.empty();
        this.wholes = isLong() ? grids(Type.Element.I32) : Map.of();
    }

    /** Whether a run of codes has sums that f32 does not hold. */
    private boolean isLong() {
        return bytes.isEmpty() && coded.filter(c -> c.run() > c.exact()).isPresent();
    }

    /** The sums, by row and vector of columns. */
    Map<Contraction, Expression[][]> write() {
        List<Axis> reduced = lead.reduced();
        boolean isScaled = coded.isPresent()
                || contractions.stream().anyMatch(c -> !common(c).isEmpty());
        boolean isOneRun = reduced.size() == 1 && run() == length();
        boolean isTotalled = bytes.isPresent() || isLong() || isScaled && !isOneRun;
        Map<Contraction, Variable[][]> totals = isTotalled ? grids(Type.Element.F32) : sums;
        outer(reduced.subList(0, reduced.size() - 1), whole(0), flat -> {
            if (isScaled) {
                runs(flat, totals);
            } else {
                readShared(flat, whole(0));
                rounds(flat, whole(0), length());
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
        return coded.map(ByteProducts::run).orElse(lead.weights().run());
    }

    private Map<Contraction, Variable[][]> grids(Type.Element element) {
        Type vector = new Type(element, lanes);
        Expression zero = element.isFloat() ? real(vector, 0) : whole(vector, 0);
        Map<Contraction, Variable[][]> grids = new HashMap<>();
        for (Contraction contraction : contractions) {
            Variable[][] grid = new Variable[places.size()][vectors];
            each((r, v) -> grid[r][v] = writer.mutable(zero));
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
        boolean isOnly = totals == sums;
        Expression first = multiply(number, whole(run() / round));
        if (bytes.isPresent()) {
            bytes.get().begin(number);
            bytes.get().add(flat, number, size);
        } else if (isLong()) {
            wholes(flat, first, size);
        } else {
            if (!isOnly) {
                clear(sums);
            }
            rounds(flat, first, size);
        }
        for (Contraction contraction : contractions) {
            for (int v = 0; v < vectors; v++) {
                Expression scale = scale(contraction, v);
                for (int r = 0; r < places.size(); r++) {
                    Expression sum = sum(contraction, r, v, number);
                    Variable total = totals.get(contraction)[r][v];
                    // Not a product alone: a sum without terms other than 0 is 0, never -0.
                    writer.assign(total, fma(sum, scale, isOnly
                            ? real(sum.type(), 0) : new Expression.Get(total)));
                }
            }
        }
    }

    /** What the products of a run lack, by vector. */
    private Expression scale(Contraction contraction, int vector) {
        return product(contraction, common(contraction), vector, 0);
    }

    /** The sum of a run, with what a row's factors of it have in common. */
    private Expression sum(
            Contraction contraction, int row, int vector, Expression number) {
        Map<Contraction, Variable[][]> grid = isLong() ? wholes : sums;
        Expression sum = Build.convert(Type.Element.F32,
                new Expression.Get(grid.get(contraction)[row][vector]));
        // All contractions of a block have the same rows.
        List<Scalar> steps = coded.map(ByteProducts::steps).orElse(List.of());
        if (steps.isEmpty()) {
            return sum;
        }
        schedule.bindRow(places.get(row));
        emitter.bind(lead.weights().last(), writer.let(multiply(number, whole(run()))));
        Expression step = steps.stream().map(emitter::emit).reduce(Build::multiply).orElseThrow();
        return multiply(sum, ScalarEmitter.widen(writer.let(step), lanes));
    }

    /** The sum of a long run of codes: in f32 as far as it holds it, and on in whole numbers. */
    private void wholes(Expression flat, Expression first, long size) {
        long exact = coded.orElseThrow().exact();
        clear(wholes);
        if (size >= exact) {
            writer.loop(whole(0), whole(size / exact), 1, part -> exactly(flat, writer.let(
                    add(first, multiply(part, whole(exact / round)))), exact));
        }
        if (size % exact > 0) {
            exactly(flat, writer.let(add(first, whole(size / exact * (exact / round)))),
                    size % exact);
        }
    }

    private void exactly(Expression flat, Expression first, long size) {
        clear(sums);
        rounds(flat, first, size);
        contractions.forEach(c -> each((r, v) -> {
            Variable whole = wholes.get(c)[r][v];
            writer.assign(whole, add(new Expression.Get(whole), Build.convert(
                    Type.Element.I32, new Expression.Get(sums.get(c)[r][v]))));
        }));
    }

    private void clear(Map<Contraction, Variable[][]> grids) {
        grids.values().forEach(grid -> each((r, v) -> {
            Type type = grid[r][v].type();
            writer.assign(grid[r][v],
                    type.element().isFloat() ? real(type, 0) : whole(type, 0));
        }));
    }

    /** Reads what the weights of a run have in common. */
    private void readShared(Expression flat, Expression number) {
        for (Contraction contraction : contractions) {
            for (Weights.Operand operand : contraction.weights().operands()) {
                if (operand.isShared(step)) {
                    // Runs of runs: as many as fit into what this operand has in common.
                    long runs = Math.ceilDiv(operand.run(), run());
                    read(contraction, operand, flat, Build.divide(number, whole(runs)));
                }
            }
        }
    }

    private void read(
            Contraction contraction, Weights.Operand operand, Expression flat, Expression number) {
        long elements = (length() + operand.run() - 1) / operand.run();
        loaded.put(operand, load(panel(contraction, operand),
                add(multiply(flat, whole(elements)), number)));
    }

    private Panels.Panel panel(Contraction contraction, Weights.Operand operand) {
        return panels.of(contraction, schedule.packed(contraction, operand));
    }

    /** A row of a panel. */
    private Expression[] load(Panels.Panel panel, Expression row) {
        Expression offset = writer.let(multiply(row, whole(schedule.panelWidth())));
        Buffer buffer = writer.buffer(panel.packed());
        Expression[] values = new Expression[vectors];
        for (int v = 0; v < vectors; v++) {
            values[v] = writer.let(new Expression.Load(buffer,
                    add(add(panel.start(), offset), whole((long) v * lanes)),
                    lanes, Optional.empty()));
        }
        return values;
    }

    private List<Weights.Operand> own(Contraction contraction) {
        return schedule.own(contraction);
    }

    // ------------------------------------------------------------------ products

    /** The products of so many neighbours, from a round on. */
    private void rounds(Expression flat, Expression first, long size) {
        long count = size / round;
        Expression end = writer.let(add(first, whole(count)));
        if (count > 0) {
            Map<Panels.Panel, ReadAhead.Place> next = new LinkedHashMap<>();
            ahead.ifPresent(block -> contractions.forEach(c -> own(c).forEach(
                    o -> next.computeIfAbsent(panel(c, o),
                            panel -> behind(block, panel, flat, rows(o))))));
            writer.loop(first, end, 1, number -> {
                next.forEach((panel, place) -> writer.add(new Statement.Prefetch(
                        writer.buffer(panel.packed()), place.at(number))));
                if (isAlone()) {
                    linesAhead(flat, number);
                }
                round(flat, number, round);
            });
        }
        if (size % round > 0) {
            round(flat, end, (int) (size % round));
        }
    }

    /** Whether one row goes through a panel that others do not need. */
    private boolean isAlone() {
        return schedule.isDecoded() && places.size() == 1
                && vectors * lanes == schedule.panelWidth();
    }

    /** What one row reads ahead of the panel that it decodes. */
    private void linesAhead(Expression flat, Expression number) {
        Expression before = add(multiply(flat, whole(length() / round)), number);
        contractions.forEach(c -> own(c).forEach(o -> {
            Panels.Panel panel = panel(c, o);
            long elements = rows(o) * schedule.panelWidth();
            ReadAhead.lines(writer, panel.packed(), writer.let(add(
                    panel.start(), multiply(before, whole(elements)))), elements);
        }));
    }

    /** How many rows of what is packed a round of the innermost loop takes. */
    private long rows(Weights.Operand operand) {
        return schedule.isInWords() ? 1 : step / operand.run();
    }

    /** The block's part of the panel behind another one. */
    private ReadAhead.Place behind(
            ReadAhead.Block block, Panels.Panel panel, Expression flat, long rowsOfARound) {
        List<Size> shape = panel.packed().type().shape();
        Expression size = multiply(
                emitter.extent(shape.get(shape.size() - 2)), emitter.extent(shape.getLast()));
        return block.place(writer, add(panel.start(), size), size,
                rowsOfARound * schedule.panelWidth(), multiply(flat, whole(length() / round)));
    }

    private void round(Expression flat, Expression number, int count) {
        if (schedule.isInWords()) {
            // One row has many vectors of sums: beside the words of all there is no room for them.
            if (places.size() == 1) {
                contractions.forEach(c -> word(List.of(c), flat, number, count));
            } else {
                word(contractions, flat, number, count);
            }
        } else {
            neighbours(contractions, flat, number, count, (contraction, at) ->
                    own(contraction).stream().filter(o -> at % o.run() == 0)
                            .forEach(o -> read(contraction, o, flat, writer.let(add(
                                    multiply(number, whole(step / o.run())),
                                    whole(at / o.run()))))));
        }
    }

    /** The products with the codes of one word of each column, whose bytes are steps. */
    private void word(
            List<Contraction> together, Expression flat, Expression number, int count) {
        Type vector = new Type(Type.Element.I32, lanes);
        long elements = (length() + round - 1) / round;
        List<Variable> words = new ArrayList<>();
        for (Contraction contraction : together) {
            for (Weights.Operand operand : own(contraction)) {
                Expression[] bytes = load(panel(contraction, operand),
                        add(multiply(flat, whole(elements)), number));
                for (int v = 0; v < vectors; v++) {
                    Variable word = writer.mutable(bytes[v]);
                    words.add(word);
                    bytes[v] = lowest(new Expression.Get(word));
                }
                loaded.put(operand, bytes);
            }
        }
        Expression before = multiply(number, whole(Words.BYTES));
        writer.loop(whole(0), whole(count / step), 1, at -> {
            neighbours(together, flat, writer.let(add(before, at)), step,
                    (contraction, i) -> { });
            words.forEach(word -> writer.assign(word, Build.binary(
                    Expression.BinaryOperation.SHIFT_RIGHT, new Expression.Get(word),
                    whole(vector, Byte.SIZE))));
        });
        if (count % step > 0) {
            neighbours(together, flat, writer.let(add(before, whole(count / step))),
                    count % step, (contraction, i) -> { });
        }
    }

    /** The lowest byte, with its sign. */
    private static Expression lowest(Expression word) {
        Expression unused = whole(word.type(), Integer.SIZE - Byte.SIZE);
        return Build.binary(Expression.BinaryOperation.SHIFT_RIGHT,
                Build.binary(Expression.BinaryOperation.SHIFT_LEFT, word, unused), unused);
    }

    private interface Reading {
        void at(Contraction contraction, int neighbour);
    }

    /**
     * The products of neighbours of a step.
     *
     * @param number of the step
     * @param reading what reads the weights of a neighbour, where they are not there already
     */
    private void neighbours(
            List<Contraction> together,
            Expression flat,
            Expression number,
            int count,
            Reading reading) {
        for (int at = 0; at < count; at++) {
            Expression index = writer.let(add(multiply(number, whole(step)), whole(at)));
            Map<Contraction, Expression[]> weights = new HashMap<>();
            contractions.forEach(c -> emitter.bind(c.weights().last(), index));
            for (Contraction contraction : together) {
                reading.at(contraction, at);
                Expression[] values = new Expression[vectors];
                for (int v = 0; v < vectors; v++) {
                    values[v] = writer.let(product(contraction, factors(contraction), v, at));
                }
                weights.put(contraction, values);
            }
            for (int r = 0; r < places.size(); r++) {
                Expression x = writer.let(ScalarEmitter.widen(
                        activation(r, writer.let(add(multiply(flat, whole(length())), index))),
                        lanes));
                for (Contraction contraction : together) {
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
                    return coded.map(c -> Build.convert(
                                    Type.Element.F32, emitter.emit(c.factor())))
                            .orElseGet(() -> emitter.emit(lead.activations()));
                });
    }

    // ------------------------------------------------------------------ decoding

    /** The factors that all weights of a run have in common. */
    private List<Scalar> common(Contraction contraction) {
        Weights weights = contraction.weights();
        return Walk.factors(weights.value()).stream()
                .filter(f -> weights.operands().stream()
                        .filter(o -> Walk.contains(f, o.load()))
                        .allMatch(o -> o.isShared(step)))
                .toList();
    }

    /** The factors of a weight that no other of its run has. */
    private List<Scalar> factors(Contraction contraction) {
        List<Scalar> own = new ArrayList<>(Walk.factors(contraction.weights().value()));
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
