package dev.weir.ir.kernel;

import java.util.List;

/** A back end: makes kernels executable in this process. Close it to free the code. */
public interface KernelCompiler extends AutoCloseable {

    /** The machine that it compiles for. */
    TargetDescription target();

    /** Compiles kernels, in the order given. */
    List<CompiledKernel> compile(List<Kernel> kernels);

    /** The back end's own textual form of a kernel: LLVM IR, or disassembled bytecode. */
    String listing(Kernel kernel);

    @Override
    void close();
}
