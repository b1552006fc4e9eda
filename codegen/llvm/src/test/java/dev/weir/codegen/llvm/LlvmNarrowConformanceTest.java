package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelConformance;
import dev.weir.ir.kernel.TargetDescription;

/** Without instructions for 512 bits: vectors are cut, and masks are vectors, too. */
class LlvmNarrowConformanceTest extends KernelConformance {
    @Override
    protected KernelCompiler compiler() {
        return new LlvmCompiler(TargetDescription.AVX2);
    }
}
