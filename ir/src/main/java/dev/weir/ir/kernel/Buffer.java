package dev.weir.ir.kernel;

import dev.weir.ir.type.Format;

/**
 * Memory that a kernel reads or writes, addressed by element. The memory holds {@code format}; a
 * load widens to the register type (bf16 and f16 to f32, bool bytes to bool), a store rounds to
 * nearest, ties to even.
 *
 * @param name unique within the kernel
 * @param format of a stored element
 */
public record Buffer(String name, Format format) {

    /** What a load of one element gives. */
    public Type.Element register() {
        return switch (format) {
            case F64 -> Type.Element.F64;
            case F32, BF16, F16 -> Type.Element.F32;
            case I64 -> Type.Element.I64;
            case I32 -> Type.Element.I32;
            case BOOL -> Type.Element.BOOL;
        };
    }
}
