package dev.weir.ir.kernel;

import dev.weir.ir.diagnostic.Source;

/**
 * Kernels that do nothing but reach a limit of the machine: multiply-adds in registers, and reads.
 * Both take an input, room for {@link #TILE_STORES} bytes of results a tile, and a number.
 */
public final class LimitKernels {
    /** Bytes of results of a tile. */
    public static final long TILE_STORES = 4096;
    /** Enough to hide the latency of a fused multiply-add, and few enough for 16 registers. */
    private static final int CHAINS = 12;
    private static final int STREAMS = 8;

    private LimitKernels() {}

    /** Operations of one iteration of {@link #multiplyAdds}: a multiply-add is two. */
    public static double operations(int lanes) {
        return 2.0 * CHAINS * lanes;
    }

    /** Chains of multiply-adds that do not wait for each other, as often as the number says. */
    public static Kernel multiplyAdds(int lanes) {
        String type = "f32x" + lanes;
        StringBuilder text = new StringBuilder(header("multiply_adds"));
        text.append("let a ").append(type).append(" = load(b0, 0:i64, ").append(lanes)
                .append(")\n");
        for (int i = 0; i < CHAINS; i++) {
            text.append("var c").append(i).append(' ').append(type)
                    .append(" = broadcast(").append(i).append(".0:f32, ").append(lanes)
                    .append(")\n");
        }
        text.append("for i i64 = 0:i64 to n0 step 1 {\n");
        for (int i = 0; i < CHAINS; i++) {
            text.append("c").append(i).append(" = fma(c").append(i).append(", a, a)\n");
        }
        return parsed(text.append("}\n"), CHAINS, lanes);
    }

    /** Sums of what lies in memory, each tile another part of it; the number is floats a tile. */
    public static Kernel reads(int lanes) {
        String type = "f32x" + lanes;
        StringBuilder text = new StringBuilder(header("reads"));
        text.append("let base i64 = multiply(\"tile\", n0)\n");
        text.append("let end i64 = add(base, n0)\n");
        for (int i = 0; i < STREAMS; i++) {
            text.append("var c").append(i).append(' ').append(type)
                    .append(" = broadcast(0.0:f32, ").append(lanes).append(")\n");
        }
        text.append("for i i64 = base to end step ").append(STREAMS * lanes).append(" {\n");
        for (int i = 0; i < STREAMS; i++) {
            text.append("c").append(i).append(" = add(c").append(i).append(", load(b0, add(i, ")
                    .append(i * lanes).append(":i64), ").append(lanes).append("))\n");
        }
        return parsed(text.append("}\n"), STREAMS, lanes);
    }

    private static String header(String name) {
        return "kernel " + name + " {\nbuffer b0 f32\nbuffer b1 f32\nscalar n0 i64\n"
                + "tile \"tile\" i64\ndo {\n";
    }

    /** What is computed has to be stored, or nothing needs to be computed. */
    private static Kernel parsed(StringBuilder text, int count, int lanes) {
        text.append("let at i64 = multiply(\"tile\", ")
                .append(TILE_STORES / Float.BYTES).append(":i64)\n");
        for (int i = 0; i < count; i++) {
            text.append("store(b1, add(at, ").append(i * lanes).append(":i64), c").append(i)
                    .append(")\n");
        }
        return KernelParser.parse(new Source("limit", text.append("}\n}\n").toString()));
    }
}
