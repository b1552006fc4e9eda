package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.fma;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.operation.Operation;
import dev.weir.ir.tensor.Axis;
import dev.weir.ir.tensor.Fault;
import dev.weir.ir.tensor.Index;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Reduction;
import dev.weir.ir.tensor.Scalar;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;

/** Writes reductions as loops, over lanes where the reduced axis allows it. */
final class Reductions {
    private final ScalarEmitter emitter;
    private final KernelWriter writer;

    Reductions(ScalarEmitter emitter, KernelWriter writer) {
        this.emitter = emitter;
        this.writer = writer;
    }

    /** Computes a reduction where it is read, at the given coordinates of its result. */
    Expression inline(Local.Inline inline, List<Scalar> coordinates) {
        Node.Compute compute = inline.compute();
        for (int axis = 0; axis < compute.axes().size(); axis++) {
            emitter.bind(compute.axes().get(axis), emitter.emit(coordinates.get(axis)));
        }
        return stored(compute, element(compute, Optional.empty()));
    }

    /** A result as a load would give it back: rounded to the format in which it is named. */
    static Expression stored(Node.Compute compute, Expression value) {
        Format format = compute.result().type().format();
        if (format == Format.I8) {
            // What is above the lowest 8 bits falls away; the sign is theirs.
            Expression unused = Build.whole(value.type(), 24);
            return Build.binary(BinaryOperation.SHIFT_RIGHT,
                    Build.binary(BinaryOperation.SHIFT_LEFT, value, unused), unused);
        }
        return format == format.compute() ? value : new Expression.RoundTo(format, value);
    }

    /** The element of a compute node at the present indices, reduction included. */
    Expression element(Node.Compute compute, Optional<ScalarEmitter.Lanes> lanes) {
        if (compute.reduction().isEmpty()) {
            return emitter.spread(compute.body(), lanes);
        }
        Reduction reduction = compute.reduction().get();
        if (reduction.kind() == Reduction.Kind.ARGUMENT_MAXIMUM) {
            return argument(reduction, compute.body());
        }
        Optional<Axis> vector = lanes.isPresent()
                ? Optional.empty()
                : vectorAxis(reduction, compute.body());
        if (vector.isPresent()) {
            return overLanes(reduction, compute.body(), vector.get());
        }
        Variable sum = writer.mutable(identity(
                reduction.kind(), compute.body().format(),
                lanes.map(ScalarEmitter.Lanes::count).orElse(1)));
        loops(reduction.axes(), () -> accumulate(reduction, sum, compute.body(), lanes));
        return new Expression.Get(sum);
    }

    static Expression identity(Reduction.Kind kind, Format format, int lanes) {
        Expression scalar = switch (kind.identity(format)) {
            case Scalar.Real r -> new Expression.Real(ScalarEmitter.type(format), r.value());
            case Scalar.Whole w -> new Expression.Whole(ScalarEmitter.type(format), w.value());
            case Scalar s -> throw new IllegalStateException("identity " + s);
        };
        return ScalarEmitter.widen(scalar, lanes);
    }

    private void loops(List<Axis> axes, Runnable body) {
        if (axes.isEmpty()) {
            body.run();
            return;
        }
        Axis axis = axes.getFirst();
        writer.loop(emitter.emit(axis.lower()), emitter.emit(axis.upper()), 1, index -> {
            emitter.bind(axis, index);
            loops(axes.subList(1, axes.size()), body);
        });
    }

    private void accumulate(
            Reduction reduction,
            Variable sum,
            Scalar body,
            Optional<ScalarEmitter.Lanes> lanes) {
        if (reduction.filter().isPresent()) {
            writer.when(emitter.emit(reduction.filter().get()),
                    () -> writer.assign(sum, combined(reduction.kind(), sum, body, lanes)));
        } else {
            writer.assign(sum, combined(reduction.kind(), sum, body, lanes));
        }
    }

    /** The sum with one more term; products are added with fused multiply-add. */
    Expression combined(
            Reduction.Kind kind,
            Variable sum,
            Scalar body,
            Optional<ScalarEmitter.Lanes> lanes) {
        Expression old = new Expression.Get(sum);
        if (kind == Reduction.Kind.SUM
                && body instanceof Scalar.Apply product
                && product.operation() == Operation.MULTIPLY
                && product.format().isFloat()) {
            return fma(
                    emitter.spread(product.operands().get(0), lanes),
                    emitter.spread(product.operands().get(1), lanes),
                    old);
        }
        return combine(kind, old, emitter.spread(body, lanes));
    }

    static Expression combine(Reduction.Kind kind, Expression old, Expression term) {
        return switch (kind) {
            case SUM -> add(old, term);
            case PRODUCT, MAXIMUM, MINIMUM, ANY, ALL -> binary(operation(kind), old, term);
            case ARGUMENT_MAXIMUM -> throw new IllegalArgumentException(kind.word());
        };
    }

    static BinaryOperation operation(Reduction.Kind kind) {
        return switch (kind) {
            case SUM -> BinaryOperation.ADD;
            case PRODUCT -> BinaryOperation.MULTIPLY;
            case MAXIMUM -> BinaryOperation.MAXIMUM;
            case MINIMUM -> BinaryOperation.MINIMUM;
            case ANY -> BinaryOperation.OR;
            case ALL -> BinaryOperation.AND;
            case ARGUMENT_MAXIMUM -> throw new IllegalArgumentException(kind.word());
        };
    }

    /**
     * The axis whose neighbouring terms are computed at once: the last one, of constant extent. A
     * run-time extent would move terms between lanes and remainder as it grows, and with them the
     * rounding; the same sequence in other chunks would give other bytes.
     */
    private Optional<Axis> vectorAxis(Reduction reduction, Scalar body) {
        if (reduction.axes().isEmpty()) {
            return Optional.empty();
        }
        Axis last = reduction.axes().getLast();
        boolean constant = last.lower().equals(Scalar.whole(0))
                && last.upper() instanceof Scalar.Whole n
                && n.value() >= emitter.facts().target().lanes();
        return constant
                        && reduction.filter().isEmpty()
                        && body.format() == Format.F32
                        && Vectors.possible(body, last, emitter.facts())
                ? Optional.of(last)
                : Optional.empty();
    }

    private Expression overLanes(Reduction reduction, Scalar body, Axis vector) {
        int lanes = emitter.facts().target().lanes();
        long extent = ((Scalar.Whole) vector.upper()).value();
        long whole = extent / lanes * lanes;
        Variable sums = writer.mutable(identity(reduction.kind(), body.format(), lanes));
        Variable rest = writer.mutable(identity(reduction.kind(), body.format(), 1));
        List<Axis> outer = reduction.axes().subList(0, reduction.axes().size() - 1);
        loops(outer, () -> {
            writer.loop(whole(0), whole(whole), lanes, index -> {
                emitter.bind(vector, index);
                writer.assign(sums, combined(reduction.kind(), sums, body, Optional.of(
                        new ScalarEmitter.Lanes(vector.index(), lanes, Optional.empty()))));
            });
            if (whole < extent) {
                writer.loop(whole(whole), whole(extent), 1, index -> {
                    emitter.bind(vector, index);
                    writer.assign(
                            rest, combined(reduction.kind(), rest, body, Optional.empty()));
                });
            }
        });
        Expression folded =
                new Expression.Fold(operation(reduction.kind()), new Expression.Get(sums));
        return writer.let(whole < extent
                ? combine(reduction.kind(), folded, new Expression.Get(rest))
                : folded);
    }

    /**
     * Whether {@link #sideBySide} can be used of a node.
     *
     * @param differing the node's indices that differ between the places
     */
    boolean goesSideBySide(Node.Compute compute, List<Index> differing) {
        Reduction reduction = compute.reduction().orElseThrow();
        return reduction.axes().size() == 1
                && Vectors.harmlessAlong(compute.body(), differing, emitter.facts())
                && vectorAxis(reduction, compute.body())
                        .filter(a -> ((Scalar.Whole) a.upper()).value()
                                % emitter.facts().target().lanes() == 0)
                        .isPresent();
    }

    /**
     * A reduction at several places at once, each in the order that it has alone.
     *
     * @param coordinates at which it is read, in the indices that {@code bind} gives values to
     * @param bind makes a place the present one
     */
    List<Expression> sideBySide(
            Node.Compute compute, List<Scalar> coordinates, int places, IntConsumer bind) {
        BinaryOperation operation = operation(compute.reduction().orElseThrow().kind());
        return vectors(compute, coordinates, places, bind).stream()
                .map(v -> writer.let(stored(
                        compute, writer.let(new Expression.Fold(operation, v)))))
                .toList();
    }

    /** As {@link #sideBySide} at as many places as there are lanes, each in its lane. */
    Expression inLanes(Node.Compute compute, List<Scalar> coordinates, IntConsumer bind) {
        return writer.let(stored(compute, writer.let(new Expression.FoldEach(
                operation(compute.reduction().orElseThrow().kind()),
                vectors(compute, coordinates, emitter.facts().target().lanes(), bind)))));
    }

    private List<Expression> vectors(
            Node.Compute compute, List<Scalar> coordinates, int places, IntConsumer bind) {
        Reduction reduction = compute.reduction().orElseThrow();
        Axis vector = reduction.axes().getFirst();
        int lanes = emitter.facts().target().lanes();
        List<List<Expression>> at = new ArrayList<>();
        List<Variable> sums = new ArrayList<>();
        for (int place = 0; place < places; place++) {
            bind.accept(place);
            at.add(coordinates.stream().map(c -> writer.let(emitter.emit(c))).toList());
            sums.add(writer.mutable(
                    identity(reduction.kind(), compute.body().format(), lanes)));
        }
        writer.loop(whole(0), emitter.emit(vector.upper()), lanes, index -> {
            for (int place = 0; place < places; place++) {
                for (int axis = 0; axis < compute.axes().size(); axis++) {
                    emitter.bind(compute.axes().get(axis), at.get(place).get(axis));
                }
                emitter.bind(vector, index);
                Variable sum = sums.get(place);
                writer.assign(sum, combined(reduction.kind(), sum, compute.body(), Optional.of(
                        new ScalarEmitter.Lanes(vector.index(), lanes, Optional.empty()))));
            }
        });
        return sums.stream().<Expression>map(Expression.Get::new).toList();
    }

    private Expression argument(Reduction reduction, Scalar body) {
        Axis axis = reduction.axes().getFirst();
        Variable best = writer.mutable(whole(-1));
        Type type = ScalarEmitter.type(body.format());
        Variable largest = writer.mutable(type.element().isFloat()
                ? Build.real(type, 0)
                : whole(type, 0));
        writer.loop(emitter.emit(axis.lower()), emitter.emit(axis.upper()), 1, index -> {
            emitter.bind(axis, index);
            Runnable see = () -> {
                Expression term = writer.let(emitter.emit(body));
                Expression better = binary(
                        BinaryOperation.OR,
                        compare(Comparison.LESS, new Expression.Get(best), whole(0)),
                        compare(Comparison.GREATER, term, new Expression.Get(largest)));
                writer.when(better, () -> {
                    writer.assign(best, index);
                    writer.assign(largest, term);
                });
            };
            if (reduction.filter().isPresent()) {
                writer.when(emitter.emit(reduction.filter().get()), see);
            } else {
                see.run();
            }
        });
        int code = writer.check(Fault.LARGEST_OF_NONE);
        writer.when(compare(Comparison.LESS, new Expression.Get(best), whole(0)),
                () -> writer.fault(code, whole(0), whole(0)));
        return new Expression.Get(best);
    }
}
