package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.diagnostic.DiagnosticRenderer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Every program of the library and the examples passes its check without a word. */
class ProgramsCheckTest {
    @TestFactory
    Stream<DynamicTest> programsCheck() {
        List<Path> programs = Library.programs();
        return programs.stream().map(file -> DynamicTest.dynamicTest(
                Library.ROOT.relativize(file).toString(), () -> {
                    CheckResult result = Frontend.check(Library.source(file), Library::find);
                    assertEquals("",
                            new DiagnosticRenderer(false).render(result.diagnostics()));
                }));
    }
}
