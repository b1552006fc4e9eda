package dev.weir.ir.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.diagnostic.Source;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The oracle itself, against results worked out by hand. */
class KernelInterpreterTest {

    private static final int ELEMENTS = 8;

    private final MemorySegment x;
    private final MemorySegment fault;

    KernelInterpreterTest() {
        x = Arena.ofAuto().allocate(4L * ELEMENTS, 8);
        fault = Arena.ofAuto().allocate(32, 8);
    }

    /** Runs statements over tiles 0 to 2 with {@code x} holding 0, 1, 2, … */
    private float[] run(String body) {
        Kernel kernel = KernelParser.parse(new Source("test.kernel", """
                kernel k {
                    buffer x f32
                    scratch s bf16[4]
                    scratch h f16[4]
                    tile t i64
                    do {
                        %s
                    }
                }
                """.formatted(body)));
        KernelVerifier.verify(kernel);
        try (Arena arena = Arena.ofConfined(); KernelCompiler compiler = new KernelInterpreter()) {
            for (int i = 0; i < ELEMENTS; i++) {
                x.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
            }
            MemorySegment arguments = arena.allocate(16, 8);
            arguments.set(ValueLayout.JAVA_LONG, 0, x.address());
            arguments.set(ValueLayout.JAVA_LONG, 8, fault.address());
            MemorySegment scratch = arena.allocate(kernel.scratchBytes(), 64);
            compiler.compile(List.of(kernel)).getFirst()
                    .run(0, 3, arguments.address(), scratch.address());
        }
        return x.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Test
    void goesOverTiles() {
        assertArrayEquals(new float[] {0, 1, 2, 10, 11, 12, 6, 7}, run(
                "store(x, add(t, 3:i64), add(convert(f32, t), 10.0:f32))"));
    }

    @Test
    void leavesInactiveLanesAlone() {
        assertArrayEquals(new float[] {4, 5, 6, 0, 4, 5, 6, 7}, run(
                "store(x, 0:i64, load(x, 4:i64, 8, 3:i64), 4:i64)"));
    }

    @Test
    void foldsLaneWithTheOneHalfTheVectorAway() {
        // ((0-4)-(2-6)) - ((1-5)-(3-7)), not ((((0-1)-2)-3)-…)
        float[] found = run("store(x, 0:i64, fold(subtract, load(x, 0:i64, 8)))");
        // Every tile folds what the one before left in x[0]: 0, then 0 again.
        assertEquals(0, found[0]);
    }

    @Test
    void roundsToTheBuffersFormat() {
        float[] found = run("""
                store(s, 0:i64, 1.00390625:f32)
                store(s, 1:i64, 1.01171875:f32)
                store(h, 0:i64, 65519.0:f32)
                store(h, 1:i64, 65520.0:f32)
                store(x, 0:i64, load(s, 0:i64, 2))
                store(x, 2:i64, load(h, 0:i64, 2))
                """);
        assertArrayEquals(
                new float[] {1, 1.015625f, 65504, Float.POSITIVE_INFINITY, 4, 5, 6, 7}, found);
    }

    @Test
    void countsAndBranches() {
        assertArrayEquals(new float[] {0, -1, 2, -1, 4, -1, 6, 7}, run("""
                for i i64 = 0:i64 to 6:i64 step 1 {
                    if equal(remainder(i, 2:i64), 1:i64) {
                        store(x, i, -1.0:f32)
                    }
                }
                """));
    }

    @Test
    void aZeroDivisorCountsAsOne() {
        float[] found = run("""
                store(x, 0:i64, convert(f32, divide(7:i64, 0:i64)))
                store(x, 1:i64, convert(f32, remainder(7:i64, 0:i64)))
                store(x, 2:i64, convert(f32, divide(-2147483648:i32, -1:i32)))
                """);
        assertArrayEquals(new float[] {7, 0, -0x1p31f, 3, 4, 5, 6, 7}, found);
    }

    @Test
    void keepsTheFirstFault() {
        float[] found = run("""
                store(x, t, 9.0:f32)
                if less(0:i64, t) {
                    fault 5, multiply(t, 10:i64), 4:i64
                }
                """);
        assertArrayEquals(new float[] {9, 9, 2, 3, 4, 5, 6, 7}, found);
        assertArrayEquals(new long[] {1, 5, 10, 4}, fault.toArray(ValueLayout.JAVA_LONG));
        run("fault 6, 1:i64, 1:i64");
        assertArrayEquals(new long[] {1, 5, 10, 4}, fault.toArray(ValueLayout.JAVA_LONG));
    }
}
