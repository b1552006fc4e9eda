package dev.weir.ir.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.type.Float8;
import dev.weir.ir.type.Format;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * What every back end has to pass: the same bits as the interpreter, on every sample, in all of the
 * memory. Any NaN counts as any other.
 */
public abstract class KernelConformance {

    private static final int TILES = 3;
    private static final int GUARD = 128;

    /** A new instance of the back end. */
    protected abstract KernelCompiler compiler();

    /** How long to repeat a kernel before its results are compared again; a JIT's warm-up. */
    protected long repeatNanoseconds() {
        return 0;
    }

    @TestFactory
    Stream<DynamicTest> givesTheBitsOfTheInterpreter() {
        List<Kernel> samples = KernelSamples.all();
        KernelCompiler compiler = compiler();
        List<CompiledKernel> compiled = compiler.compile(samples);
        List<CompiledKernel> expected = new KernelInterpreter().compile(samples);
        List<DynamicTest> tests = new ArrayList<>();
        for (int i = 0; i < samples.size(); i++) {
            Kernel kernel = samples.get(i);
            CompiledKernel actual = compiled.get(i);
            CompiledKernel oracle = expected.get(i);
            tests.add(DynamicTest.dynamicTest(kernel.name(), () -> agree(kernel, actual, oracle)));
        }
        return tests.stream().onClose(compiler::close);
    }

    private void agree(Kernel kernel, CompiledKernel actual, CompiledKernel oracle) {
        KernelVerifier.verify(kernel);
        try (Arena arena = Arena.ofConfined()) {
            Memory right = new Memory(kernel, arena);
            right.run(oracle);
            Memory found = new Memory(kernel, arena);
            found.run(actual);
            found.compare(right, "first run");
            long end = System.nanoTime() + repeatNanoseconds();
            while (System.nanoTime() < end) {
                found.run(actual);
            }
            if (repeatNanoseconds() > 0) {
                Memory again = new Memory(kernel, arena);
                again.run(actual);
                again.compare(right, "after warm-up");
            }
        }
    }

    /** The memory of one run: buffers at element-aligned places, with guards around. */
    private static final class Memory {

        private final Kernel kernel;
        private final List<MemorySegment> buffers = new ArrayList<>();
        private final MemorySegment fault;
        private final MemorySegment arguments;
        private final MemorySegment scratch;

        Memory(Kernel kernel, Arena arena) {
            this.kernel = kernel;
            arguments = arena.allocate(8L * 64, 8);
            fault = arena.allocate(32, 8);
            scratch = arena.allocate(kernel.scratchBytes() + GUARD, 64);
            long word = 0;
            for (Buffer buffer : kernel.buffers()) {
                MemorySegment memory = buffer(buffer, arena);
                buffers.add(memory);
                arguments.setAtIndex(ValueLayout.JAVA_LONG, word++, memory.address() + GUARD);
            }
            for (int i = 0; i < kernel.scalars().size(); i++) {
                arguments.setAtIndex(ValueLayout.JAVA_LONG, word++, 100 + i);
            }
            arguments.setAtIndex(ValueLayout.JAVA_LONG, word, fault.address());
        }

        private static MemorySegment buffer(Buffer buffer, Arena arena) {
            int bytes = buffer.format().bytes();
            boolean patterns = buffer.name().startsWith("patterns");
            long elements = patterns ? 1 << 16 : 5 * AwkwardValues.ELEMENTS;
            MemorySegment all = arena.allocate(2 * GUARD + elements * bytes + 64, 64);
            all.fill((byte) 0x5A);
            // Nothing is aligned to more than an element.
            MemorySegment memory = all.asSlice(bytes);
            MemorySegment content = memory.asSlice(GUARD, elements * bytes);
            if (buffer.name().equals("patterns")) {
                for (int i = 0; i < elements; i++) {
                    content.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i, (short) i);
                }
            } else if (buffer.name().equals("table")) {
                MemorySegment tables = arena.allocate(1024, 2);
                AwkwardValues.fill(tables, Format.BF16, false);
                content.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 0, tables.address());
                content.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, 1, tables.address() + 202);
            } else if (buffer.name().equals("a") || buffer.name().equals("b")) {
                AwkwardValues.fill(content, buffer.format(), buffer.name().equals("a"));
            } else if (buffer.name().startsWith("in")) {
                tame(content, buffer.format(), elements);
            }
            return memory;
        }

        /** Ordinary numbers, whose sums depend on the order. */
        private static void tame(MemorySegment content, Format format, long elements) {
            for (long i = 0; i < elements; i++) {
                float value = (i * 7919 % 1009 - 500) / 37.0f;
                if (format == Format.F32) {
                    content.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, value);
                } else {
                    content.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i,
                            Format.floatToBf16(value));
                }
            }
        }

        void run(CompiledKernel compiled) {
            fault.fill((byte) 0);
            compiled.run(0, TILES, arguments.address(), scratch.address());
        }

        void compare(Memory right, String when) {
            for (int i = 0; i < 4; i++) {
                assertEquals(right.fault.getAtIndex(ValueLayout.JAVA_LONG, i),
                        fault.getAtIndex(ValueLayout.JAVA_LONG, i),
                        when + ": fault word " + i);
            }
            for (int i = 0; i < buffers.size(); i++) {
                Buffer buffer = kernel.buffers().get(i);
                if (!buffer.name().equals("table")) {
                    compare(buffer, right.buffers.get(i), buffers.get(i), when);
                }
            }
        }

        private static void compare(
                Buffer buffer, MemorySegment right, MemorySegment found, String when) {
            long first = right.mismatch(found);
            if (first < 0) {
                return;
            }
            int bytes = buffer.format().bytes();
            long elements = right.byteSize() / bytes;
            for (long i = first / bytes; i < elements; i++) {
                String wanted = element(right, buffer.format(), i);
                String got = element(found, buffer.format(), i);
                if (!wanted.equals(got)) {
                    assertEquals(wanted, got, when + ": " + buffer.name() + "["
                            + (i - GUARD / bytes) + "]");
                }
            }
        }

        /** The value with its bits, so that -0 and 0 differ, but NaN as such. */
        private static String element(MemorySegment memory, Format format, long i) {
            return switch (format) {
                case F64 -> Double.toHexString(
                        memory.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i));
                case F32 -> Float.toHexString(
                        memory.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i));
                case BF16 -> Float.toHexString(Format.bf16ToFloat(
                        memory.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i)));
                case F16 -> Float.toHexString(Float.float16ToFloat(
                        memory.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i)));
                case I64 -> "" + memory.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
                case I32 -> "" + memory.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, i);
                case F8E4M3 -> Float.toHexString(Float8.e4m3ToFloat(
                        memory.get(ValueLayout.JAVA_BYTE, i)));
                case F8E5M2 -> Float.toHexString(Float8.e5m2ToFloat(
                        memory.get(ValueLayout.JAVA_BYTE, i)));
                case I8, BOOL -> "" + memory.get(ValueLayout.JAVA_BYTE, i);
            };
        }
    }
}
