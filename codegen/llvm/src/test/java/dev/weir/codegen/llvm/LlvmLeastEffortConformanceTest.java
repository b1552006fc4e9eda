package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelConformance;
import dev.weir.ir.kernel.TargetDescription;

/** Code that LLVM hardly optimised gives the same bits. */
class LlvmLeastEffortConformanceTest extends KernelConformance {
    @Override
    protected KernelCompiler compiler() {
        return new LlvmCompiler(TargetDescription.AVX2, LlvmCompiler.Effort.LEAST);
    }
}
