package dev.weir.testkit;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** Gives several models of the same kernels the same code. */
final class CodeMadeOnce implements KernelCompiler {
    private final KernelCompiler compiler;
    private final Map<List<Kernel>, List<CompiledKernel>> made = new IdentityHashMap<>();

    CodeMadeOnce(KernelCompiler compiler) {
        this.compiler = compiler;
    }

    @Override
    public TargetDescription target() {
        return compiler.target();
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        return made.computeIfAbsent(kernels, compiler::compile);
    }

    @Override
    public String listing(Kernel kernel) {
        return compiler.listing(kernel);
    }

    @Override
    public void close() {
        compiler.close();
    }
}
