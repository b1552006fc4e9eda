package dev.weir.bench.engine;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.KernelCompiler;
import java.util.Locale;

/** Weir's back ends. */
public enum Target {
    NATIVE,
    JVM;

    /** A new compiler; whoever asks closes it. */
    public KernelCompiler compiler() {
        return this == NATIVE ? new LlvmCompiler() : new BytecodeCompiler();
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
