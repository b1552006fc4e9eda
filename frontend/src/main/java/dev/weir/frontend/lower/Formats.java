package dev.weir.frontend.lower;

import dev.weir.ir.type.Format;
import java.util.Optional;
import java.util.regex.Pattern;

/** The element types that users write. */
final class Formats {
    /** Words for whole numbers of some width. */
    private static final Pattern WHOLE = Pattern.compile("u?int[0-9]*|[iu][0-9]+");

    private Formats() {}

    /** {@code float}, {@code int}, {@code bool}, {@code bf16}, … and the names in config.json. */
    static Optional<Format> named(String word) {
        return switch (word) {
            case "float", "float32" -> Optional.of(Format.F32);
            case "bfloat16" -> Optional.of(Format.BF16);
            case "float16" -> Optional.of(Format.F16);
            case "float64" -> Optional.of(Format.F64);
            case "int" -> Optional.of(Format.I64);
            // Bytes hold codes, and words of 32 bits what kernels count with.
            default -> Format.named(word).filter(f -> f != Format.I8 && f != Format.I32);
        };
    }

    /** Formats that the language has, and no target yet. */
    static boolean isPlanned(String word) {
        return named(word).isEmpty() && word.matches(
                "int[0-9]+|uint[0-9]*|[iu][0-9]+|f8\\w*|fp8\\w*|float8\\w*|e4m3\\w*|e5m2\\w*|nf4");
    }

    /** The type of an argument or a result: what is calculated with. */
    static Format declared(Optional<String> type) {
        return type.flatMap(Formats::calculated)
                .orElse(type.filter(WHOLE.asMatchPredicate()).isPresent()
                        ? Format.I64 : Format.F32);
    }

    /** {@code float}, {@code int} and {@code bool}, by whatever name. */
    static Optional<Format> calculated(String word) {
        return named(word).filter(
                f -> f == Format.F32 || f == Format.I64 || f == Format.BOOL);
    }

    static String describe(Format format) {
        return switch (format) {
            case I64, I32, I8 -> "int";
            case BOOL -> "bool";
            case F64, F32, BF16, F16, F8E4M3, F8E5M2 -> "float";
        };
    }
}
