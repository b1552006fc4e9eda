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

    private static int count(String text, String part) {
        return text.split(part, -1).length - 1;
    }

    /** HotSpot does not look for that outside of its heap. */
    @Test
    void neighboursShareWhatTheyLoad() {
        Kernel pair = kernel("""
                let a f32x8 = multiply(load(x, 0:i64, 8), load(x, n, 8))
                let b f32x8 = multiply(load(x, 0:i64, 8), load(x, n, 8))
                store(x, 0:i64, add(a, b))
                store(x, 8:i64, load(x, 0:i64, 8))
                """);
        assertEquals(3, count(compiler.listing(pair), "FloatVector.fromMemorySegment"));
    }

    @Test
    void loopsOfFewRoundsAreWrittenOut() {
        String body = "for i i64 = 0:i64 to %d:i64 step 8 { store(x, i, load(x, i, 8)) }";
        String few = compiler.listing(kernel(body.formatted(32)));
        assertEquals(4, count(few, "FloatVector.fromMemorySegment"));
        String many = compiler.listing(kernel(body.formatted(1024)));
        assertEquals(1, count(many, "FloatVector.fromMemorySegment"));
    }

    /** In the loop itself: vectors are boxed where a method of our own is called. */
    @Test
    void loadsOfVectorsStayInOrder() {
        String body = "for i i64 = 0:i64 to n step 8 { store(x, i, load(x, i, %d)) }";
        String vectors = compiler.listing(kernel(body.formatted(8)));
        assertEquals(1, count(vectors, "VarHandle.loadLoadFence"));
        assertEquals(0, count(compiler.listing(kernel(body.formatted(1))),
                "VarHandle.loadLoadFence"));
    }

    /** Folds of many vectors go two by two: 15 shuffles for 16 vectors, where each took four. */
    @Test
    void manyVectorsAreFoldedTwoByTwo() {
        String operands = "load(x, n, 4), load(x, 0:i64, 4), load(x, 4:i64, 4), load(x, 8:i64, 4)";
        String listing = compiler.listing(kernel(
                "store(x, 0:i64, fold_each(add, " + operands + "))"));
        assertEquals(3, count(listing, "FloatVector.rearrange"));
        assertEquals(6, count(listing, "FloatVector.blend"));
    }

    @Test
    void tellsOfVectorsThatTheJvmLacks() {
        Kernel wide = kernel("let v f64x16 = convert(f64, load(x, 0:i64, 16))");
        var thrown = assertThrows(
                IllegalArgumentException.class, () -> compiler.compile(List.of(wide)));
        assertEquals("the JVM has no vectors of 1024 bits: f64x16", thrown.getMessage());
    }
}
