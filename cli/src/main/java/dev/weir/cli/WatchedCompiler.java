package dev.weir.cli;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.util.List;
import java.util.function.Consumer;

/**
 * A back end that says when it is at work. A back end takes all kernels of a program as one module,
 * so it says how many, not how many are done.
 */
record WatchedCompiler(KernelCompiler compiler, Consumer<String> progress)
        implements KernelCompiler {

    @Override
    public TargetDescription target() {
        return compiler.target();
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        progress.accept("compiling " + kernels.size() + " kernels");
        List<CompiledKernel> compiled = compiler.compile(kernels);
        progress.accept("preparing weights");
        return compiled;
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
