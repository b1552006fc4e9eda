package dev.weir.cli;

import dev.weir.ir.diagnostic.Source;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Reads and writes the texts that users name. */
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

    /** Standard input to its end. */
    static String read(InputStream in) {
        try {
            ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes());
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new UserException("standard input is not UTF-8 text");
        } catch (IOException e) {
            throw new UserException("cannot read standard input: " + e.getMessage());
        }
    }

    static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UserException("cannot write " + file + ": " + e.getMessage());
        }
    }
}
