package dev.weir.runtime.model;

import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.tensor.StreamAxis;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Value;
import dev.weir.ir.type.Format;
import dev.weir.ir.type.Size;
import dev.weir.ir.type.TensorType;
import dev.weir.runtime.memory.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What a model takes and gives, for one sequence; the same for a program at any stage.
 *
 * @param model its name
 */
public record Signature(String model, List<Slot> arguments, List<Slot> results) {
    public Signature {
        arguments = List.copyOf(arguments);
        results = List.copyOf(results);
    }

    /**
     * An argument or a result.
     *
     * @param type for one sequence
     * @param isStream whether its first axis is the stream
     */
    public record Slot(String name, TensorType type, boolean isStream) {
        /** Whether the runtime supplies it: absolute positions of the stream's elements. */
        public boolean isPositions() {
            return name.equals("positions");
        }

        public Format format() {
            return type.format();
        }
    }

    /**
     * Refuses arguments of a step that are too many, too few, or not of the size or format that is
     * read.
     *
     * @param rows how many elements of the stream each sequence gets
     * @throws IllegalArgumentException if they are
     */
    void requireFits(List<Tensor> given, long[] rows) {
        if (given.size() != arguments.size()) {
            throw new IllegalArgumentException(model + " takes " + arguments.size()
                    + " arguments, here are " + given.size());
        }
        for (int i = 0; i < given.size(); i++) {
            Slot slot = arguments.get(i);
            Tensor tensor = given.get(i);
            long elements = slot.isStream() ? Arrays.stream(rows).sum() : rows.length;
            List<Size> axes = slot.type().shape();
            for (Size axis : slot.isStream() ? axes.subList(1, axes.size()) : axes) {
                elements *= axis.constant().orElse(1L);
            }
            if (tensor.format() != slot.format() || tensor.elements() != elements) {
                throw new IllegalArgumentException("`" + slot.name() + "` of " + model + " is "
                        + slot.type() + " for each of " + rows.length + " sequences, "
                        + elements + " elements in all; here are " + tensor.elements() + " of "
                        + tensor.format() + " in " + Arrays.toString(tensor.shape()));
            }
        }
    }

    public static Signature of(TensorProgram program) {
        return of(program.name(), program.frames(), program.stream(),
                program.entry().body().arguments(), program.entry().body().results(),
                program.resultNames());
    }

    public static Signature of(KernelProgram program) {
        return of(program.name(), Optional.of(program.frames()), program.stream(),
                program.arguments(), program.results(), program.resultNames());
    }

    private static Signature of(
            String model,
            Optional<TensorProgram.Frames> frames,
            Optional<StreamAxis> stream,
            List<Value> arguments,
            List<Value> results,
            List<String> names) {
        List<Slot> given = new ArrayList<>();
        List<Slot> left = new ArrayList<>();
        arguments.forEach(a -> given.add(slot(a.name(), a.type(), frames, stream)));
        for (int i = 0; i < results.size(); i++) {
            left.add(slot(names.get(i), results.get(i).type(), frames, stream));
        }
        return new Signature(model, given, left);
    }

    /** Lifted, a value has one axis more: the sequences, or the rows of all streams. */
    private static Slot slot(
            String name,
            TensorType type,
            Optional<TensorProgram.Frames> frames,
            Optional<StreamAxis> stream) {
        List<Size> shape = type.shape();
        if (frames.isEmpty()) {
            boolean isStream = !shape.isEmpty()
                    && stream.map(s -> s.size().equals(shape.getFirst())).orElse(false);
            return new Slot(name, type, isStream);
        }
        boolean isStream = shape.getFirst().equals(frames.get().rows());
        List<Size> own = new ArrayList<>(shape.subList(1, shape.size()));
        if (isStream) {
            own.addFirst(stream.<Size>map(StreamAxis::size).orElse(shape.getFirst()));
        }
        return new Slot(name, new TensorType(type.format(), own), isStream);
    }
}
