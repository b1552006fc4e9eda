package dev.weir.testkit.fuzz;

import dev.weir.testkit.TestModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The Weir programs of this repository.
 *
 * @param sound the library and the examples
 * @param tested what the frontend is tested with, much of which is wrong
 * @param words every token of every program, as often as it occurs
 */
record Corpus(List<Specimen> sound, List<Specimen> tested, List<String> words) {

    /** A program, with the configuration that it can be lowered with. */
    record Specimen(String name, String text, String configuration) {}

    private static final String LOWER = "// lower ";

    static Corpus read() {
        List<Specimen> sound = Stream.of("stdlib/src", "examples")
                .flatMap(folder -> files(folder, ".weir").stream())
                .map(file -> new Specimen(
                        name(file), TestModel.text(file), configuration(file)))
                .toList();
        List<Specimen> tested = files("frontend/src/test/resources", ".txt").stream()
                .map(Corpus::tested).toList();
        List<String> words = Stream.concat(sound.stream(), tested.stream())
                .flatMap(s -> Tokens.of(s.text()).stream())
                .filter(token -> !token.isBlank()).toList();
        return new Corpus(sound, tested, words);
    }

    /** The program of a file that also holds what has to come of it. */
    private static Specimen tested(Path file) {
        String text = TestModel.text(file).split("====\n", 2)[0];
        return new Specimen(name(file), text, text.startsWith(LOWER)
                ? text.lines().findFirst().orElseThrow().substring(LOWER.length()) : "{}");
    }

    /** One of them, every other time a sound one. */
    Specimen any(Random random) {
        List<Specimen> from = random.nextBoolean() ? sound : tested;
        return from.get(random.nextInt(from.size()));
    }

    /** That of the small checkpoint for the library's model of this name, if there is one. */
    private static String configuration(Path program) {
        String type = program.getFileName().toString().replace(".weir", "");
        Path file = TestModel.fixture(type).resolve("config.json");
        return Files.exists(file) ? TestModel.text(file) : "{}";
    }

    private static String name(Path file) {
        return TestModel.ROOT.relativize(file).toString();
    }

    private static List<Path> files(String folder, String ending) {
        try (Stream<Path> files = Files.walk(TestModel.ROOT.resolve(folder))) {
            return files.filter(f -> f.toString().endsWith(ending)).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
