package dev.weir.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.weir.ir.diagnostic.Source;
import dev.weir.ir.tensor.Parser;
import dev.weir.ir.tensor.Printer;
import dev.weir.ir.tensor.TensorProgram;
import dev.weir.ir.tensor.Verifier;
import dev.weir.passes.pipeline.Pass;
import dev.weir.passes.pipeline.Passes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * One pass on one small program, in a file: the program, a line with the pass, and what the pass
 * makes of it. The first line says what it shows. {@code -Dbless=true} writes what comes out.
 */
class PassFilesTest {
    private static final Path ROOT = Path.of("src/test/resources/passes").toAbsolutePath();
    private static final String MARK = "// ---- after ";

    static Stream<Path> files() throws IOException {
        try (Stream<Path> all = Files.walk(ROOT)) {
            return all.filter(f -> f.toString().endsWith(".weirt")).sorted().toList().stream();
        }
    }

    private static Pass pass(String name) {
        return Passes.ALL.stream().filter(p -> p.name().equals(name)).findFirst().orElseThrow();
    }

    @ParameterizedTest
    @MethodSource("files")
    void makesWhatTheFileSays(Path file) throws IOException {
        String text = Files.readString(file);
        int mark = text.indexOf(MARK);
        int end = text.indexOf('\n', mark);
        String name = text.substring(mark + MARK.length(), end).strip();
        assertEquals(file.getParent().getFileName().toString(), name, "a folder for each pass");
        TensorProgram program =
                Parser.parse(new Source(file.getFileName().toString(), text.substring(0, mark)));
        assertEquals(List.of(), Verifier.verify(program), "the program is sound");
        boolean stays = name.equals("lift") && program.isLifted();
        TensorProgram after = stays ? program : pass(name).run().apply(program);
        assertEquals(List.of(), Verifier.verify(after), "what the pass leaves is sound");
        String result = Printer.print(after);
        if (Boolean.getBoolean("bless")) {
            Files.writeString(file, text.substring(0, end + 1) + result);
        } else {
            assertEquals(text.substring(end + 1), result);
        }
    }

    @Test
    void everyPassHasFilesInWhichItFiresAndDeclines() throws IOException {
        Set<String> with = files().map(f -> f.getParent().getFileName().toString())
                .collect(Collectors.groupingBy(f -> f, Collectors.counting()))
                .entrySet().stream().filter(e -> e.getValue() >= 2)
                .map(java.util.Map.Entry::getKey).collect(Collectors.toSet());
        assertEquals(Passes.ALL.stream().map(Pass::name).collect(Collectors.toSet()), with);
    }
}
