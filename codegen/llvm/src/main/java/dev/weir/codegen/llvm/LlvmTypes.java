package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Type;
import dev.weir.ir.kernel.Type.Element;
import dev.weir.ir.type.Format;

/** How types of the kernel IR are written in LLVM IR. */
final class LlvmTypes {

    private LlvmTypes() {}

    /** {@code float} or {@code <16 x float>}. */
    static String of(Type type) {
        return lanes(element(type.element()), type.lanes());
    }

    static String lanes(String element, int lanes) {
        return lanes == 1 ? element : "<" + lanes + " x " + element + ">";
    }

    static String element(Element element) {
        return switch (element) {
            case F64 -> "double";
            case F32 -> "float";
            case I64 -> "i64";
            case I32 -> "i32";
            case BOOL -> "i1";
        };
    }

    /** The element type by which a format is moved to and from memory. */
    static String memory(Format format) {
        return switch (format) {
            case F64 -> "double";
            case F32 -> "float";
            case BF16, F16 -> "i16";
            case I64 -> "i64";
            case I32 -> "i32";
            case F8E4M3, F8E5M2, I8, BOOL -> "i8";
        };
    }

    /** How an intrinsic's name ends: {@code f32} or {@code v16f32}. */
    static String suffix(Type type) {
        return suffix(element(type.element()), type.lanes());
    }

    static String suffix(String element, int lanes) {
        String word = switch (element) {
            case "double" -> "f64";
            case "float" -> "f32";
            case "half" -> "f16";
            case String integer -> integer;
        };
        return lanes == 1 ? word : "v" + lanes + word;
    }

    /** A constant in every lane. */
    static String constant(String element, String value, int lanes) {
        return lanes == 1 ? value : "splat (" + element + " " + value + ")";
    }
}
