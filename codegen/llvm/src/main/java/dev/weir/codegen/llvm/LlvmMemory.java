package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Buffer;
import dev.weir.ir.kernel.Expression.Load;
import dev.weir.ir.kernel.Statement.Prefetch;
import dev.weir.ir.kernel.Statement.Store;
import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Writes loads and stores, and the widening and rounding between memory and registers. */
final class LlvmMemory {
    /** The bits of infinity, and the bit of a NaN that does not signal. */
    private static final int INFINITY = 0x7F800000;
    private static final int QUIET = 1 << 22;
    private static final int HALF_INFINITY = 0x7C00;

    private final LlvmFunction function;

    LlvmMemory(LlvmFunction function) {
        this.function = function;
    }

    /** The loaded lanes, widened; the count has been written already. */
    String load(Load load, String active) {
        Buffer buffer = load.buffer();
        String element = LlvmTypes.memory(buffer.format());
        String pointer = function.address(buffer, load.index());
        String metadata = function.place(buffer).metadata();
        int lanes = load.lanes();
        int alignment = buffer.format().bytes();
        if (active.isEmpty()) {
            String raw = function.emit("load " + LlvmTypes.lanes(element, lanes) + ", ptr "
                    + pointer + ", align " + alignment + metadata);
            return widen(buffer.format(), raw, lanes);
        }
        String vector = vector(element, lanes);
        String raw = function.emit("call " + vector + " @llvm.masked.load." + name(element, lanes)
                + ".p0(ptr " + pointer + ", i32 " + alignment + ", " + mask(active, lanes) + ", "
                + vector + " zeroinitializer)" + metadata);
        if (lanes == 1) {
            raw = function.emit("extractelement " + vector + " " + raw + ", i64 0");
        }
        return widen(buffer.format(), raw, lanes);
    }

    void store(Store store) {
        Buffer buffer = store.buffer();
        String active = store.active().map(function::expression).orElse("");
        int lanes = store.value().type().lanes();
        String raw = narrow(buffer.format(), function.expression(store.value()), lanes);
        String element = LlvmTypes.memory(buffer.format());
        String pointer = function.address(buffer, store.index());
        String metadata = function.place(buffer).metadata();
        int alignment = buffer.format().bytes();
        if (active.isEmpty()) {
            function.line("store " + LlvmTypes.lanes(element, lanes) + " " + raw + ", ptr "
                    + pointer + ", align " + alignment + metadata);
            return;
        }
        String vector = vector(element, lanes);
        if (lanes == 1) {
            raw = function.emit("insertelement " + vector + " poison, " + element + " " + raw
                    + ", i64 0");
        }
        function.line("call void @llvm.masked.store." + name(element, lanes) + ".p0(" + vector
                + " " + raw + ", ptr " + pointer + ", i32 " + alignment + ", "
                + mask(active, lanes) + ")" + metadata);
    }

    /** Into the cache behind the first, which has no room for what is not used at once. */
    void prefetch(Prefetch prefetch) {
        String pointer = function.address(prefetch.buffer(), prefetch.index());
        function.line("call void @llvm.prefetch.p0(ptr " + pointer + ", i32 0, i32 2, i32 1)");
    }

    /** What storing an f32 as bf16 or f16 and loading it again gives. */
    String round(Format format, String value, int lanes) {
        return switch (format) {
            case BF16, F16, F8E4M3, F8E5M2 ->
                    widen(format, narrow(format, value, lanes), lanes);
            case F64, F32, I64, I32, I8, BOOL -> value;
        };
    }

    private String widen(Format format, String raw, int lanes) {
        return switch (format) {
            case F64, F32, I64, I32 -> raw;
            case I8 -> convert("sext", "i8", raw, "i32", lanes);
            case F8E4M3 -> fourThree(raw, lanes);
            case F8E5M2 -> {
                String wide = convert("zext", "i8", raw, "i16", lanes);
                String bits = function.emit("shl " + LlvmTypes.lanes("i16", lanes) + " " + wide
                        + ", " + LlvmTypes.constant("i16", "8", lanes));
                yield fromHalf(bits, lanes);
            }
            case BOOL -> function.emit("icmp ne " + LlvmTypes.lanes("i8", lanes) + " " + raw + ", "
                    + LlvmTypes.constant("i8", "0", lanes));
            case F16 -> fromHalf(raw, lanes);
            case BF16 -> {
                String wide = convert("zext", "i16", raw, "i32", lanes);
                String bits = integer("shl", wide, "16", lanes);
                yield convert("bitcast", "i32", bits, "float", lanes);
            }
        };
    }

    private String narrow(Format format, String value, int lanes) {
        return switch (format) {
            case F64, F32, I64, I32 -> value;
            case I8 -> convert("trunc", "i32", value, "i8", lanes);
            case F8E4M3 -> eightBits(value, lanes, Float8.LARGEST_E4M3, 3, 0x1p-6f, 0x1p14f, 0x7F);
            case F8E5M2 -> eightBits(value, lanes, Float8.LARGEST_E5M2, 2, 0x1p-14f, 0x1p7f, 0x7E);
            case BOOL -> convert("zext", "i1", value, "i8", lanes);
            case F16 -> toHalf(value, lanes);
            case BF16 -> bfloat(value, lanes);
        };
    }

    /**
     * Adds half of the last place kept, less one bit if that place is even, and drops the rest. A
     * NaN would become infinity that way, so it is truncated and made quiet instead.
     */
    private String bfloat(String value, int lanes) {
        String bits = convert("bitcast", "float", value, "i32", lanes);
        String upper = integer("lshr", bits, "16", lanes);
        String odd = integer("and", upper, "1", lanes);
        String bias = integer("add", odd, "32767", lanes);
        String sum = function.emit("add " + LlvmTypes.lanes("i32", lanes) + " " + bits + ", "
                + bias);
        String rounded = integer("lshr", sum, "16", lanes);
        String quiet = integer("or", upper, "64", lanes);
        String nan = function.emit("fcmp uno " + LlvmTypes.lanes("float", lanes) + " " + value
                + ", " + value);
        String chosen = function.emit("select " + LlvmTypes.lanes("i1", lanes) + " " + nan + ", "
                + LlvmTypes.lanes("i32", lanes) + " " + quiet + ", "
                + LlvmTypes.lanes("i32", lanes) + " " + rounded);
        return convert("trunc", "i32", chosen, "i16", lanes);
    }

    /**
     * Of processors without an instruction for it LLVM would call a function that a kernel is not
     * linked with: there the bits are put in place and multiplied with what mends the exponent.
     */
    private String fromHalf(String raw, int lanes) {
        if (function.target().halves()) {
            return convert("fpext", "half", convert("bitcast", "i16", raw, "half", lanes),
                    "float", lanes);
        }
        String bits = convert("zext", "i16", raw, "i32", lanes);
        String magnitude = integer("and", bits, "32767", lanes);
        String placed = integer("shl", magnitude, "13", lanes);
        String scaled = function.emit("fmul " + LlvmTypes.lanes("float", lanes) + " "
                + convert("bitcast", "i32", placed, "float", lanes) + ", "
                + real(0x1p112f, lanes));
        String infinite = integer("or", placed, "" + INFINITY, lanes);
        String unbounded = choose(compare("ugt", magnitude, HALF_INFINITY, lanes), "i32",
                integer("or", infinite, "" + QUIET, lanes), infinite, lanes);
        String number = choose(compare("uge", magnitude, HALF_INFINITY, lanes), "i32",
                unbounded, convert("bitcast", "float", scaled, "i32", lanes), lanes);
        String sign = integer("shl", integer("and", bits, "32768", lanes), "16", lanes);
        return convert("bitcast", "i32", both("or", number, sign, lanes), "float", lanes);
    }

    /** To the nearest, to the even one of two; both ways to round, and a choice by size. */
    private String toHalf(String value, int lanes) {
        if (function.target().halves()) {
            return convert("bitcast", "half",
                    convert("fptrunc", "float", value, "half", lanes), "i16", lanes);
        }
        String bits = convert("bitcast", "float", value, "i32", lanes);
        String magnitude = integer("and", bits, "2147483647", lanes);
        // The last place of numbers from 0.5 to 1 is the smallest that f16 has.
        String sum = function.emit("fadd " + LlvmTypes.lanes("float", lanes) + " "
                + convert("bitcast", "i32", magnitude, "float", lanes) + ", "
                + real(0.5f, lanes));
        String small = integer("sub", convert("bitcast", "float", sum, "i32", lanes),
                "" + Float.floatToRawIntBits(0.5f), lanes);
        String odd = integer("and", integer("lshr", bits, "13", lanes), "1", lanes);
        String half = integer("add", odd, "4095", lanes);
        String moved = integer("sub", both("add", magnitude, half, lanes),
                "" + (112 << 23), lanes);
        String number = choose(
                compare("ult", magnitude, Float.floatToRawIntBits(0x1p-14f), lanes), "i32",
                small, integer("lshr", moved, "13", lanes), lanes);
        String bounded = choose(
                compare("uge", magnitude, Float.floatToRawIntBits(65520), lanes), "i32",
                LlvmTypes.constant("i32", "" + HALF_INFINITY, lanes), number, lanes);
        String payload = integer("or", integer("lshr", magnitude, "13", lanes),
                "" + (HALF_INFINITY | 1 << 9), lanes);
        String known = choose(compare("ugt", magnitude, INFINITY, lanes), "i32",
                integer("and", payload, "32767", lanes), bounded, lanes);
        String sign = integer("and", integer("lshr", bits, "16", lanes), "32768", lanes);
        return convert("trunc", "i32", both("or", known, sign, lanes), "i16", lanes);
    }

    private String compare(String relation, String left, int constant, int lanes) {
        return function.emit("icmp " + relation + " " + LlvmTypes.lanes("i32", lanes) + " "
                + left + ", " + LlvmTypes.constant("i32", "" + constant, lanes));
    }

    /** As {@link Float8#e4m3ToFloat}: the bits in place, times what mends the exponent. */
    private String fourThree(String raw, int lanes) {
        String bits = convert("zext", "i8", raw, "i32", lanes);
        String magnitude = integer("and", bits, "127", lanes);
        String placed = convert("bitcast", "i32", integer("shl", magnitude, "20", lanes),
                "float", lanes);
        String scaled = function.emit("fmul " + LlvmTypes.lanes("float", lanes) + " " + placed
                + ", " + real(0x1p120f, lanes));
        String nan = function.emit("icmp eq " + LlvmTypes.lanes("i32", lanes) + " " + magnitude
                + ", " + LlvmTypes.constant("i32", "127", lanes));
        String number = choose(nan, "i32", LlvmTypes.constant("i32", "" + 0x7FC00000, lanes),
                convert("bitcast", "float", scaled, "i32", lanes), lanes);
        String sign = integer("shl", integer("and", bits, "128", lanes), "24", lanes);
        return convert("bitcast", "i32", both("or", number, sign, lanes), "float", lanes);
    }

    /** As {@link Float8}: both ways to round, and a choice by size. */
    private String eightBits(
            String value,
            int lanes,
            float largest,
            int fraction,
            float normal,
            float step,
            int nan) {
        String type = LlvmTypes.lanes("float", lanes);
        String bits = convert("bitcast", "float", value, "i32", lanes);
        String sign = integer("and", integer("lshr", bits, "24", lanes), "128", lanes);
        String absolute = convert(
                "bitcast", "i32", integer("and", bits, "2147483647", lanes), "float", lanes);
        String isLarge = function.emit(
                "fcmp ogt " + type + " " + absolute + ", " + real(largest, lanes));
        String magnitude = choose(isLarge, "float", real(largest, lanes), absolute, lanes);
        String sum = function.emit("fadd " + type + " " + magnitude + ", " + real(step, lanes));
        String small = integer("sub", convert("bitcast", "float", sum, "i32", lanes),
                "" + Float.floatToRawIntBits(step), lanes);
        String exact = convert("bitcast", "float", magnitude, "i32", lanes);
        int dropped = 23 - fraction;
        String odd = integer("and", integer("lshr", exact, "" + dropped, lanes), "1", lanes);
        String half = integer("add", odd, "" + ((1 << dropped - 1) - 1), lanes);
        String rounded = integer("lshr", both("add", exact, half, lanes), "" + dropped, lanes);
        int bias = Float.floatToRawIntBits(normal) - (1 << 23) >>> dropped;
        String isSmall = function.emit(
                "fcmp olt " + type + " " + magnitude + ", " + real(normal, lanes));
        String number = choose(isSmall, "i32", small,
                integer("sub", rounded, "" + bias, lanes), lanes);
        String isNan = function.emit("fcmp uno " + type + " " + value + ", " + value);
        String known = choose(isNan, "i32",
                LlvmTypes.constant("i32", "" + nan, lanes), number, lanes);
        return convert("trunc", "i32", both("or", known, sign, lanes), "i8", lanes);
    }

    private static String real(float value, int lanes) {
        return LlvmTypes.constant("float", LlvmExpression.real(value), lanes);
    }

    private String choose(String condition, String element, String left, String right, int lanes) {
        return function.emit("select " + LlvmTypes.lanes("i1", lanes) + " " + condition + ", "
                + LlvmTypes.lanes(element, lanes) + " " + left + ", "
                + LlvmTypes.lanes(element, lanes) + " " + right);
    }

    private String both(String operation, String left, String right, int lanes) {
        return function.emit(operation + " " + LlvmTypes.lanes("i32", lanes) + " " + left + ", "
                + right);
    }

    private String integer(String operation, String left, String constant, int lanes) {
        return function.emit(operation + " " + LlvmTypes.lanes("i32", lanes) + " " + left + ", "
                + LlvmTypes.constant("i32", constant, lanes));
    }

    private String convert(String operation, String from, String value, String to, int lanes) {
        return function.emit(operation + " " + LlvmTypes.lanes(from, lanes) + " " + value + " to "
                + LlvmTypes.lanes(to, lanes));
    }

    /** Lanes below the count, which is clamped first so that 32-bit comparisons do. */
    private String mask(String active, int lanes) {
        String type = vector("i1", lanes);
        String least = function.emit(
                "call i64 @llvm.smax.i64(i64 " + active + ", i64 0)");
        String count = function.emit(
                "call i64 @llvm.smin.i64(i64 " + least + ", i64 " + lanes + ")");
        String narrow = function.emit("trunc i64 " + count + " to i32");
        String integers = vector("i32", lanes);
        String first = function.emit(
                "insertelement " + integers + " poison, i32 " + narrow + ", i64 0");
        String all = function.emit("shufflevector " + integers + " " + first + ", " + integers
                + " poison, <" + lanes + " x i32> zeroinitializer");
        String iota = IntStream.range(0, lanes)
                .mapToObj(i -> "i32 " + i)
                .collect(Collectors.joining(", ", "<", ">"));
        String mask = function.emit("icmp ult " + integers + " " + iota + ", " + all);
        return type + " " + mask;
    }

    /** A vector even of one lane, as the masked intrinsics want it. */
    private static String vector(String element, int lanes) {
        return "<" + lanes + " x " + element + ">";
    }

    private static String name(String element, int lanes) {
        return lanes == 1 ? "v1" + LlvmTypes.suffix(element, 1) : LlvmTypes.suffix(element, lanes);
    }
}
