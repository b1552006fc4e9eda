package dev.weir.cli;

import dev.weir.frontend.SourceProvider;
import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** Finds imported modules: the standard library's on the class path, others beside the file. */
record Library(Optional<Path> folder) implements SourceProvider {

    static Source standard(String module) {
        return resource(module).orElseThrow(() ->
                new UserException("the standard library has no module " + module));
    }

    @Override
    public Optional<Source> find(String module) {
        if (module.startsWith("stdlib.")) {
            return resource(module);
        }
        Optional<Path> file = folder
                .map(f -> f.resolve(module.replace('.', '/') + ".weir"))
                .filter(Files::isRegularFile);
        return file.map(Texts::source);
    }

    static Optional<Source> resource(String module) {
        String name = "/weir/" + module.replace('.', '/') + ".weir";
        try (InputStream in = Library.class.getResourceAsStream(name)) {
            return in == null
                    ? Optional.empty()
                    : Optional.of(new Source(
                            name.substring("/weir/".length()),
                            new String(in.readAllBytes(), StandardCharsets.UTF_8)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }
}
