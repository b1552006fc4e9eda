package dev.weir.testkit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What users of a command read when something behind the front end is wrong. The first line of each
 * file is the command, then comes the file that it names and, behind a line of {@code ====}, what
 * it says; {@code -Dbless=true} writes that.
 */
class MessagesTest {
    private static final Path FILES =
            TestModel.ROOT.resolve("testkit/src/test/resources/messages");
    private static final String COMMAND = "$ weir ";
    private static final String LINE = "====\n";

    @TempDir
    private Path folder;

    static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(FILES)) {
            return files.sorted().toList();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void message(Path file) throws Exception {
        String text = Files.readString(file);
        int split = text.indexOf(LINE);
        String asked = split < 0 ? text : text.substring(0, split);
        String[] command = asked.lines().findFirst().orElseThrow()
                .substring(COMMAND.length()).split(" ");
        String model = Arrays.stream(command)
                .filter(word -> word.startsWith("model.")).findFirst().orElseThrow();
        Path written = Files.writeString(
                folder.resolve(model), asked.substring(asked.indexOf('\n') + 1));
        CommandTest.Outcome outcome = CommandTest.weir(Arrays.stream(command)
                .map(word -> word.equals(model) ? written.toString()
                        : word.equals("OUT") ? folder.resolve("out").toString() : word)
                .toArray(String[]::new));
        String found = outcome.err().replace(folder + "/", "");
        assertEquals(1, outcome.code(), found);
        if (Boolean.getBoolean("bless")) {
            Files.writeString(file, asked + LINE + found);
        } else {
            assertEquals(split < 0 ? "" : text.substring(split + LINE.length()), found);
        }
    }
}
