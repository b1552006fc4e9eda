package dev.weir.testkit.random;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.util.List;

/** The back end for the JVM, asked once for each kernel. */
final class BytecodeOnce implements KernelCompiler {
    private static final int ROOM = 20_000;

    private final BytecodeCompiler bytecode = new BytecodeCompiler();
    private final Known<CompiledKernel> classes = new Known<>(ROOM);

    @Override
    public TargetDescription target() {
        return bytecode.target();
    }

    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        return kernels.stream()
                .map(Known::named)
                .map(kernel -> classes.of(
                        kernel, k -> bytecode.compile(List.of(k)).getFirst()))
                .toList();
    }

    @Override
    public String listing(Kernel kernel) {
        return bytecode.listing(kernel);
    }

    @Override
    public void close() {
        bytecode.close();
    }
}
