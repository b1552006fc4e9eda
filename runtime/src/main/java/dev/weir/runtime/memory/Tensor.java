package dev.weir.runtime.memory;

import dev.weir.ir.tensor.TensorData;
import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A dense, row-major tensor off the heap.
 *
 * @param format of an element
 * @param shape one size an axis
 * @param memory at least as many bytes as the elements take
 */
public record Tensor(Format format, long[] shape, MemorySegment memory) {
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
    private static final ValueLayout.OfDouble DOUBLE = ValueLayout.JAVA_DOUBLE_UNALIGNED;

    /** A tensor of its own, all zero, that lives as long as somebody refers to it. */
    public static Tensor zeros(Format format, long... shape) {
        long bytes = count(shape) * format.bytes();
        return new Tensor(format, shape, Arena.ofAuto().allocate(Math.max(64, bytes + 64), 64));
    }

    public static Tensor ofLongs(long... values) {
        Tensor tensor = zeros(Format.I64, values.length);
        for (int i = 0; i < values.length; i++) {
            tensor.setWhole(i, values[i]);
        }
        return tensor;
    }

    public static Tensor of(TensorData data) {
        Tensor tensor = zeros(data.format(), data.shape());
        for (int i = 0; i < data.elements(); i++) {
            if (data.format().isFloat()) {
                tensor.setReal(i, data.real(i));
            } else {
                tensor.setWhole(i, data.whole(i));
            }
        }
        return tensor;
    }

    public TensorData toData() {
        TensorData data = TensorData.zeros(format, shape);
        for (int i = 0; i < data.elements(); i++) {
            if (format.isFloat()) {
                data.setReal(i, real(i));
            } else {
                data.setWhole(i, whole(i));
            }
        }
        return data;
    }

    public static long count(long... shape) {
        return Arrays.stream(shape).reduce(1, Math::multiplyExact);
    }

    public long elements() {
        return count(shape);
    }

    public long bytes() {
        return elements() * format.bytes();
    }

    public double real(long index) {
        return switch (format) {
            case F64 -> memory.get(DOUBLE, index * 8);
            case F32 -> memory.get(FLOAT, index * 4);
            case BF16 -> Format.bf16ToFloat(memory.get(SHORT, index * 2));
            case F16 -> Float.float16ToFloat(memory.get(SHORT, index * 2));
            case F8E4M3 -> Float8.e4m3ToFloat(memory.get(ValueLayout.JAVA_BYTE, index));
            case F8E5M2 -> Float8.e5m2ToFloat(memory.get(ValueLayout.JAVA_BYTE, index));
            case I64, I32, I8, BOOL -> whole(index);
        };
    }

    public long whole(long index) {
        return switch (format) {
            case I64 -> memory.get(LONG, index * 8);
            case I32 -> memory.get(INT, index * 4);
            case I8, BOOL -> memory.get(ValueLayout.JAVA_BYTE, index);
            case F64, F32, BF16, F16, F8E4M3, F8E5M2 -> (long) real(index);
        };
    }

    public void setReal(long index, double value) {
        switch (format) {
            case F64 -> memory.set(DOUBLE, index * 8, value);
            case F32 -> memory.set(FLOAT, index * 4, (float) value);
            case BF16 -> memory.set(SHORT, index * 2, Format.floatToBf16((float) value));
            case F16 -> memory.set(SHORT, index * 2, Float.floatToFloat16((float) value));
            case F8E4M3 -> memory.set(
                    ValueLayout.JAVA_BYTE, index, Float8.floatToE4m3((float) value));
            case F8E5M2 -> memory.set(
                    ValueLayout.JAVA_BYTE, index, Float8.floatToE5m2((float) value));
            case I64, I32, I8, BOOL -> setWhole(index, (long) value);
        }
    }

    public void setWhole(long index, long value) {
        switch (format) {
            case I64 -> memory.set(LONG, index * 8, value);
            case I32 -> memory.set(INT, index * 4, (int) value);
            case I8, BOOL -> memory.set(ValueLayout.JAVA_BYTE, index, (byte) value);
            case F64, F32, BF16, F16, F8E4M3, F8E5M2 -> setReal(index, value);
        }
    }

    /** Rows {@code from} up to {@code to} of the first axis; the same memory. */
    public Tensor rows(long from, long to) {
        long[] part = shape.clone();
        part[0] = to - from;
        long row = elements() == 0 ? 0 : bytes() / shape[0];
        return new Tensor(format, part, memory.asSlice(from * row));
    }

    /** A copy with memory of its own. */
    public Tensor copy() {
        Tensor copy = zeros(format, shape);
        MemorySegment.copy(memory, 0, copy.memory, 0, bytes());
        return copy;
    }

    /** The same memory, which cannot be read any more once the arena is closed. */
    public Tensor during(Arena arena) {
        return new Tensor(format, shape, memory.reinterpret(arena, null));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tensor t
                && format == t.format
                && Arrays.equals(shape, t.shape)
                && memory.asSlice(0, bytes()).mismatch(t.memory.asSlice(0, t.bytes())) < 0;
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(shape) * 31 + format.hashCode();
    }

    @Override
    public String toString() {
        return format.word() + Arrays.toString(shape);
    }
}
