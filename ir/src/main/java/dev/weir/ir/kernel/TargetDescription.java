package dev.weir.ir.kernel;

/**
 * What the passes need to know of the machine that kernels are made for.
 *
 * @param name for dumps and messages
 * @param lanes f32 lanes of a vector register
 * @param vectorRegisters how many there are
 * @param rowBlock rows of the register block of a contraction
 * @param columnVectors vectors of columns of the register block of a contraction
 * @param dotBytes whether there is an instruction for {@link Expression.DotBytes}
 * @param prefetches whether there is one for {@link Statement.Prefetch}
 * @param halves whether there are instructions to make f16 of f32, and f32 of f16
 */
public record TargetDescription(
        String name,
        int lanes,
        int vectorRegisters,
        int rowBlock,
        int columnVectors,
        boolean dotBytes,
        boolean prefetches,
        boolean halves) {

    /** 512-bit vectors, 32 registers. */
    public static final TargetDescription AVX512 =
            new TargetDescription("x86-64-v4", 16, 32, 8, 2, false, true, true);

    /** The same with products of bytes that are summed up by one instruction (VNNI). */
    public static final TargetDescription AVX512_VNNI =
            new TargetDescription("x86-64-v4 with VNNI", 16, 32, 8, 2, true, true, true);

    /** 256-bit vectors, 16 registers. */
    public static final TargetDescription AVX2 =
            new TargetDescription("x86-64-v3", 8, 16, 6, 2, false, true, true);

    /** 128-bit vectors, 32 registers: NEON. */
    public static final TargetDescription NEON =
            new TargetDescription("neon", 4, 32, 8, 2, false, true, true);

    /** 128-bit vectors, 16 registers: SSE2, and whatever is not known better. */
    public static final TargetDescription VECTOR128 =
            new TargetDescription("vector-128", 4, 16, 4, 2, false, true, false);

    /** The same for code that cannot ask for memory ahead, such as a Java machine's. */
    public TargetDescription withoutPrefetch() {
        return new TargetDescription(
                name, lanes, vectorRegisters, rowBlock, columnVectors, dotBytes, false, halves);
    }
}
