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
    private final Tensor result;
    private final long[] ends;

    private Gather(Tensor stored, Parameter parameter, List<Long> instance, long[] own) {
        this.stored = stored;
        this.layout = parameter.layout().orElseThrow();
        this.own = own;
        this.instances = instance.size();
        this.place = new long[instances + own.length];
        for (int i = 0; i < instances; i++) {
            place[i] = instance.get(i);
        }
        this.result = Tensor.zeros(Checkpoint.floats(parameter), own);
        this.ends = new long[layout.coordinates().size()];
    }

    /**
     * @param own the shape of one instance
     * @param reach gets the coordinates behind the last ones that are read
     * @param fault gets what is wrong with the stored tensor, if something is
     */
    static Optional<Tensor> of(
            Tensor stored,
            Parameter parameter,
            List<Long> instance,
            long[] own,
            Consumer<long[]> reach,
            Consumer<String> fault) {
        Gather gather = new Gather(stored, parameter, instance, own);
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
        reach.accept(gather.ends);
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
        for (int axis = 0; axis < at.length; axis++) {
            long size = stored.shape()[axis];
            if (at[axis] < 0 || at[axis] >= size) {
                return Optional.of("has the shape " + Arrays.toString(stored.shape())
                        + ", but the model reads it at " + Arrays.toString(at));
            }
            index = index * size + at[axis];
            ends[axis] = Math.max(ends[axis], at[axis] + 1);
        }
        if (result.format().isFloat()) {
            result.setReal(element, stored.real(index));
        } else {
            result.setWhole(element, stored.whole(index));
        }
        return Optional.empty();
    }
}
