package dev.weir.codegen.llvm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.ir.kernel.TargetDescription;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The generated text and the life of the compiler; results are the conformance tests'. */
class LlvmCompilerTest {

    private static Kernel kernel(String name, String body) {
        return KernelParser.parse(new Source("test.kernel", """
                kernel %s {
                    buffer x f32
                    scratch s f32[16]
                    scratch r f32[16]
                    tile t i64
                    do {
                        %s
                    }
                }
                """.formatted(name, body)));
    }

    @Test
    void claimsNoMoreThanItKnows() {
        String text = LlvmText.of(List.of(kernel("k", """
                let v f32x4 = multiply(load(x, t, 4), load(s, t, 4))
                store(r, t, add(v, v))
                """)), TargetDescription.AVX2);
        assertFalse(text.contains(" fast "), text);
        assertFalse(text.contains("noalias %"), text);
        // x is apart from both scratch buffers; each scratch buffer from the other.
        assertTrue(text.contains("align 4, !noalias !4"), text);
        assertTrue(text.contains("!4 = !{!2, !3}"), text);
        assertTrue(text.contains("!invariant.load !0"), text);
    }

    @Test
    void keepsModulesApart() {
        try (LlvmCompiler compiler = new LlvmCompiler(); Arena arena = Arena.ofConfined()) {
            // The same name twice, in two modules.
            CompiledKernel first = compiler.compile(
                    List.of(kernel("k", "store(x, t, 1.0:f32)"))).getFirst();
            CompiledKernel second = compiler.compile(
                    List.of(kernel("k", "store(x, t, 2.0:f32)"))).getFirst();
            MemorySegment x = arena.allocate(16, 8);
            MemorySegment arguments = arena.allocate(16, 8);
            arguments.set(ValueLayout.JAVA_LONG, 0, x.address());
            first.run(0, 2, arguments.address(), 0);
            second.run(1, 2, arguments.address(), 0);
            assertEquals(1, x.getAtIndex(ValueLayout.JAVA_FLOAT, 0));
            assertEquals(2, x.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
            assertTrue(compiler.assembly(kernel("k", "")).contains("ret"));
        }
    }

    @Test
    void loadsKernelsOfSeveralObjectsAndGoesOnAfterFreeingThem() {
        Kernel one = kernel("one", "store(x, t, 1.0:f32)");
        Kernel two = kernel("two", "store(x, t, 2.0:f32)");
        try (LlvmCompiler compiler = new LlvmCompiler(); Arena arena = Arena.ofConfined()) {
            List<byte[]> objects =
                    List.of(compiler.object(List.of(one)), compiler.object(List.of(two)));
            MemorySegment x = arena.allocate(16, 8);
            MemorySegment arguments = arena.allocate(16, 8);
            arguments.set(ValueLayout.JAVA_LONG, 0, x.address());
            for (int i = 0; i < 2; i++) {
                List<CompiledKernel> loaded = compiler.load(List.of(two, one), objects);
                loaded.get(0).run(0, 1, arguments.address(), 0);
                loaded.get(1).run(1, 2, arguments.address(), 0);
                assertEquals(2, x.getAtIndex(ValueLayout.JAVA_FLOAT, 0));
                assertEquals(1, x.getAtIndex(ValueLayout.JAVA_FLOAT, 1));
                x.fill((byte) 0);
                compiler.free();
            }
        }
    }

    @Test
    void reportsWhatLlvmSays() {
        try (LlvmCompiler compiler = new LlvmCompiler()) {
            // Not a kernel: i64 where f32 is wanted.
            Kernel wrong = kernel("k", "store(x, t, t)");
            var thrown = assertThrows(
                    IllegalStateException.class, () -> compiler.compile(List.of(wrong)));
            assertTrue(thrown.getMessage().contains("but expected 'float'"), thrown.getMessage());
        }
    }

    @Test
    void refusesToCompileWhenClosed() {
        LlvmCompiler compiler = new LlvmCompiler();
        compiler.close();
        compiler.close();
        assertThrows(IllegalStateException.class, () -> compiler.compile(List.of()));
    }
}
