package dev.weir.runtime.checkpoint;

import dev.weir.ir.tensor.Parameter;
import dev.weir.runtime.memory.Tensor;
import java.util.stream.LongStream;

/** Rounds floats, as they are stored, to the codes and scales that a model keeps. */
public final class Quantiser {
    private final Parameter.Part part;
    private final Tensor floats;
    private final Tensor result;

    private Quantiser(Parameter.Part part, Tensor floats, Tensor result) {
        this.part = part;
        this.floats = floats;
        this.result = result;
    }

    /**
     * One part of one instance.
     *
     * @param parameter that is a part
     * @param floats the elements to round, row-major; their axes may be merged
     */
    public static Tensor part(Parameter parameter, Tensor floats) {
        Parameter.Part part = parameter.part().orElseThrow();
        long[] shape = parameter.storedShape();
        long rows = part.length() == 0 ? 0 : Tensor.count(shape) / part.length();
        shape[shape.length - 1] = part.extent();
        Tensor result = Tensor.zeros(part.format(), shape);
        Quantiser quantiser = new Quantiser(part, floats, result);
        // A row's parts are whole bytes, so rows do not meet.
        LongStream.range(0, rows).parallel().forEach(quantiser::row);
        return result;
    }

    private void row(long number) {
        double[] row = new double[Math.toIntExact(part.length())];
        for (int i = 0; i < row.length; i++) {
            row[i] = floats.real(number * row.length + i);
        }
        long first = number * part.extent();
        switch (part.kind()) {
            case SCALES -> {
                float[] scales = part.of().scales(row);
                for (int i = 0; i < scales.length; i++) {
                    result.setReal(first + i, scales[i]);
                }
            }
            case CODES -> bytes(first, part.of().codes(row));
            case ZEROS -> bytes(first, part.of().zeros(row));
        }
    }

    private void bytes(long first, byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            result.setWhole(first + i, bytes[i]);
        }
    }
}
