package dev.weir.codegen.llvm;

import static org.bytedeco.llvm.global.LLVM.LLVMDisposeMessage;
import static org.bytedeco.llvm.global.LLVM.LLVMGetDefaultTargetTriple;
import static org.bytedeco.llvm.global.LLVM.LLVMGetHostCPUFeatures;
import static org.bytedeco.llvm.global.LLVM.LLVMGetHostCPUName;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.TargetDescription;
import java.util.List;
import java.util.Optional;
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

    /** What can be named of x86-64: the levels of its psABI. */
    private static final List<String> X86 =
            List.of("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4");
    private static final List<String> ARM = List.of("generic", "cortex-a72", "cortex-a76",
            "neoverse-n1", "neoverse-v1", "neoverse-v2", "apple-m1");

    /**
     * The processors of a machine that code can be made for, first what all of them can do. LLVM
     * knows more, but ends the process when it hears a name that it does not know.
     */
    public static List<String> names(String triple) {
        String architecture = triple.split("-")[0];
        return switch (architecture) {
            case "x86_64" -> X86;
            case "aarch64", "arm64" -> ARM;
            // For riscv64, with multiplication, floats and compressed instructions.
            case "riscv64" -> List.of("generic-rv64");
            default -> List.of("generic");
        };
    }

    /**
     * A machine by its name.
     *
     * @param name one of {@link #names}, or empty for the first
     * @throws WeirException if it is none of them
     */
    public static Processor named(String triple, Optional<String> name) {
        List<String> names = names(triple);
        String chosen = name.orElse(names.getFirst());
        if (!names.contains(chosen)) {
            throw new WeirException(Diagnostic.error("E0803",
                    new Span(new Source("--processor", chosen), 0, chosen.length()),
                    "there is no processor `" + chosen + "` to choose for `" + triple + "`")
                    .helped("take one of " + String.join(", ", names)));
        }
        return new Processor(triple, chosen, switch (chosen) {
            case "x86-64-v3" -> "+avx2,+fma";
            case "x86-64-v4" -> "+avx512f,+avx512vl,+avx512bw,+avx512dq";
            case "generic-rv64" -> "+m,+a,+f,+d,+c";
            default -> "";
        });
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
            return all.contains("+avx512vnni")
                    ? TargetDescription.AVX512_VNNI : TargetDescription.AVX512;
        }
        if (triple.startsWith("aarch64") || triple.startsWith("arm64")) {
            return TargetDescription.NEON;
        }
        return all.containsAll(List.of("+avx2", "+fma"))
                ? TargetDescription.AVX2
                : TargetDescription.VECTOR128;
    }

    /** Whether a fused multiply-add, as all sums of products are, is a call of C's {@code fmaf}. */
    public boolean lacksFusedMultiplyAdd() {
        return triple.startsWith("x86_64")
                && !List.of(features.split(",")).contains("+fma")
                && !features.contains("+avx512f");
    }
}
