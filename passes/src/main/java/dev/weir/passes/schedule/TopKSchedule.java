package dev.weir.passes.schedule;

import static dev.weir.passes.schedule.Build.add;
import static dev.weir.passes.schedule.Build.binary;
import static dev.weir.passes.schedule.Build.compare;
import static dev.weir.passes.schedule.Build.real;
import static dev.weir.passes.schedule.Build.select;
import static dev.weir.passes.schedule.Build.whole;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression;
import dev.weir.ir.kernel.Expression.BinaryOperation;
import dev.weir.ir.kernel.Expression.Comparison;
import dev.weir.ir.kernel.Variable;
import dev.weir.ir.tensor.Node;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Writes the selection of the k largest elements of one row in one pass: the largest so far stand
 * sorted in scratch, and an element that is larger than the last of them is put where it belongs.
 *
 * <pre>
 *   element 5 among 9 7 4   ⇒   9 7 5
 * </pre>
 *
 * <p>Of a row in random order few elements behind the first k are, so that most cost a comparison;
 * of as many as a vector has lanes, one for all of them. Equal elements stay in their order.
 */
final class TopKSchedule {
    private final ScalarEmitter emitter;
    private final KernelWriter writer;
    private final Set<Value> exported;

    TopKSchedule(ScalarEmitter emitter, Set<Value> exported) {
        this.emitter = emitter;
        this.writer = emitter.writer();
        this.exported = exported;
    }

    /** The largest elements so far, NaN as the smallest number, and their places. */
    private record Best(Buffer keys, Buffer places) {}

    void write(Node.TopK node, List<Expression> row) {
        int axis = node.operand().type().rank() - 1;
        long all = node.operand().type().shape().get(axis).constant().orElseThrow(
                () -> new IllegalStateException("the largest of a run-time number of elements"));
        Buffer values = room(node.values(), node.count());
        Buffer indices = room(node.indices(), node.count());
        if (all < node.count()) {
            writer.fault(writer.check("the " + node.count() + " largest elements of "
                    + node.operand().name()), whole(all), whole(node.count()));
            return;
        }
        if (node.count() == 0) {
            return;
        }
        Best best = new Best(
                writer.scratch(node.operand().type().format().compute(), node.count()),
                writer.scratch(Format.I64, node.count()));
        writer.loop(whole(0), whole(node.count()), 1, i -> {
            Moving moving = insert(best, key(node, row, i), i, i);
            writer.store(best.keys, i, new Expression.Get(moving.key));
            writer.store(best.places, i, new Expression.Get(moving.place));
        });
        Variable last = writer.mutable(load(best.keys, whole(node.count() - 1)));
        int lanes = node.operand().type().format() == Format.F32
                ? emitter.facts().target().lanes() : 1;
        long blocks = lanes > 1 ? (all - node.count()) / lanes : 0;
        long rest = node.count() + blocks * lanes;
        if (blocks > 0) {
            writer.loop(whole(node.count()), whole(rest), lanes, from -> writer.when(
                    compare(Comparison.GREATER, writer.let(new Expression.Fold(
                            BinaryOperation.MAXIMUM,
                            writer.let(ordered(writer.let(read(
                                    node.operand(), row, from, lanes)))))),
                            new Expression.Get(last)),
                    () -> writer.loop(from, writer.let(add(from, whole(lanes))), 1,
                            i -> consider(node, row, best, last, i))));
        }
        if (rest < all) {
            writer.loop(whole(rest), whole(all), 1, i -> consider(node, row, best, last, i));
        }
        writer.loop(whole(0), whole(node.count()), 1, rank -> {
            Expression place = writer.let(load(best.places, rank));
            deliver(node.values(), values, row, rank,
                    writer.let(read(node.operand(), row, place, 1)));
            deliver(node.indices(), indices, row, rank, place);
        });
    }

    private void consider(
            Node.TopK node, List<Expression> row, Best best, Variable last, Expression i) {
        Expression key = key(node, row, i);
        writer.when(compare(Comparison.GREATER, key, new Expression.Get(last)), () -> {
            insert(best, key, i, whole(node.count()));
            writer.assign(last, load(best.keys, whole(node.count() - 1)));
        });
    }

    /** What has no place yet: the new element, or one that it made move on. */
    private record Moving(Variable key, Variable place) {}

    /**
     * Puts an element in front of the first smaller one of a sorted list, and moves all behind it
     * on by one.
     *
     * @param count how many there are
     * @return what was moved out at the end
     */
    private Moving insert(Best best, Expression key, Expression place, Expression count) {
        Moving moving = new Moving(writer.mutable(key), writer.mutable(place));
        Variable moved = writer.mutable(Build.truth(false));
        writer.loop(whole(0), count, 1, rank -> {
            Expression thisKey = writer.let(load(best.keys, rank));
            Expression thisPlace = writer.let(load(best.places, rank));
            Expression nextKey = writer.let(new Expression.Get(moving.key));
            Expression nextPlace = writer.let(new Expression.Get(moving.place));
            // Behind the first smaller one all move, equal ones too.
            Expression moves = writer.let(binary(BinaryOperation.OR, new Expression.Get(moved),
                    compare(Comparison.GREATER, nextKey, thisKey)));
            writer.store(best.keys, rank, select(moves, nextKey, thisKey));
            writer.store(best.places, rank, select(moves, nextPlace, thisPlace));
            writer.assign(moving.key, select(moves, thisKey, nextKey));
            writer.assign(moving.place, select(moves, thisPlace, nextPlace));
            writer.assign(moved, moves);
        });
        return moving;
    }

    private Expression key(Node.TopK node, List<Expression> row, Expression i) {
        return writer.let(ordered(writer.let(read(node.operand(), row, i, 1))));
    }

    private static Expression load(Buffer buffer, Expression at) {
        return new Expression.Load(buffer, at, 1, Optional.empty());
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

    private Expression read(Value operand, List<Expression> row, Expression at, int lanes) {
        if (emitter.local(operand).orElse(null) instanceof Local.InScratch scratch) {
            return new Expression.Load(scratch.buffer(), at, lanes, Optional.empty());
        }
        List<Expression> coordinates = new ArrayList<>(row);
        coordinates.add(at);
        ScalarEmitter.Place place = emitter.place(operand, coordinates);
        return new Expression.Load(place.buffer(), place.index(), lanes, Optional.empty());
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
