package dev.weir.testkit.random;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.codegen.jvm.BytecodeCompiler;
import dev.weir.codegen.jvm.JvmArtefact;
import dev.weir.ir.kernel.KernelCompiler;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random programs mean the same where the host program is compiled, too, see {@link Agreement}. */
class RandomArtefactsTest {
    private static final int PROGRAMS = 30;

    @Test
    void compiledHostProgramsMeanTheSame() throws Exception {
        int compared = 0;
        try (Trial trial = Trial.uncounted(); KernelCompiler jvm = new BytecodeCompiler()) {
            for (int number = 0; number < PROGRAMS; number++) {
                Recipe recipe = Recipe.random(new Random(7_000_000L + number));
                if (trial.runArtefacts(
                        recipe, number % 2 == 0 ? jvm.target() : JvmArtefact.SCALAR)) {
                    compared++;
                }
            }
        }
        assertTrue(compared > PROGRAMS * 3 / 4, compared + " were compared");
    }
}
