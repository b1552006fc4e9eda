package dev.weir.codegen.jvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The form of the generated classes; what they compute is the conformance test's. */
class BytecodeCompilerTest {

    private final BytecodeCompiler compiler = new BytecodeCompiler();

    private static Kernel kernel(String body) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel k {
                    buffer x f32
                    scalar n i64
                    tile t i64
                    do {
                        %s
                    }
                }
                """.formatted(body)));
    }

    /** So many pairs of statements that depend on nothing but the buffer. */
    private static String numbered(int count) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append("""
                    let v%1$d f32x8 = load(x, %1$d:i64, 8)
                    store(x, %1$d:i64, multiply(v%1$d, v%1$d))
                    """.formatted(i));
        }
        return text.toString();
    }

    @Test
    void splitsWhatHotSpotWouldNotCompile() {
        assertEquals(1, compiler.report(kernel(numbered(10))).methods());
        BytecodeCompiler.Report large = compiler.report(kernel(numbered(1000)));
        assertTrue(large.methods() > 5, large.toString());
        assertTrue(large.largestMethod() <= 8000, large.toString());
    }

    @Test
    void splitsInsideLoopsAndBranches() {
        BytecodeCompiler.Report report = compiler.report(kernel("""
                for i i64 = 0:i64 to n step 1 {
                    if less(i, 5:i64) {
                        %s
                    }
                }
                """.formatted(numbered(400))));
        assertTrue(report.largestMethod() <= 8000, report.toString());
    }

    @Test
    void entersLoopNestsAnew() {
        Kernel nest = kernel("""
                for i i64 = 0:i64 to n step 1 {
                    var sum f32x8 = broadcast(0.0:f32, 8)
                    for j i64 = 0:i64 to n step 1 {
                        sum = add(sum, load(x, j, 8))
                    }
                    store(x, i, sum)
                }
                """);
        assertEquals(2, compiler.report(nest).methods());
        assertTrue(compiler.listing(nest).contains("FloatVector.lanewise"));
    }

    @Test
    void tellsOfVectorsThatTheJvmLacks() {
        Kernel wide = kernel("let v f64x16 = convert(f64, load(x, 0:i64, 16))");
        var thrown = assertThrows(
                IllegalArgumentException.class, () -> compiler.compile(List.of(wide)));
        assertEquals("the JVM has no vectors of 1024 bits: f64x16", thrown.getMessage());
    }
}
