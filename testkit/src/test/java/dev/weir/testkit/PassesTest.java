package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.Kernel;
import dev.weir.ir.kernel.KernelParser;
import dev.weir.ir.kernel.KernelPrinter;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramParser;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import dev.weir.passes.pipeline.Passes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every pass leaves is sound, and can be printed and read back. */
class PassesTest {
    private static TensorProgram lowered(String name, boolean trace) {
        boolean tinyworld = name.equals("tinyworld");
        var folder = tinyworld
                ? TestModel.tinyworld()
                : TestModel.ROOT.resolve("examples/sketches");
        String configuration = tinyworld
                ? TestModel.text(folder.resolve("config.json"))
                : "{}";
        return Compiler.lower(
                new Source(name + ".weir", TestModel.text(folder.resolve(name + ".weir"))),
                TestModel.LIBRARY,
                new LowerOptions(Optional.empty(), Configuration.parse(configuration), Map.of(),
                        trace));
    }

    @ParameterizedTest
    @ValueSource(strings = {"tinyworld", "moe_plus_plus", "recursive", "long_range", "convolution"})
    void everyStageIsSoundAndReadsBack(String name) {
        TensorProgram program = lowered(name, true);
        assertEquals(List.of(), Verifier.verify(program), "lowered");
        List<String> seen = new ArrayList<>();
        TensorProgram optimised = Compiler.optimise(program, Set.of(), (pass, result, nanos) -> {
            seen.add(pass.name());
            assertEquals(List.of(), Verifier.verify(result), pass.name());
            String text = Printer.print(result);
            assertEquals(text, Printer.print(Parser.parse(new Source(pass.name(), text))));
        });
        assertEquals(Passes.ALL.stream().map(p -> p.name()).toList(), seen);
        KernelProgram kernels = Compiler.schedule(optimised, TargetDescription.AVX512);
        String whole = KernelProgramPrinter.print(kernels);
        KernelProgram again = KernelProgramParser.parse(new Source("kernels", whole));
        assertEquals(whole, KernelProgramPrinter.print(again));
        assertEquals(kernels.kernels(), again.kernels());
        assertEquals(kernels.step(), again.step());
        assertEquals(kernels.parameters(), again.parameters());
        for (Kernel kernel
                : Compiler.schedule(optimised, TargetDescription.AVX512).kernels()) {
            String text = KernelPrinter.print(kernel);
            assertEquals(text,
                    KernelPrinter.print(KernelParser.parse(new Source(kernel.name(), text))));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"split-elementary", "factor-sums", "demand", "common-code", "inline"})
    void everyOptionalPassChangesSomethingOfTinyworld(String name) {
        String[] before = {""};
        boolean[] changed = {false};
        Compiler.optimise(lowered("tinyworld", false), Set.of(), (pass, result, nanos) -> {
            String text = Printer.print(result);
            if (pass.name().equals(name)) {
                changed[0] = !text.equals(before[0]);
            }
            before[0] = text;
        });
        assertTrue(changed[0], name + " found nothing to do");
    }
}
