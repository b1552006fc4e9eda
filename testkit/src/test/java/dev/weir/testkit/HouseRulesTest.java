package dev.weir.testkit;

import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The habits of docs/architecture.md that a machine can check. */
class HouseRulesTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("dev.weir");

    @Test
    void foldersDependOnlyOnWhatTheTableAllows() {
        layeredArchitecture().consideringOnlyDependenciesInLayers()
                .layer("grammar").definedBy("dev.weir.grammar..")
                .layer("ir").definedBy("dev.weir.ir..")
                .layer("frontend").definedBy("dev.weir.frontend..")
                .layer("passes").definedBy("dev.weir.passes..")
                .layer("codegen").definedBy("dev.weir.codegen..")
                .layer("compiler").definedBy("dev.weir.compiler..")
                .layer("runtime").definedBy("dev.weir.runtime..")
                .layer("cli").definedBy("dev.weir.cli..")
                .whereLayer("grammar").mayOnlyBeAccessedByLayers("frontend")
                .whereLayer("frontend").mayOnlyBeAccessedByLayers("compiler", "cli")
                .whereLayer("passes").mayOnlyBeAccessedByLayers("compiler", "cli")
                .whereLayer("codegen").mayOnlyBeAccessedByLayers("compiler", "cli")
                .whereLayer("compiler").mayOnlyBeAccessedByLayers("cli")
                .whereLayer("runtime").mayOnlyBeAccessedByLayers("cli")
                .whereLayer("cli").mayNotBeAccessedByAnyLayer()
                .check(CLASSES);
    }

    @Test
    void onlyTheParserKnowsAntlr() {
        com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses()
                .that().resideOutsideOfPackages("dev.weir.grammar..", "dev.weir.frontend.parse..")
                .should().dependOnClassesThat().resideInAPackage("org.antlr..")
                .check(CLASSES);
    }

    @Test
    void passesHaveNoCycles() {
        slices().matching("dev.weir.passes.(*)..").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void theCompilerKnowsNoArchitecture() throws IOException {
        Pattern comment = Pattern.compile("^\\s*(\\*|//|/\\*).*");
        List<String> found = new ArrayList<>();
        for (Path file : sources(
                "ir", "frontend", "passes", "codegen", "compiler", "runtime", "cli")) {
            List<String> lines = new ArrayList<>(Files.readAllLines(file));
            lines.removeIf(line -> comment.matcher(line).matches());
            lines.add(file.getFileName().toString());
            for (String line : lines) {
                if (namesAnArchitecture(line)) {
                    found.add(file + ": " + line.strip());
                }
            }
        }
        assertEquals(List.of(), found);
    }

    private static final Pattern WORD = Pattern.compile(
            "MoE|RoPE|SwiGLU|[A-Z]?[a-z]+|[A-Z]+(?![a-z])");
    private static final Set<String> ARCHITECTURES = Set.of(
            "attention", "attn", "mixtral", "mistral", "llama", "qwen", "gemma", "olmo", "olmoe",
            "deepseek", "gpt", "bert", "mamba", "moe", "rmsnorm", "rms", "swiglu", "transformer",
            "rope", "rotary", "router", "expert", "experts", "feedforward");

    /** Whether a word of it, also one inside a name such as {@code fusedAttention}, is one. */
    private static boolean namesAnArchitecture(String line) {
        return WORD.matcher(line).results()
                .anyMatch(word -> ARCHITECTURES.contains(word.group().toLowerCase(Locale.ROOT)));
    }

    @Test
    void namesInsideOfNamesAreSeen() {
        assertTrue(namesAnArchitecture("boolean isMixtralLayer(String s)"));
        assertTrue(namesAnArchitecture("path.contains(\"block_sparse_moe\")"));
        assertTrue(namesAnArchitecture("FusedAttention.java"));
        assertTrue(namesAnArchitecture("isMoELayer, applyRoPE"));
        assertTrue(!namesAnArchitecture("Sizes are removed; memory; property"));
    }

    private static final Pattern CODE = Pattern.compile("\"([EW]\\d{4})\"");

    /** Whoever gives a code, users find it explained. */
    @Test
    void everyCodeHasAPage() throws IOException {
        Set<String> missing = codes();
        missing.removeIf(code -> Files.exists(
                TestModel.ROOT.resolve("docs/errors/" + code + ".md")));
        assertEquals(Set.of(), missing);
    }

    /** Whoever gives a code, a test holds what users read. */
    @Test
    void everyCodeHasASnapshot() throws IOException {
        StringBuilder snapshots = new StringBuilder();
        for (String folder : List.of("frontend/src/test/resources/diagnostics",
                "testkit/src/test/resources/messages")) {
            try (Stream<Path> files = Files.list(TestModel.ROOT.resolve(folder))) {
                for (Path file : files.toList()) {
                    snapshots.append(Files.readString(file));
                }
            }
        }
        Set<String> missing = codes();
        missing.removeIf(code -> snapshots.indexOf("[" + code + "]: ") >= 0);
        assertEquals(Set.of(), missing);
    }

    /** All that anybody gives. */
    private static Set<String> codes() throws IOException {
        Set<String> codes = new TreeSet<>();
        for (Path file : sources("ir", "frontend", "passes", "codegen", "compiler", "runtime",
                "cli")) {
            CODE.matcher(Files.readString(file)).results()
                    .map(match -> match.group(1)).forEach(codes::add);
        }
        assertTrue(codes.size() >= 60, codes.size() + " codes");
        return codes;
    }

    @Test
    void linesFitIntoAHundredColumns() throws IOException {
        List<String> found = new ArrayList<>();
        for (Path file : sources("ir", "frontend", "passes", "codegen", "compiler", "runtime",
                "cli", "testkit")) {
            for (String line : Files.readAllLines(file)) {
                if (line.length() > 100) {
                    found.add(file + ": " + line.strip());
                }
            }
        }
        assertEquals(List.of(), found);
    }

    private static List<Path> sources(String... folders) throws IOException {
        List<Path> files = new ArrayList<>();
        for (String folder : folders) {
            try (Stream<Path> all = Files.walk(TestModel.ROOT.resolve(folder))) {
                all.filter(f -> f.toString().endsWith(".java"))
                        .filter(f -> f.toString().contains("/src/main/"))
                        .forEach(files::add);
            }
        }
        return files;
    }
}
