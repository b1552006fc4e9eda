package dev.weir.runtime.checkpoint;

import dev.weir.ir.tensor.Parameter;
import dev.weir.ir.type.Quantisation;
import dev.weir.runtime.memory.Tensor;
import java.util.stream.LongStream;

/** Rounds floats, as they are stored, to the codes and scales that a model keeps. */
public final class Quantiser {
    private final Quantisation quantisation;
    private final Tensor floats;
    private final long length;
    private final Tensor result;

    private Quantiser(Parameter.Part part, Tensor floats, Tensor result) {
        this.quantisation = part.of();
        this.floats = floats;
        this.length = part.length();
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
        LongStream.range(0, rows).parallel().forEach(row -> {
            switch (part.kind()) {
                case CODES -> quantiser.codes(row);
                case SCALES -> quantiser.scales(row);
                case ZEROS -> quantiser.zeros(row);
            }
        });
        return result;
    }

    private Quantisation.Group group(long row, long group) {
        long size = quantisation.group(length);
        long from = group * size;
        double[] values = new double[(int) (Math.min(length, from + size) - from)];
        for (int i = 0; i < values.length; i++) {
            values[i] = floats.real(row * length + from + i);
        }
        return quantisation.round(values);
    }

    private void codes(long row) {
        int perByte = quantisation.codesPerByte();
        int mask = (1 << quantisation.bits()) - 1;
        long bytes = quantisation.codeBytes(length);
        long element = 0;
        long word = 0;
        for (long group = 0; group < quantisation.groups(length); group++) {
            for (int code : group(row, group).codes()) {
                word |= (long) (code & mask) << element % perByte * quantisation.bits();
                boolean full = ++element % perByte == 0 || element == length;
                if (full) {
                    result.setWhole(row * bytes + (element - 1) / perByte, word);
                    word = 0;
                }
            }
        }
    }

    private void scales(long row) {
        long groups = quantisation.groups(length);
        for (long group = 0; group < groups; group++) {
            result.setReal(row * groups + group, group(row, group).scale());
        }
    }

    private void zeros(long row) {
        long groups = quantisation.groups(length);
        for (long group = 0; group < groups; group++) {
            result.setWhole(row * groups + group, group(row, group).zero());
        }
    }
}
