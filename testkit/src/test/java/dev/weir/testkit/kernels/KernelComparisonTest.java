package dev.weir.testkit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.compiler.Compiler;
import dev.weir.frontend.Configuration;
import dev.weir.frontend.LowerOptions;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.kernel.KernelProgram;
import dev.weir.ir.kernel.KernelProgramPrinter;
import dev.weir.ir.kernel.TargetDescription;
import dev.weir.testkit.TestModel;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What {@code weir-kernels diff} takes to be the same, and what not. */
class KernelComparisonTest {
    private static final String TEXT = KernelProgramPrinter.print(program(Optional.empty()));

    @TempDir
    private Path folder;

    /** Tinyworld, perhaps with another text in its program. */
    private static KernelProgram program(Optional<String[]> replaced) {
        Path file = TestModel.tinyworld().resolve("tinyworld.weir");
        String text = TestModel.text(file);
        return Compiler.schedule(Compiler.optimise(Compiler.lower(
                new Source("tinyworld.weir",
                        replaced.map(r -> text.replace(r[0], r[1])).orElse(text)),
                TestModel.library(), new LowerOptions(Optional.empty(), Configuration.parse(
                        TestModel.text(TestModel.tinyworld().resolve("config.json"))),
                        Map.of(), false))), TargetDescription.AVX2);
    }

    private static KernelComparison compared(String after) {
        return KernelComparison.of(SavedKernels.parse(TEXT), SavedKernels.parse(after));
    }

    /** Each number that a pattern finds, so much larger. */
    private static String shifted(String text, String pattern, int by) {
        return Pattern.compile(pattern).matcher(text)
                .replaceAll(found -> "" + (Integer.parseInt(found.group()) + by));
    }

    @Test
    void whatIsTheSameIsTheSame() {
        assertEquals(List.of("same"), compared(TEXT).summary());
        SavedKernels parsed = SavedKernels.parse(TEXT);
        assertEquals(program(Optional.empty()).kernels().size(), parsed.kernels().size());
    }

    @Test
    void otherNumbersAreNoChange() {
        String values = shifted(TEXT, "(?<=%)\\d+", 1000);
        assertFalse(values.equals(TEXT));
        assertEquals(List.of("same"), compared(values).summary());
        assertTrue(compared(shifted(TEXT, "(?<=\\.)\\d+(?=')", 7)).isSame());
        String kernels = shifted(TEXT, "(?<=\\bk)\\d+(?=_)", 5);
        assertEquals(List.of("same, " + SavedKernels.parse(TEXT).kernels().size()
                + " under another name"), compared(kernels).summary());
    }

    @Test
    void valuesThatChangePlacesAreAChange() {
        String launch = TEXT.lines().filter(l -> l.matches(
                " *launch .*\\(%\\d+, %\\d+.*")).findFirst().orElseThrow();
        String turned = launch.replaceFirst("\\((%\\d+), (%\\d+)", "($2, $1");
        KernelComparison comparison = compared(TEXT.replace(launch, turned));
        assertFalse(comparison.isSame());
        assertTrue(comparison.changed().isEmpty());
        assertTrue(comparison.unified().contains("+++ host program"));
    }

    @Test
    void anotherNumberInOneKernelIsAChangeOfThatKernel() {
        SavedKernels parsed = SavedKernels.parse(TEXT);
        String name = parsed.kernels().keySet().stream()
                .filter(k -> k.endsWith("_product")).findFirst().orElseThrow();
        int at = TEXT.indexOf("kernel " + name + " {");
        int store = TEXT.indexOf("step 1 {", at);
        KernelComparison comparison = compared(
                TEXT.substring(0, store) + "step 2 {" + TEXT.substring(store + 8));
        assertEquals(Map.of(name, name), comparison.changed());
        assertTrue(comparison.summary().get(1).startsWith("changed " + name),
                comparison.summary().toString());
        assertTrue(comparison.unified().contains("step 2 {"), comparison.unified());
        assertFalse(comparison.unified().contains("host program"), comparison.unified());
    }

    @Test
    void kernelsThatComeAndGoAreNamed() {
        SavedKernels parsed = SavedKernels.parse(TEXT);
        String name = parsed.kernels().keySet().iterator().next();
        int from = TEXT.indexOf("kernel " + name);
        int to = TEXT.indexOf("\n}\n", from) + 3;
        String without = TEXT.substring(0, from) + TEXT.substring(to);
        assertEquals(List.of(name), compared(without).removed());
        assertEquals(List.of(name), KernelComparison.of(
                SavedKernels.parse(without), SavedKernels.parse(TEXT)).added());
    }

    /** A change of the model's own, through the compiler. */
    @Test
    void anotherModelIsNotTheSame() {
        String other = KernelProgramPrinter.print(
                program(Optional.of(new String[] {"x + attention", "x - attention"})));
        KernelComparison comparison = compared(other);
        assertFalse(comparison.isSame());
        assertTrue(comparison.changed().size() + comparison.added().size()
                        < SavedKernels.parse(TEXT).kernels().size() / 2,
                comparison.summary().toString());
    }

    // ------------------------------------------------------------------ the program

    private record Outcome(int code, String out) {}

    private Outcome kernels(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        int code = new CommandLine(new Kernels(new PrintStream(out, true, StandardCharsets.UTF_8)))
                .execute(arguments);
        return new Outcome(code, out.toString(StandardCharsets.UTF_8));
    }

    private Path saved(String name, String text) throws Exception {
        Path saved = Files.createDirectories(folder.resolve(name));
        Files.writeString(saved.resolve("tinyworld.x86-64-v3.kernels"), text);
        Files.writeString(saved.resolve("tinyworld.x86-64-v4.kernels"), TEXT);
        return saved;
    }

    @Test
    void theExitCodeSaysWhetherAKernelChanged() throws Exception {
        String before = saved("before", TEXT).toString();
        Outcome same = kernels("diff", before, before);
        assertEquals(0, same.code(), same.out());
        assertEquals("tinyworld: same\nno kernel changed\n", same.out());
        String after = saved("after", TEXT.replace("step 1 {", "step 2 {")).toString();
        Outcome other = kernels("diff", before, after);
        assertEquals(1, other.code());
        assertTrue(other.out().contains("tinyworld, x86-64-v4: same\n"), other.out());
        assertTrue(other.out().contains("tinyworld, x86-64-v3: "), other.out());
        assertFalse(other.out().contains("@@"), other.out());
        assertTrue(kernels("diff", "-u", before, after).out().contains("@@"));
    }

    @Test
    void aFolderWithoutKernelsIsRefused() throws Exception {
        String before = saved("before", TEXT).toString();
        Outcome none = kernels("diff", before, folder.resolve("none").toString());
        assertEquals(2, none.code());
        assertTrue(none.out().contains("none holds no kernels"), none.out());
        assertEquals(2, new CommandLine(new Kernels(System.out))
                .setErr(new java.io.PrintWriter(new ByteArrayOutputStream()))
                .execute("diff", before));
    }
}
