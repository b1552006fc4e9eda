package dev.weir.testkit.random;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.codegen.llvm.LlvmCompiler;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelCompiler;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.testkit.TestModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Small programs that once went wrong, each in a file whose first line says what it is about. */
class RegressionsTest {
    /** Enough sequences for a whole vector of them, and a long one. */
    private static final List<Integer> ROWS =
            List.of(1, 0, 2, 17, 1, 1, 3, 1, 1, 2, 1, 1, 0, 1, 1, 1, 1, 5);

    static Stream<Path> programs() throws IOException {
        return Files.list(TestModel.ROOT.resolve("testkit/src/test/resources/regressions"))
                .sorted();
    }

    @ParameterizedTest
    @MethodSource("programs")
    void meansTheSameHoweverItIsRun(Path file) throws Exception {
        TensorProgram program = Parser.parse(
                new Source(file.getFileName().toString(), Files.readString(file)));
        Agreement agreement =
                new Agreement(program, true, Agreement.Cut.AS_ANALYSED, 1, ROWS, 1, new Coverage());
        TensorProgram optimised = agreement.passes();
        for (KernelCompiler compiler : List.of(
                new LlvmCompiler(),
                new LlvmCompiler(TargetDescription.VECTOR128),
                new BytecodeCompiler())) {
            try (compiler) {
                agreement.compiled(optimised, compiler.target().name(), compiler, 2);
            }
        }
        agreement.artefact(optimised, "a jar", JvmArtefact.SCALAR);
        agreement.artefact(optimised, "a library", TargetDescription.VECTOR128);
    }
}
