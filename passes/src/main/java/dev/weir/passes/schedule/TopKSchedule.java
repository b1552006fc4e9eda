package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.not;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Writes the selection of the k largest elements of one row: k passes, each marks what it took. */
final class TopKSchedule {
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Set<Value> exported;

    TopKSchedule(ScalarEmitter emitter, Set<Value> exported) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.exported = exported;
    }

    void write(Node.TopK node, List<Expression> row) {
        int axis = node.operand().type().rank() - 1;
        Expression count = emitter.extent(node.operand().type().shape().get(axis));
        if (!(count instanceof Expression.Whole n && n.value() >= node.count())) {
            int code = writer.check("the " + node.count() + " largest elements of "
                    + node.operand().name());
            writer.when(Build.less(count, whole(node.count())),
                    () -> writer.fault(code, count, whole(node.count())));
        }
        Buffer taken = writer.scratch(Format.BOOL, node.operand().type().shape().get(axis)
                .constant().orElseThrow(() -> new IllegalStateException(
                        "the largest of a run-time number of elements")));
        Buffer values = room(node.values(), node.count());
        Buffer indices = room(node.indices(), node.count());
        writer.loop(whole(0), count, 1, i -> writer.store(taken, i, Build.truth(false)));
        writer.loop(whole(0), whole(node.count()), 1, rank -> {
            Variable best = writer.mutable(whole(-1));
            Type type = ScalarEmitter.type(node.operand().type().format().compute());
            Variable largest = writer.mutable(
                    type.element().isFloat() ? real(type, 0) : whole(type, 0));
            writer.loop(whole(0), count, 1, i -> {
                Expression free = not(new Expression.Load(taken, i, 1, Optional.empty()));
                writer.when(free, () -> {
                    Expression value = writer.let(ordered(read(node.operand(), row, i)));
                    Expression better = binary(
                            BinaryOperation.OR,
                            compare(Comparison.LESS, new Expression.Get(best), whole(0)),
                            compare(Comparison.GREATER, value, new Expression.Get(largest)));
                    writer.when(better, () -> {
                        writer.assign(best, i);
                        writer.assign(largest, value);
                    });
                });
            });
            Expression place = new Expression.Get(best);
            writer.store(taken, place, Build.truth(true));
            Expression value = writer.let(read(node.operand(), row, place));
            deliver(node.values(), values, row, rank, value);
            deliver(node.indices(), indices, row, rank, place);
        });
    }

    /** NaN counts as the smallest. */
    private static Expression ordered(Expression value) {
        if (!value.type().element().isFloat()) {
            return value;
        }
        return select(
                compare(Comparison.NOT_EQUAL, value, value),
                real(value.type(), Double.NEGATIVE_INFINITY),
                value);
    }

    private Buffer room(Value value, long count) {
        Buffer buffer = writer.scratch(value.type().format(), count);
        emitter.keep(value, new Local.InScratch(
                buffer, value.type().rank() - 1, List.of(count), -1, whole(0), whole(0)));
        return buffer;
    }

    private Expression read(Value operand, List<Expression> row, Expression at) {
        if (emitter.local(operand).orElse(null) instanceof Local.InScratch scratch) {
            return new Expression.Load(scratch.buffer(), at, 1, Optional.empty());
        }
        List<Expression> coordinates = new ArrayList<>(row);
        coordinates.add(at);
        ScalarEmitter.Place place = emitter.place(operand, coordinates);
        return new Expression.Load(place.buffer(), place.index(), 1, Optional.empty());
    }

    private void deliver(
            Value value, Buffer scratch, List<Expression> row, Expression at, Expression element) {
        writer.store(scratch, at, element);
        if (exported.contains(value)) {
            List<Expression> coordinates = new ArrayList<>(row);
            coordinates.add(at);
            ScalarEmitter.Place place = emitter.place(value, coordinates);
            writer.store(place.buffer(), place.index(), element);
        }
    }
}
