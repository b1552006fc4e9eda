package dev.weir.codegen.llvm;

import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.TargetDescription;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes kernels as textual LLVM IR, a function {@code void (i64 begin, i64 end, i64 arguments, i64
 * scratch)} each.
 *
 * <p>There are no fast-math flags and nothing is reassociated or contracted, so that the results
 * have the bits that the kernel IR promises. The syntax is that of LLVM 19 and later, which
 * declares intrinsics by itself.
 */
public final class LlvmText {

    /** Metadata of the whole module: an empty node for {@code !invariant.load}. */
    static final String EMPTY_NODE = "!0";

    private final StringBuilder functions = new StringBuilder();
    private final List<String> metadata = new ArrayList<>(List.of("!{}"));
    private final TargetDescription target;

    private LlvmText(TargetDescription target) {
        this.target = target;
    }

    /**
     * A module with one function for each kernel.
     *
     * @param target whose vectors to prefer, and whose instructions there are
     */
    public static String of(List<Kernel> kernels, TargetDescription target) {
        LlvmText text = new LlvmText(target);
        for (Kernel kernel : kernels) {
            text.functions.append(new LlvmFunction(kernel, text).write()).append('\n');
        }
        return text.finish();
    }

    /** Adds a metadata node; {@code SELF} in its text stands for its own name. */
    String node(String definition) {
        String name = "!" + metadata.size();
        metadata.add(definition.replace("SELF", name));
        return name;
    }

    TargetDescription target() {
        return target;
    }

    private String finish() {
        int vectorBits = target.lanes() * Float.SIZE;
        StringBuilder all = new StringBuilder(functions);
        all.append("attributes #0 = { nounwind nofree norecurse \"prefer-vector-width\"=\"")
                .append(vectorBits)
                .append("\" \"min-legal-vector-width\"=\"")
                .append(vectorBits)
                .append("\" }\n\n");
        for (int i = 0; i < metadata.size(); i++) {
            all.append('!').append(i).append(" = ").append(metadata.get(i)).append('\n');
        }
        return all.toString();
    }
}
