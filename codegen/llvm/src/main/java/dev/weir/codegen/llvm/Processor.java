package dev.weir.codegen.llvm;

import static org.bytedeco.llvm.global.LLVM.LLVMDisposeMessage;
import static org.bytedeco.llvm.global.LLVM.LLVMGetDefaultTargetTriple;
import static org.bytedeco.llvm.global.LLVM.LLVMGetHostCPUFeatures;
import static org.bytedeco.llvm.global.LLVM.LLVMGetHostCPUName;

import dev.weir.ir.kernel.TargetDescription;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * The processor that native code is made for, in LLVM's words.
 *
 * @param triple architecture, vendor and system: {@code x86_64-unknown-linux-gnu}
 * @param name of the processor: {@code skylake}
 * @param features what it can do besides or cannot: {@code +avx2,-avx512f}
 */
public record Processor(String triple, String name, String features) {

    /** This machine's. LLVM is loaded to ask it. */
    public static Processor host() {
        return new Processor(taken(LLVMGetDefaultTargetTriple()), taken(LLVMGetHostCPUName()),
                taken(LLVMGetHostCPUFeatures()));
    }

    private static String taken(BytePointer message) {
        String text = message.getString();
        LLVMDisposeMessage(message);
        return text;
    }

    /** What the passes have to know of it: the widest vectors that it has. */
    public TargetDescription target() {
        List<String> all = List.of(features.split(","));
        if (all.containsAll(List.of("+avx512f", "+avx512vl", "+avx512bw", "+avx512dq"))) {
            return TargetDescription.AVX512;
        }
        return all.containsAll(List.of("+avx2", "+fma"))
                ? TargetDescription.AVX2
                : TargetDescription.VECTOR128;
    }
}
