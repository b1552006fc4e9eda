package dev.weir.codegen.jvm;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelConformance;

/** Interpreted, and once more when most of it has been compiled. */
class BytecodeConformanceTest extends KernelConformance {
    @Override
    protected KernelCompiler compiler() {
        return new BytecodeCompiler();
    }

    @Override
    protected long repeatNanoseconds() {
        return 40_000_000;
    }
}
