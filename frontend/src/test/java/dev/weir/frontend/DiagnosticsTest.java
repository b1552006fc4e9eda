package dev.weir.frontend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.weir.ir.diagnostic.Diagnostic;
import dev.weir.ir.diagnostic.DiagnosticRenderer;
import dev.weir.ir.diagnostic.Severity;
import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.diagnostic.WeirException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What users read when something is wrong. Each file holds a source and, behind a line of {@code
 * ====}, the rendered messages; {@code -Dbless=true} writes them. A first line {@code // lower
 * {…}} lowers the model with that configuration instead of checking the file, and {@code // check}
 * checks it with what its models are lowered to.
 */
class DiagnosticsTest {
    private static final Path FOLDER =
            Library.ROOT.resolve("frontend/src/test/resources/diagnostics");
    private static final String LINE = "====\n";

    @TestFactory
    Stream<DynamicTest> diagnostics() {
        return files().stream().map(file -> DynamicTest.dynamicTest(
                file.getFileName().toString(), () -> compare(file)));
    }

    private static List<Path> files() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(f -> f.toString().endsWith(".txt")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void compare(Path file) throws IOException {
        String text = Files.readString(file);
        int split = text.indexOf(LINE);
        String program = split < 0 ? text : text.substring(0, split);
        String found = new DiagnosticRenderer(false).render(diagnose(program));
        if (Boolean.getBoolean("bless")) {
            Files.writeString(file, program + LINE + found);
        } else {
            assertEquals(split < 0 ? "" : text.substring(split + LINE.length()), found);
        }
    }

    private static List<Diagnostic> diagnose(String program) {
        Source source = new Source("example.weir", program);
        SourceProvider sources = module -> module.equals("example")
                ? Optional.of(source) : Library.find(module);
        if (program.startsWith("// check")) {
            return Frontend.check(source, sources, Optional.empty()).diagnostics();
        }
        if (!program.startsWith("// lower")) {
            return Frontend.check(source, sources).diagnostics();
        }
        String first = program.lines().findFirst().orElseThrow();
        try {
            Frontend.lower(source, sources, LowerOptions.of(
                    Configuration.parse(first.substring("// lower".length()).strip())));
            return List.of();
        } catch (WeirException e) {
            return e.diagnostics();
        }
    }

    @Test
    void hostileInputGivesADiagnostic() {
        List<String> inputs = List.of(
                "(".repeat(100_000),
                "block A { forward(x) -> y = " + "(".repeat(3000) + "x" + ")".repeat(3000) + " }",
                "block A { forward(x) -> y = " + "-".repeat(50_000) + "x }",
                "block A { forward(x) -> y = " + "x + ".repeat(50_000) + "x }",
                "block A { forward(x) -> y = " + "x ^ ".repeat(50_000) + "x }",
                "block A { forward(x) -> y { " + "if x > 0 { ".repeat(50_000),
                "block A { forward(x) -> y = " + "if x > 0 { 1 } else ".repeat(20_000) + "{ 2 } }",
                "\u0000\uffff\ud83d\ude00 block",
                "block A<D> { param w[D / 0] forward(x[D]) -> y[D] = x }",
                "model M<D = 99999999999999999999> { forward(x[D]) -> y[D] = x }",
                "fn f(x: float) -> float = f(x)\nblock A { forward(x) -> y = f(x) }",
                "block A<D> { a: A<D + 1> forward(x[D]) -> y[D] = x }");
        for (String input : inputs) {
            CheckResult result = Frontend.check(new Source("bad.weir", input), Library::find);
            assertTrue(result.diagnostics().stream().allMatch(d -> !d.message().isEmpty()));
            boolean harmless = input.startsWith("block A<D> { a: A");
            if (!harmless) {
                assertTrue(result.hasErrors(), input.substring(0, Math.min(60, input.length())));
            }
        }
    }

    /** Each file imports what its first line says; the second error of a file is told too. */
    @Test
    void filesThatImportOneAnotherAreTold() {
        Map<String, String> files = Map.of(
                "first", "import second { B }\nblock A<D> { forward(x[D]) -> y[D] = x + p }",
                "second", "import third\nblock B<D> { forward(x[D]) -> y[D] = x }",
                "third", "import second { B }\nimport first { A }\nimport third { C }\n"
                        + "block C<D> { a: A<D> forward(x[D]) -> y[D] = a(x) }");
        SourceProvider sources = name -> Optional.ofNullable(files.get(name))
                .map(text -> new Source("files/" + name + ".weir", text));
        List<Diagnostic> found =
                Frontend.check(sources.find("first").orElseThrow(), sources).diagnostics();
        assertEquals(List.of(
                "E0203 files/first.weir:2:42 there is no `p` here",
                "E0212 files/third.weir:1:1 these files import one another: files/second.weir → "
                        + "files/third.weir → files/second.weir",
                "E0212 files/third.weir:2:1 these files import one another: files/first.weir → "
                        + "files/second.weir → files/third.weir → files/first.weir",
                "E0212 files/third.weir:3:1 this file imports itself"),
                found.stream().map(d -> d.code() + " " + d.primary().location() + " "
                        + d.message()).toList());
    }

    @Test
    void whatTheRunSetsIsTold() {
        Source source = new Source("set.weir", """
                model Set<D = 3, E = D + 1> {
                    where D > 5
                    param w[2 * E, D]
                    forward(x[T, D]) -> y[T, D] = x
                }
                """);
        LowerOptions options = new LowerOptions(
                Optional.empty(), Configuration.empty(), Map.of("D", "4"), false);
        WeirException found = assertThrows(WeirException.class,
                () -> Frontend.lower(source, Library::find, options));
        assertEquals(List.of("D = 4 from --set D=4"), found.diagnostics().getFirst().sizes()
                .stream().map(Object::toString).toList());
    }

    @Test
    void parametersHaveNamedShapes() {
        Source source = new Source("shapes.weir", """
                block Part<D, F> {
                    param w[2 * F, D]
                    forward(x[D]) -> y[D] = x + w[0]
                }
                model Shapes<D = config.hidden_size, F = config.size or 3> {
                    parts: Part<D, F + 1> * 2
                    forward(x[T, D]) -> y[T, D] = parts[1](parts[0](x))
                }
                """);
        NamedShape shape = Frontend.parameterShapes(source, Library::find, LowerOptions.of(
                Configuration.parse("{\"hidden_size\": 5}"))).get("parts.{0}.w");
        assertEquals("[2 * F, D]", shape.axes());
        assertEquals(List.of(
                "F = 4 from `F + 1` in `Shapes`, F = 3 from the fallback `or 3`: config.json has "
                        + "no size",
                "D = 5 from config.json: hidden_size"),
                shape.sizes().stream().map(Object::toString).toList());
    }

    /** Of a long line, what stands around the place is shown. */
    @Test
    void ofLongLinesAPartIsShown() {
        String many = "+ x ".repeat(300);
        Source wide = new Source("long.weir",
                "block A<D> { forward(x[D]) -> y[D] = x " + many + "+ here " + many + "}");
        String text = new DiagnosticRenderer(false).render(
                Frontend.check(wide, Library::find).diagnostics());
        List<String> lines = text.lines().toList();
        assertTrue(lines.get(2).startsWith("1 | …"), text);
        assertTrue(lines.get(2).contains(" x + here + x "), text);
        assertTrue(lines.get(2).endsWith("…"), text);
        assertEquals(lines.get(2).indexOf("here"), lines.get(3).indexOf("^^^^"));
        assertTrue(lines.stream().allMatch(l -> l.length() < 130), text);
        String name = "n".repeat(1_000_000);
        String cut = new DiagnosticRenderer(false).render(Frontend.check(new Source("name.weir",
                "block A<D> { forward(x[D]) -> y[D] = x + " + name + " }"), Library::find)
                .diagnostics());
        assertTrue(cut.length() < 3000, "characters: " + cut.length());
    }

    @Test
    void colourIsOptional() {
        List<Diagnostic> found =
                Frontend.check(new Source("a.weir", "block A {"), Library::find).diagnostics();
        assertFalse(new DiagnosticRenderer(false).render(found).contains("\u001b"));
        assertTrue(new DiagnosticRenderer(true).render(found).contains("\u001b[1;31m"));
    }

    @Test
    void whatIsAboutNoPlaceLooksTheSame() {
        String text = "there is no weight\nhelp: name one";
        assertEquals("warning: " + text + "\n",
                new DiagnosticRenderer(false).message(Severity.WARNING, text));
        assertEquals("\u001b[1;33mwarning\u001b[0m: there is no weight\n"
                        + "\u001b[1;36mhelp\u001b[0m: name one\n",
                new DiagnosticRenderer(true).message(Severity.WARNING, text));
    }
}
