package dev.weir.cli;

import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads the texts that users name. */
final class Texts {
    /** No program or configuration that a person wrote is longer, in bytes. */
    private static final long LARGEST = 64L << 20;

    private Texts() {}

    static Source source(Path file) {
        return new Source(file.toString(), read(file));
    }

    static String read(Path file) {
        try {
            if (Files.size(file) > LARGEST) {
                throw new UserException(file + " has more than " + LARGEST + " bytes");
            }
            return Files.readString(file);
        } catch (CharacterCodingException e) {
            throw new UserException(file + " is not UTF-8 text");
        } catch (NoSuchFileException e) {
            throw new UserException("there is no file " + file);
        } catch (IOException e) {
            throw new UserException("cannot read " + file + ": " + e.getMessage());
        }
    }
}
