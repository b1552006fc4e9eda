package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelConformance;

/** The widest vectors of this processor. */
class LlvmConformanceTest extends KernelConformance {
    @Override
    protected KernelCompiler compiler() {
        return new LlvmCompiler();
    }
}
