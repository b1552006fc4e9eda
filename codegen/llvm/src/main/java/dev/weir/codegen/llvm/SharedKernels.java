package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.CompiledKernel;
import dev.weir.ir.kernel.Kernel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Kernels in a shared library: they run without LLVM. Close it to free the code. */
public final class SharedKernels implements AutoCloseable {
    private final Arena arena;
    private final List<CompiledKernel> kernels;

    private SharedKernels(Arena arena, List<CompiledKernel> kernels) {
        this.arena = arena;
        this.kernels = kernels;
    }

    /** Opens a library; empty if it cannot be loaded or lacks a kernel. */
    @SuppressWarnings("restricted")
    public static Optional<SharedKernels> open(Path library, List<Kernel> wanted) {
        Arena arena = Arena.ofShared();
        try {
            SymbolLookup symbols = SymbolLookup.libraryLookup(library, arena);
            List<CompiledKernel> found = new ArrayList<>();
            for (Kernel kernel : wanted) {
                Optional<MemorySegment> code = symbols.find(kernel.name());
                if (code.isEmpty()) {
                    arena.close();
                    return Optional.empty();
                }
                found.add(new NativeKernel(code.get()));
            }
            return Optional.of(new SharedKernels(arena, found));
        } catch (IllegalArgumentException cannotBeLoaded) {
            arena.close();
            return Optional.empty();
        }
    }

    /** The kernels, in the order in which they were asked for. */
    public List<CompiledKernel> kernels() {
        return kernels;
    }

    @Override
    public void close() {
        arena.close();
    }
}
