package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.multiply;
import static dev.weir.passes.schedule.Build.subtract;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.tensor.Walk;
import dev.weir.ir.type.Format;
import dev.weir.passes.contract.Contraction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * The activations of a tile's rows, computed once and laid side by side in scratch memory, before
 * any panel of weights is multiplied with them. For activations that cost more than to be loaded,
 * such as those of a patch that may reach over an image's border:
 *
 * <pre>
 *   for each row r, for each reduced k { s[r, k] = x(r, k) }
 *   for each panel { y[r, columns] = sum over k of s[r, k] · w[k, columns] }
 * </pre>
 */
final class GatheredRows {
    /** Rows that one tile takes. */
    static final int TILE_ROWS = 32;
    /** More elements would leave the cache that is a core's own before they are used. */
    private static final long MOST_ELEMENTS = 1 << 18;

    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Contraction contraction;
    private final Buffer scratch;
    private final long length;
    private final Expression first;

    private GatheredRows(ScalarEmitter emitter, Contraction contraction, Expression first) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.contraction = contraction;
        this.length = length(contraction);
        this.scratch = writer.scratch(Format.F32, TILE_ROWS * length + lanes());
        this.first = first;
    }

    /** Whether a contraction's activations are worth being gathered, and fit. */
    static boolean isFor(Contraction contraction) {
        return contraction.group().isEmpty()
                && isConditional(contraction.activations())
                && TILE_ROWS * length(contraction) <= MOST_ELEMENTS;
    }

    private static boolean isConditional(Scalar scalar) {
        return scalar instanceof Scalar.Load load && load.bounds() == Scalar.Bounds.GUARDED
                || scalar instanceof Scalar.Apply apply && apply.operation() == Operation.SELECT
                || Walk.operands(scalar).stream().anyMatch(GatheredRows::isConditional);
    }

    private static long length(Contraction contraction) {
        return product(contraction.reduced());
    }

    private static long product(List<Axis> axes) {
        return axes.stream()
                .mapToLong(a -> ((Scalar.Whole) a.upper()).value())
                .reduce(1, Math::multiplyExact);
    }

    /**
     * Gathers the rows from one to another, at most {@link #TILE_ROWS}.
     *
     * @param bind makes a row the present one
     */
    static GatheredRows write(
            ScalarEmitter emitter, Contraction contraction, Expression from, Expression to,
            Consumer<Expression> bind) {
        GatheredRows rows = new GatheredRows(emitter, contraction, from);
        rows.writer.loop(from, to, 1, row -> {
            bind.accept(row);
            rows.axes(contraction.reduced(), rows.start(row));
        });
        return rows;
    }

    private void axes(List<Axis> axes, Expression place) {
        Optional<Interior> interior =
                axes.size() == 2 && isRun(axes) ? interior(axes) : Optional.empty();
        interior.ifPresentOrElse(
                i -> writer.when(i.holds(),
                        () -> copy(axes, place),
                        () -> oneByOne(axes, place)),
                () -> oneByOne(axes, place));
    }

    private Optional<Interior> interior(List<Axis> run) {
        List<Axis> points = new ArrayList<>(contraction.compute().axes());
        points.addAll(contraction.reduced());
        return Interior.of(emitter, List.of(contraction.activations()), points, run);
    }

    /**
     * Whether neighbours along the last two axes are neighbours where they are read, such as the
     * pixels of a row with all their channels, and at least a vector of them.
     */
    private boolean isRun(List<Axis> axes) {
        if (!(contraction.activations() instanceof Scalar.Load load)
                || load.coordinates().size() < 2
                || load.source().type().format() != Format.F32
                || product(axes) < lanes()) {
            return false;
        }
        int last = load.coordinates().size() - 1;
        Axis inner = axes.getLast();
        Index outer = axes.getFirst().index();
        boolean alone = IntStream.range(0, last).noneMatch(i -> Walk.mentions(
                load.coordinates().get(i),
                i == last - 1 ? List.of(inner.index()) : List.of(inner.index(), outer)));
        return alone
                && last - 1 >= emitter.facts().tableAxes(load.source())
                && load.coordinates().get(last).equals(Scalar.variable(inner.index()))
                && inner.covers(load.source().type().shape().get(last))
                && Vectors.linear(load.coordinates().get(last - 1), outer);
    }

    /** Copies a run; its last vector begins where it ends with the run. */
    private void copy(List<Axis> run, Expression place) {
        Scalar.Load load = (Scalar.Load) contraction.activations();
        run.forEach(a -> emitter.bind(a, whole(0)));
        ScalarEmitter.Place first = emitter.place(
                load.source(), load.coordinates().stream().map(emitter::emit).toList());
        Expression from = writer.let(first.index());
        long length = product(run);
        Consumer<Expression> vector = at -> writer.store(scratch, add(place, at),
                writer.let(new Expression.Load(
                        first.buffer(), add(from, at), lanes(), Optional.empty())));
        writer.loop(whole(0), whole(length / lanes() * lanes()), lanes(), vector);
        if (length % lanes() > 0) {
            vector.accept(whole(length - lanes()));
        }
    }

    private void oneByOne(List<Axis> axes, Expression place) {
        Axis axis = axes.getFirst();
        Expression extent = emitter.emit(axis.upper());
        if (axes.size() == 1) {
            last(axis, extent, place);
            return;
        }
        long inner = product(axes.subList(1, axes.size()));
        writer.loop(whole(0), extent, 1, index -> {
            emitter.bind(axis, index);
            axes(axes.subList(1, axes.size()),
                    writer.let(add(place, multiply(index, whole(inner)))));
        });
    }

    /** In lanes as far as they go, the rest one by one. */
    private void last(Axis axis, Expression extent, Expression place) {
        long vectors = ((Scalar.Whole) axis.upper()).value() / lanes();
        Expression rest = whole(0);
        if (vectors > 0
                && Vectors.possible(contraction.activations(), axis, emitter.facts())) {
            rest = whole(vectors * lanes());
            writer.loop(whole(0), rest, lanes(), index -> element(axis, index, place,
                    Optional.of(new ScalarEmitter.Lanes(
                            axis.index(), lanes(), Optional.empty()))));
        }
        if (!rest.equals(extent)) {
            writer.loop(rest, extent, 1,
                    index -> element(axis, index, place, Optional.empty()));
        }
    }

    private void element(
            Axis axis, Expression index, Expression place, Optional<ScalarEmitter.Lanes> lanes) {
        emitter.bind(axis, index);
        writer.store(scratch, add(place, index),
                writer.let(emitter.spread(contraction.activations(), lanes)));
    }

    private int lanes() {
        return emitter.facts().target().lanes();
    }

    /** Where a row begins. */
    Expression start(Expression row) {
        return writer.let(multiply(subtract(row, first), whole(length)));
    }

    /**
     * An activation.
     *
     * @param start of its row
     * @param reduced its place among all reduced indices
     */
    Expression at(Expression start, Expression reduced) {
        return new Expression.Load(scratch, add(start, reduced), 1, Optional.empty());
    }
}
