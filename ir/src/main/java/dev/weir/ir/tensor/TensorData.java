package dev.weir.ir.tensor;

import dev.weir.ir.type.Format;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor on the heap, for the interpreter and for tests: floats as doubles that their format can
 * hold, integers and booleans as longs. Row-major.
 */
public final class TensorData {
    private final Format format;
    private final long[] shape;
    private final double[] reals;
    private final long[] wholes;

    private TensorData(Format format, long[] shape, double[] reals, long[] wholes) {
        this.format = format;
        this.shape = shape.clone();
        this.reals = reals;
        this.wholes = wholes;
    }

    /** All zero. */
    public static TensorData zeros(Format format, long... shape) {
        int n = Math.toIntExact(count(shape));
        return format.isFloat()
                ? new TensorData(format, shape, new double[n], new long[0])
                : new TensorData(format, shape, new double[0], new long[n]);
    }

    /** Floats, rounded to the format. */
    public static TensorData ofReals(Format format, long[] shape, double... values) {
        TensorData tensor = zeros(format, shape);
        for (int i = 0; i < tensor.reals.length; i++) {
            tensor.reals[i] = format.round(values[i]);
        }
        return tensor;
    }

    public static TensorData ofWholes(Format format, long[] shape, long... values) {
        TensorData tensor = zeros(format, shape);
        System.arraycopy(values, 0, tensor.wholes, 0, tensor.wholes.length);
        return tensor;
    }

    public static TensorData scalar(long value) {
        return ofWholes(Format.I64, new long[0], value);
    }

    /**
     * How many bytes a tensor of a shape takes that data may have decided.
     *
     * @throws Fault if no number of 64 bits says how many
     */
    public static long count(String name, long[] shape, int bytesOfOne) {
        try {
            return Arrays.stream(shape).anyMatch(size -> size == 0) ? 0
                    : Math.multiplyExact(count(shape), (long) bytesOfOne);
        } catch (ArithmeticException overflow) {
            throw tooLarge(name, shape);
        }
    }

    static Fault tooLarge(String name, long[] shape) {
        return new Fault(name + " would have the shape " + Arrays.toString(shape)
                + ", which no memory holds");
    }

    private static long count(long[] shape) {
        long n = 1;
        for (long size : shape) {
            n = Math.multiplyExact(n, size);
        }
        return n;
    }

    public Format format() {
        return format;
    }

    public long[] shape() {
        return shape.clone();
    }

    public int rank() {
        return shape.length;
    }

    public long size(int axis) {
        return shape[axis];
    }

    public int elements() {
        return format.isFloat() ? reals.length : wholes.length;
    }

    public double real(int index) {
        return reals[index];
    }

    public long whole(int index) {
        return wholes[index];
    }

    /** Stores a float, rounded to the format. */
    public void setReal(int index, double value) {
        reals[index] = format.round(value);
    }

    public void setWhole(int index, long value) {
        wholes[index] = format.wrap(value);
    }

    /** The part at one place of the first axis, copied. */
    public TensorData slice(long at) {
        long[] rest = Arrays.copyOfRange(shape, 1, shape.length);
        int n = Math.toIntExact(count(rest));
        TensorData part = zeros(format, rest);
        part.copyFrom(this, Math.toIntExact(at * n), 0, n);
        return part;
    }

    /** Replaces the part at one place of the first axis. */
    public void setSlice(long at, TensorData part) {
        int n = part.elements();
        copyFrom(part, 0, Math.toIntExact(at * n), n);
    }

    /** The same elements under another shape. */
    public TensorData reshaped(long... other) {
        if (count(other) != elements()) {
            throw new IllegalArgumentException(
                    Arrays.toString(shape) + " as " + Arrays.toString(other));
        }
        return new TensorData(format, other, reals, wholes);
    }

    /** The same elements with one more axis in front, of one place. */
    public TensorData asRow() {
        long[] longer = new long[shape.length + 1];
        longer[0] = 1;
        System.arraycopy(shape, 0, longer, 1, shape.length);
        return reshaped(longer);
    }

    /** A copy whose first axis is this one's axis {@code first}, the others behind it in order. */
    TensorData axisFirst(int first) {
        long[] moved = new long[shape.length];
        moved[0] = shape[first];
        for (int axis = 0, at = 1; axis < shape.length; axis++) {
            if (axis != first) {
                moved[at++] = shape[axis];
            }
        }
        TensorData result = zeros(format, moved);
        int inner = Math.toIntExact(count(Arrays.copyOfRange(shape, first + 1, shape.length)));
        int rows = Math.toIntExact(shape[first]);
        int outer = Math.toIntExact(count(Arrays.copyOfRange(shape, 0, first)));
        for (int row = 0; row < rows; row++) {
            for (int o = 0; o < outer; o++) {
                result.copyFrom(this, (o * rows + row) * inner, (row * outer + o) * inner, inner);
            }
        }
        return result;
    }

    /**
     * Tensors of one format and rank one behind the other along the first axis. Other axes are as
     * long as the longest, filled with zeros.
     */
    public static TensorData stacked(List<TensorData> parts) {
        long[] shape = parts.getFirst().shape();
        shape[0] = 0;
        for (TensorData part : parts) {
            shape[0] += part.shape[0];
            for (int axis = 1; axis < shape.length; axis++) {
                shape[axis] = Math.max(shape[axis], part.shape[axis]);
            }
        }
        TensorData all = zeros(parts.getFirst().format, shape);
        int row = Math.toIntExact(count(Arrays.copyOfRange(shape, 1, shape.length)));
        int at = 0;
        for (TensorData part : parts) {
            all.place(part, at);
            at += Math.toIntExact(part.shape[0]) * row;
        }
        return all;
    }

    /** Copies a tensor of the same rank to the beginning of all axes but the first. */
    private void place(TensorData part, int at) {
        if (part.elements() == 0) {
            return;
        }
        int last = shape.length - 1;
        int run = last == 0 ? part.elements() : Math.toIntExact(part.shape[last]);
        for (int from = 0; from < part.elements(); from += run) {
            int rest = from / run;
            int stride = last == 0 ? 1 : Math.toIntExact(shape[last]);
            int to = at;
            for (int axis = last - 1; axis >= 0; axis--) {
                int size = Math.toIntExact(part.shape[axis]);
                to += rest % size * stride;
                rest /= size;
                stride = Math.toIntExact(stride * shape[axis]);
            }
            copyFrom(part, from, to, run);
        }
    }

    public TensorData copy() {
        return new TensorData(format, shape, reals.clone(), wholes.clone());
    }

    void copyFrom(TensorData source, int from, int to, int n) {
        if (format.isFloat()) {
            System.arraycopy(source.reals, from, reals, to, n);
        } else {
            System.arraycopy(source.wholes, from, wholes, to, n);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TensorData t
                && format == t.format
                && Arrays.equals(shape, t.shape)
                && Arrays.equals(reals, t.reals)
                && Arrays.equals(wholes, t.wholes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(shape) * 31 + Arrays.hashCode(reals) + Arrays.hashCode(wholes);
    }

    @Override
    public String toString() {
        return format.word()
                + Arrays.toString(shape)
                + (format.isFloat() ? Arrays.toString(reals) : Arrays.toString(wholes));
    }
}
