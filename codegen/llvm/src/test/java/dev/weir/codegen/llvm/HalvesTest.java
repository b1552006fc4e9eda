package dev.weir.codegen.llvm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.ir.kernel.TargetDescription;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every f16 as f32, and f32 as f16, by an instruction and without one. */
class HalvesTest {
    private static final int HALVES = 1 << 16;
    private static final int FLOATS = 1 << 20;

    private static Kernel kernel(String name, String from, String to, int lanes) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel %s {
                    buffer x %s
                    buffer y %s
                    tile t i64
                    do {
                        store(y, multiply(t, %d:i64), load(x, multiply(t, %d:i64), %d))
                    }
                }
                """.formatted(name, from, to, lanes, lanes, lanes)));
    }

    /** Bits of numbers at which rounding turns, and of any others. */
    private static int bits(int index, Random random) {
        if (index >= 4 * HALVES) {
            return random.nextInt();
        }
        float half = Float.float16ToFloat((short) (index / 4));
        float next = Float.float16ToFloat((short) (index / 4 + 1));
        float between = half / 2 + next / 2;
        return Float.floatToRawIntBits(switch (index % 4) {
            case 0 -> half;
            case 1 -> between;
            case 2 -> Math.nextUp(between);
            default -> Math.nextDown(between);
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4, 16})
    void areExact(int lanes) {
        for (TargetDescription target
                : List.of(TargetDescription.VECTOR128, TargetDescription.AVX2)) {
            try (LlvmCompiler compiler = new LlvmCompiler(target);
                    Arena arena = Arena.ofConfined()) {
                MemorySegment halves = arena.allocate(2L * FLOATS, 64);
                MemorySegment floats = arena.allocate(4L * FLOATS, 64);
                MemorySegment arguments = arena.allocate(16, 8);
                arguments.set(ValueLayout.JAVA_LONG, 0, halves.address());
                arguments.set(ValueLayout.JAVA_LONG, 8, floats.address());
                for (int i = 0; i < HALVES; i++) {
                    halves.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) i);
                }
                compiler.compile(List.of(kernel("widen", "f16", "f32", lanes))).getFirst()
                        .run(0, HALVES / lanes, arguments.address(), 0);
                for (int i = 0; i < HALVES; i++) {
                    assertEquals(Float.float16ToFloat((short) i),
                            floats.getAtIndex(ValueLayout.JAVA_FLOAT, i), target + ", " + i);
                }
                Random random = new Random(3);
                for (int i = 0; i < FLOATS; i++) {
                    floats.setAtIndex(ValueLayout.JAVA_INT, i, bits(i, random));
                }
                arguments.set(ValueLayout.JAVA_LONG, 0, floats.address());
                arguments.set(ValueLayout.JAVA_LONG, 8, halves.address());
                compiler.compile(List.of(kernel("round", "f32", "f16", lanes))).getFirst()
                        .run(0, FLOATS / lanes, arguments.address(), 0);
                for (int i = 0; i < FLOATS; i++) {
                    float number = floats.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    short rounded = halves.getAtIndex(ValueLayout.JAVA_SHORT, i);
                    assertEquals(Float.float16ToFloat(Float.floatToFloat16(number)),
                            Float.float16ToFloat(rounded), target + ", " + number);
                }
            }
        }
    }
}
