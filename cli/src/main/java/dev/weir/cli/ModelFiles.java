package dev.weir.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.weir.frontend.Configuration;
import dev.weir.ir.diagnostic.Source;
import dev.weir.runtime.checkpoint.CheckpointFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a user means by MODEL: a {@code .weir} file, a folder with one, or a checkpoint folder whose
 * {@code model_type} the standard library has a program for.
 *
 * @param source the program
 * @param library where its imports are found
 * @param weights the checkpoint folder, if there is one
 */
record ModelFiles(Source source, Library library, Optional<Path> weights) {
    private static final String CONFIGURATION = "config.json";

    /**
     * @param weights the folder named by {@code --weights}, if any
     */
    static ModelFiles find(Path model, Optional<Path> weights) {
        if (Files.isRegularFile(model)) {
            Path folder = Optional.ofNullable(model.getParent()).orElse(Path.of(""));
            return new ModelFiles(
                    Texts.source(model), new Library(Optional.of(folder)),
                    weights.or(() -> checkpoint(model.toAbsolutePath().getParent())));
        }
        weights.ifPresent(CheckpointFolder::new);
        if (!Files.isDirectory(model)) {
            throw new UserException((Files.exists(model)
                    ? model + " is neither a file nor a folder"
                    : "there is no file or folder " + model)
                    + "\nhelp: MODEL is a .weir file, a folder with one, or a checkpoint folder");
        }
        List<Path> programs = programs(model);
        if (programs.size() > 1) {
            throw new UserException(model + " has several programs: name one of "
                    + String.join(", ", programs.stream().map(Path::toString).toList()));
        }
        if (programs.size() == 1) {
            return new ModelFiles(
                    Texts.source(programs.getFirst()), new Library(Optional.of(model)),
                    weights.or(() -> checkpoint(model)));
        }
        return stock(model, weights.orElse(model));
    }

    private static List<Path> programs(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> f.toString().endsWith(".weir")).sorted().toList();
        } catch (IOException e) {
            throw new UserException("cannot read " + folder + ": " + e.getMessage());
        }
    }

    private static Optional<Path> checkpoint(Path folder) {
        return Files.exists(folder.resolve(CONFIGURATION), LinkOption.NOFOLLOW_LINKS)
                ? Optional.of(folder) : Optional.empty();
    }

    private static ModelFiles stock(Path model, Path weights) {
        Path config = model.resolve(CONFIGURATION);
        JsonNode type = new CheckpointFolder(model).json(CONFIGURATION)
                .orElseThrow(() -> new UserException(
                        model + " has neither a .weir file nor a config.json"))
                .path("model_type");
        if (type.isMissingNode() || type.isNull()) {
            throw new UserException(config + " does not say its model_type");
        }
        if (!type.isTextual() || !type.asText().matches("[A-Za-z0-9_]+")) {
            throw new UserException(config + " has the model_type " + type + ", which is no name"
                    + "\nhelp: a model_type is one word of letters, digits and `_`");
        }
        Source program = Library.resource("stdlib.models." + type.asText())
                .orElseThrow(() -> new UserException(
                        "the standard library has no program for the model_type " + type.asText()
                                + "\nhelp: write one, and name it with its weights: "
                                + "weir run my_model.weir --weights " + model));
        return new ModelFiles(program, new Library(Optional.empty()), Optional.of(weights));
    }

    static JsonNode json(Path file) {
        try {
            JsonNode node = new ObjectMapper().readTree(Texts.read(file));
            return node == null ? new ObjectMapper().createObjectNode() : node;
        } catch (JsonProcessingException e) {
            throw new UserException(file + " is not valid JSON: " + e.getOriginalMessage());
        }
    }

    /** The folder with the weights and what belongs to them, if there is one. */
    Optional<CheckpointFolder> checkpoint() {
        return weights.map(CheckpointFolder::new);
    }

    /** The checkpoint's configuration; an empty one without a checkpoint. */
    Configuration configuration() {
        return configurationText().map(Configuration::parse).orElseGet(Configuration::empty);
    }

    /** The text of the checkpoint's configuration, if there is one. */
    Optional<String> configurationText() {
        return checkpoint().flatMap(folder -> folder.text(CONFIGURATION));
    }
}
