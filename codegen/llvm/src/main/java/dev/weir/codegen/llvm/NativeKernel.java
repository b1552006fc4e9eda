package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.CompiledKernel;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** A kernel as native code at an address. */
record NativeKernel(MemorySegment code) implements CompiledKernel {

    @SuppressWarnings("restricted")
    private static final MethodHandle CALL = Linker.nativeLinker().downcallHandle(
            FunctionDescriptor.ofVoid(
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG));

    @Override
    public void run(long begin, long end, long arguments, long scratch) {
        try {
            CALL.invokeExact(code, begin, end, arguments, scratch);
        } catch (Throwable thrown) {
            throw new IllegalStateException("a native kernel cannot throw", thrown);
        }
    }
}
