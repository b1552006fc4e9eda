package dev.weir.testkit.random;

import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** LLVM, asked once for each kernel, because it takes most of the time of a random program. */
final class NativeOnce implements KernelCompiler {
    /** Object files have about 2 KB. */
    private static final int ROOM = 60_000;

    private final LlvmCompiler llvm;
    private final Known<byte[]> objects = new Known<>(ROOM);

    NativeOnce(LlvmCompiler llvm) {
        this.llvm = llvm;
    }

    @Override
    public TargetDescription target() {
        return llvm.target();
    }

    /** Frees what was compiled before, so that code does not pile up. */
    @Override
    public List<CompiledKernel> compile(List<Kernel> kernels) {
        llvm.free();
        List<Kernel> named = kernels.stream().map(Known::named).toList();
        Map<String, byte[]> needed = new TreeMap<>();
        for (Kernel kernel : named) {
            needed.put(kernel.name(), objects.of(kernel, k -> llvm.object(List.of(k))));
        }
        return llvm.load(named, List.copyOf(needed.values()));
    }

    @Override
    public String listing(Kernel kernel) {
        return llvm.listing(kernel);
    }

    @Override
    public void close() {
        llvm.close();
    }
}
