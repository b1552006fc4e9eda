package dev.weir.ir.tensor;

import java.util.ArrayList;
import java.util.List;

/** Row-major memory. */
record DenseStorage(TensorData data) implements ScalarEvaluator.Storage {
    private int place(long[] coordinates) {
        long place = 0;
        for (int axis = 0; axis < coordinates.length; axis++) {
            place = place * data.size(axis) + coordinates[axis];
        }
        return (int) place;
    }

    @Override
    public double real(long[] coordinates) {
        return data.real(place(coordinates));
    }

    @Override
    public long whole(long[] coordinates) {
        return data.whole(place(coordinates));
    }

    @Override
    public int outside(long[] coordinates) {
        for (int axis = 0; axis < coordinates.length; axis++) {
            if (coordinates[axis] < 0 || coordinates[axis] >= data.size(axis)) {
                return axis;
            }
        }
        return -1;
    }

    @Override
    public long size(long[] coordinates, int axis) {
        return data.size(axis);
    }
}

/**
 * A state of a lifted program: the leading coordinates are the instances and the sequence.
 *
 * @param lengths whether it is the state's table of lengths that is read, not the state
 */
record StateStorage(Memory memory, State state, boolean lengths)
        implements ScalarEvaluator.Storage {
    private List<Long> instances(long[] coordinates) {
        List<Long> instances = new ArrayList<>();
        for (int i = 0; i < state.instances().size(); i++) {
            instances.add(coordinates[i]);
        }
        return instances;
    }

    private long sequence(long[] coordinates) {
        return coordinates[state.instances().size()];
    }

    private List<TensorData> rows(long[] coordinates) {
        return memory.rows(state, instances(coordinates), sequence(coordinates));
    }

    private TensorData part(long[] coordinates) {
        return state.grows()
                ? rows(coordinates).get((int) coordinates[state.instances().size() + 1])
                : memory.carried(state, instances(coordinates), sequence(coordinates));
    }

    private int place(long[] coordinates, TensorData part) {
        long place = 0;
        int first = coordinates.length - part.rank();
        for (int axis = 0; axis < part.rank(); axis++) {
            place = place * part.size(axis) + coordinates[first + axis];
        }
        return (int) place;
    }

    @Override
    public double real(long[] coordinates) {
        TensorData part = part(coordinates);
        return part.real(place(coordinates, part));
    }

    @Override
    public long whole(long[] coordinates) {
        if (lengths) {
            return rows(coordinates).size();
        }
        TensorData part = part(coordinates);
        return part.whole(place(coordinates, part));
    }

    @Override
    public int outside(long[] coordinates) {
        for (int axis = 0; axis < coordinates.length; axis++) {
            if (coordinates[axis] < 0
                    || (axis != state.instances().size()
                            && coordinates[axis] >= size(coordinates, axis))) {
                return axis;
            }
        }
        return -1;
    }

    @Override
    public long size(long[] coordinates, int axis) {
        int own = axis - state.instances().size() - 1;
        if (own < -1) {
            return state.instances().get(axis);
        }
        if (own == 0 && state.grows()) {
            return rows(coordinates).size();
        }
        return own < 0 ? Long.MAX_VALUE : state.ownShape().get(own).constant().orElseThrow();
    }
}
