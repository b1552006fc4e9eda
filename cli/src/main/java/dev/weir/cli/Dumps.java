package dev.weir.cli;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.Span;
import dev.weir.ir.diagnostic.WeirException;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramParser;
import dev.weir.ir.kernel.KernelProgramVerifier;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import java.util.List;

/** Reads what {@code weir dump} wrote, and refuses what no compiler could have written. */
final class Dumps {
    /** Problems shown at once; one mistake often causes many. */
    private static final int MOST_SHOWN = 5;

    private Dumps() {}

    /**
     * A tensor program that the passes and the interpreter can work on.
     *
     * @throws WeirException with what is wrong
     */
    static TensorProgram tensors(Source source) {
        TensorProgram program = Parser.parse(source);
        require(source, Verifier.verify(program));
        return program;
    }

    /**
     * A kernel program that can be compiled and run.
     *
     * @throws WeirException with what is wrong
     */
    static KernelProgram kernels(Source source) {
        KernelProgram program = KernelProgramParser.parse(source);
        require(source, KernelProgramVerifier.verify(program));
        return program;
    }

    private static void require(Source source, List<String> problems) {
        if (!problems.isEmpty()) {
            int more = problems.size() - MOST_SHOWN;
            throw new WeirException(Diagnostic.error("E1002", new Span(source, 0, 0),
                            "this program contradicts itself: "
                                    + String.join("; ", problems.stream().limit(MOST_SHOWN)
                                            .toList())
                                    + (more > 0 ? "; and " + more + " more" : ""))
                    .helped("dump the program again, or mend the text by hand"));
        }
    }
}
