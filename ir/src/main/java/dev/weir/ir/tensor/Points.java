package dev.weir.ir.tensor;

import java.util.List;
import java.util.function.Consumer;

/** Walks through the points of an index space, the last index fastest. */
final class Points {
    private final int[] slots;
    private final ScalarEvaluator.WholeCode[] lower;
    private final ScalarEvaluator.WholeCode[] upper;

    Points(ScalarEvaluator evaluator, List<Axis> axes) {
        slots = new int[axes.size()];
        lower = new ScalarEvaluator.WholeCode[axes.size()];
        upper = new ScalarEvaluator.WholeCode[axes.size()];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = evaluator.slot(axes.get(i).index());
            lower[i] = evaluator.whole(axes.get(i).lower());
            upper[i] = evaluator.whole(axes.get(i).upper());
        }
    }

    /** Index values of all nodes of one compute fit into so many places. */
    static final int SLOTS = 64;

    void forEach(Consumer<long[]> action) {
        walk(0, new long[SLOTS], action);
    }

    /** Walks on from index values that are already set. */
    void forEach(long[] indices, Consumer<long[]> action) {
        walk(0, indices, action);
    }

    private void walk(int depth, long[] indices, Consumer<long[]> action) {
        if (depth == slots.length) {
            action.accept(indices);
            return;
        }
        long end = upper[depth].at(indices);
        for (long i = lower[depth].at(indices); i < end; i++) {
            indices[slots[depth]] = i;
            walk(depth + 1, indices, action);
        }
    }

    /** The flat place of the present point in a tensor whose axes are these indices. */
    int place(long[] indices, TensorData tensor) {
        long place = 0;
        for (int axis = 0; axis < slots.length; axis++) {
            place = place * tensor.size(axis) + indices[slots[axis]];
        }
        return (int) place;
    }

    int slot(int axis) {
        return slots[axis];
    }
}
