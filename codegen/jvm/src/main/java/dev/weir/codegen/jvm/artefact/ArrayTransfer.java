package dev.weir.codegen.jvm.artefact;

import dev.weir.ir.type.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.IntToDoubleFunction;

/** Carries elements between Java arrays and memory. */
final class ArrayTransfer {
    private ArrayTransfer() {}

    /** The elements of a Java array in memory of their own, one axis. */
    static Stored stored(Format format, Object array, Arena arena) {
        return switch (array) {
            case long[] values -> {
                Stored stored = zeros(format, values.length, arena);
                MemorySegment.copy(MemorySegment.ofArray(values), 0, stored.memory(), 0,
                        8L * values.length);
                yield stored;
            }
            case float[] v -> filled(format, v.length, arena, i -> v[i]);
            case double[] v -> filled(format, v.length, arena, i -> v[i]);
            case int[] v -> filled(format, v.length, arena, i -> v[i]);
            case boolean[] v -> filled(format, v.length, arena, i -> v[i] ? 1 : 0);
            default -> throw new ArtefactException("an argument is an array of numbers");
        };
    }

    private static Stored zeros(Format format, int length, Arena arena) {
        return Stored.zeros(format, new long[] {length}, arena);
    }

    private static Stored filled(
            Format format, int length, Arena arena, IntToDoubleFunction values) {
        Stored stored = zeros(format, length, arena);
        for (int i = 0; i < length; i++) {
            stored.set(i, values.applyAsDouble(i));
        }
        return stored;
    }

    /** Elements in memory as a Java array. */
    @SuppressWarnings("restricted")
    static Object array(Format format, long address, long elements) {
        Stored stored = new Stored(format, new long[] {elements},
                MemorySegment.ofAddress(address).reinterpret(elements * format.bytes()));
        int length = Math.toIntExact(elements);
        switch (format) {
            case I64 -> {
                long[] values = new long[length];
                for (int i = 0; i < length; i++) {
                    values[i] = stored.whole(i);
                }
                return values;
            }
            case I32 -> {
                int[] values = new int[length];
                for (int i = 0; i < length; i++) {
                    values[i] = (int) stored.whole(i);
                }
                return values;
            }
            case BOOL -> {
                boolean[] values = new boolean[length];
                for (int i = 0; i < length; i++) {
                    values[i] = stored.whole(i) != 0;
                }
                return values;
            }
            case F64 -> {
                double[] values = new double[length];
                for (int i = 0; i < length; i++) {
                    values[i] = stored.real(i);
                }
                return values;
            }
            default -> {
                float[] values = new float[length];
                for (int i = 0; i < length; i++) {
                    values[i] = (float) stored.real(i);
                }
                return values;
            }
        }
    }
}
