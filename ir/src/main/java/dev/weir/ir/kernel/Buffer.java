package dev.weir.ir.kernel;

import dev.weir.ir.type.Format;

/**
 * Memory that a kernel reads or writes, addressed by element. The memory holds {@code format}; a
 * load widens to the register type (narrow floats to f32, i8 to i32, bool bytes to bool), a store
 * rounds to nearest, ties to even, and wraps integers.
 *
 * @param name unique within the kernel
 * @param format of a stored element
 */
public record Buffer(String name, Format format) {

    /** What a load of one element gives. */
    public Type.Element register() {
        return switch (format) {
            case F64 -> Type.Element.F64;
            case F32, BF16, F16, F8E4M3, F8E5M2 -> Type.Element.F32;
            case I64 -> Type.Element.I64;
            case I32, I8 -> Type.Element.I32;
            case BOOL -> Type.Element.BOOL;
        };
    }
}
