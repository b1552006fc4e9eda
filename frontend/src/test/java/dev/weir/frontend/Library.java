package dev.weir.frontend;

import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The repository's own Weir files, for tests. */
final class Library {
    static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    static final Path STDLIB = ROOT.resolve("stdlib/src/main/resources/weir");
    static final Path EXAMPLES = ROOT.resolve("examples");

    private Library() {}

    static Optional<Source> find(String module) {
        Path file = STDLIB.resolve(module.replace('.', '/') + ".weir");
        return Files.exists(file) ? Optional.of(source(file)) : Optional.empty();
    }

    static Source source(Path file) {
        return new Source(ROOT.relativize(file).toString(), read(file));
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every program of the library and the examples. */
    static List<Path> programs() {
        try (Stream<Path> library = Files.walk(STDLIB);
                Stream<Path> examples = Files.walk(EXAMPLES)) {
            return Stream.concat(library, examples)
                    .filter(p -> p.toString().endsWith(".weir")).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Configuration configuration(String name) {
        return Configuration.parse(read(
                ROOT.resolve("frontend/src/test/resources/configurations/" + name + ".json")));
    }
}
