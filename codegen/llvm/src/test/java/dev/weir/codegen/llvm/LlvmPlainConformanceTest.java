package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.KernelConformance;
import java.util.Optional;

/** On a processor with SSE2 alone: no fused multiply-add, no f16, and little of whole numbers. */
class LlvmPlainConformanceTest extends KernelConformance {
    private static final String TRIPLE = "x86_64-unknown-linux-gnu";

    @Override
    protected KernelCompiler compiler() {
        boolean isIntel = Processor.host().triple().startsWith("x86_64");
        return new LlvmCompiler(isIntel
                ? Processor.named(TRIPLE, Optional.of("x86-64")) : Processor.host());
    }
}
