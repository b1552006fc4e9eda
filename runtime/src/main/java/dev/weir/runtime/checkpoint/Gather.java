package dev.weir.runtime.checkpoint;

import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Reads a parameter out of a stored tensor that is laid out otherwise. */
final class Gather {
    private final Tensor stored;
    private final Parameter.Layout layout;
    private final long[] place;
    private final long[] own;
    private final int instances;
    private final long[] extents;
    private final Tensor result;

    private Gather(
            Tensor stored, Parameter parameter, List<Long> instance, long[] own, long[] extents) {
        this.stored = stored;
        this.extents = extents;
        this.layout = parameter.layout().orElseThrow();
        this.own = own;
        this.instances = instance.size();
        this.place = new long[instances + own.length];
        for (int i = 0; i < instances; i++) {
            place[i] = instance.get(i);
        }
        this.result = Tensor.zeros(Checkpoint.floats(parameter), own);
    }

    /**
     * @param own the shape of one instance
     * @param extents those of the stored tensor that are read, made longer where this reads further
     * @param fault gets what is wrong with the stored tensor, if something is
     */
    static Optional<Tensor> of(
            Tensor stored,
            Parameter parameter,
            List<Long> instance,
            long[] own,
            long[] extents,
            Consumer<String> fault) {
        Gather gather = new Gather(stored, parameter, instance, own, extents);
        if (gather.layout.coordinates().size() != stored.shape().length) {
            fault.accept("has the shape " + Arrays.toString(stored.shape()) + ", expected "
                    + gather.layout.coordinates().size() + " axes");
            return Optional.empty();
        }
        for (long element = 0; element < gather.result.elements(); element++) {
            Optional<String> outside = gather.copy(element);
            if (outside.isPresent()) {
                fault.accept(outside.get());
                return Optional.empty();
            }
        }
        return Optional.of(gather.result);
    }

    private Optional<String> copy(long element) {
        long rest = element;
        for (int axis = own.length - 1; axis >= 0; axis--) {
            place[instances + axis] = rest % own[axis];
            rest /= own[axis];
        }
        long[] at = layout.at(place);
        long index = 0;
        boolean isInside = true;
        for (int axis = 0; axis < at.length; axis++) {
            long size = stored.shape()[axis];
            if (at[axis] < 0) {
                return Optional.of("has the shape " + Arrays.toString(stored.shape())
                        + ", but the model reads it at " + Arrays.toString(at));
            }
            extents[axis] = Math.max(extents[axis], at[axis] + 1);
            isInside &= at[axis] < size;
            index = index * size + at[axis];
        }
        if (!isInside) {
            return Optional.empty(); // the extents tell
        }
        if (result.format().isFloat()) {
            result.setReal(element, stored.real(index));
        } else {
            result.setWhole(element, stored.whole(index));
        }
        return Optional.empty();
    }
}
