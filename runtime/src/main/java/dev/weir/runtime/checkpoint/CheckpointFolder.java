package dev.weir.runtime.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A checkpoint folder on disk, and which of its files may be read. A checkpoint often comes from
 * strangers, so none of its files may be a symbolic link out of its folder. One layout of links is
 * known: the cache of Hugging Face keeps a model's files in {@code blobs}, to which the files in
 * {@code snapshots/REVISION} beside it are links.
 *
 * <p>Source of the layout: "Understand caching" in the documentation of huggingface_hub.
 */
public final class CheckpointFolder {
    /** No configuration that a person wrote is longer, in bytes; a tokenizer may be. */
    private static final long LARGEST_TEXT = 64L << 20;

    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build());

    private final Path folder;
    /** Where its files may lie, without links. */
    private final List<Path> roots = new ArrayList<>();

    /**
     * @param folder may be a link itself: a user named it
     * @throws CheckpointException if there is no such folder
     */
    public CheckpointFolder(Path folder) {
        this.folder = folder;
        if (!Files.isDirectory(folder)) {
            throw new CheckpointException((Files.exists(folder)
                    ? folder + " is not a folder" : "there is no folder " + folder)
                    + "\nhelp: a checkpoint is a folder with config.json and model.safetensors");
        }
        try {
            Path real = folder.toRealPath();
            roots.add(real);
            for (Path up = real; up.getParent() != null; up = up.getParent()) {
                if (up.endsWith("snapshots")) {
                    roots.add(up.resolveSibling("blobs"));
                }
            }
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + folder + ": " + e.getMessage());
        }
    }

    public Path path() {
        return folder;
    }

    /**
     * The file of a name, to be read; empty if there is none.
     *
     * @throws CheckpointException if it is no file, or lies elsewhere
     */
    public Optional<Path> file(String name) {
        Path file = folder.resolve(name);
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        Path real;
        try {
            real = file.toRealPath();
        } catch (NoSuchFileException e) {
            throw new CheckpointException(file + " is a symbolic link to what is not there"
                    + "\nhelp: complete the download, or take another folder");
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getMessage());
        }
        if (roots.stream().noneMatch(real::startsWith)) {
            throw new CheckpointException(file + " is a symbolic link to " + real
                    + ", which lies outside of the checkpoint's folder"
                    + "\nhelp: copy that file into the folder if you trust both; links may lead"
                    + " only into the folder, or from snapshots to the blobs beside it");
        }
        requireFile(file);
        return Optional.of(file);
    }

    /**
     * Refuses what would have to be read without an end, or cannot be read at all.
     *
     * @throws CheckpointException if there is something else than a file
     */
    static void requireFile(Path file) {
        if (Files.exists(file) && !Files.isRegularFile(file)) {
            throw new CheckpointException(file + " is " + (Files.isDirectory(file)
                    ? "a folder" : "a pipe or a device") + ", expected a file");
        }
    }

    /**
     * The JSON in the file of a name; empty if there is no such file.
     *
     * @throws CheckpointException if it is no file, no JSON, or has a field twice
     */
    public Optional<JsonNode> json(String name) {
        return text(name).map(text -> {
            try {
                JsonNode node = JSON.readTree(text);
                return node == null ? JSON.missingNode() : node;
            } catch (JsonProcessingException e) {
                throw new CheckpointException(folder.resolve(name) + " is not valid JSON: "
                        + reason(e));
            }
        });
    }

    /** What the reader says, up to where it speaks of its own settings. */
    private static String reason(JsonProcessingException e) {
        return e.getOriginalMessage().split(": enable |, from `|\\R")[0]
                .replaceFirst(" \\((\\d+)$", " ($1)");
    }

    /** The text in the file of a name; empty if there is no such file. */
    public Optional<String> text(String name) {
        return file(name).map(file -> {
            try {
                if (Files.size(file) > LARGEST_TEXT) {
                    throw new CheckpointException(
                            file + " has more than " + LARGEST_TEXT + " bytes");
                }
                return Files.readString(file);
            } catch (CharacterCodingException e) {
                throw new CheckpointException(file + " is not UTF-8 text");
            } catch (IOException e) {
                throw new CheckpointException("cannot read " + file + ": " + e.getMessage());
            }
        });
    }

    /**
     * The file that one of the checkpoint's own files names.
     *
     * @param by which file names it
     * @throws CheckpointException if that is not the name of a file in the folder
     */
    Path named(String name, Path by) {
        Path inside;
        try {
            inside = Path.of(name);
        } catch (InvalidPathException e) {
            throw new CheckpointException(by + " names a file " + quoted(name)
                    + ", which is no name of a file: " + e.getReason());
        }
        if (inside.isAbsolute() || inside.normalize().startsWith("..")) {
            throw new CheckpointException(by + " names a file outside of its folder: " + name);
        }
        if (inside.normalize().toString().isEmpty()) {
            throw new CheckpointException(by + " names a file " + quoted(name)
                    + ", expected one such as model-00001-of-00002.safetensors");
        }
        return file(name).orElseThrow(() -> new CheckpointException(
                by + " names " + name + ", and there is no such file in the folder"
                        + "\nhelp: complete the download, or take another folder"));
    }

    /** With what does not print written out. */
    private static String quoted(String name) {
        return JSON.getNodeFactory().textNode(name).toString();
    }
}
