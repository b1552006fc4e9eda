package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.weir.ir.tensor.Fault;
import dev.weir.runtime.tokenize.Tokenizer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** How a user's text becomes token ids. */
final class Prompts {
    private static final String CONFIGURATION = "config.json";
    private static final String POSITIONS = "max_position_embeddings";

    private Prompts() {}

    /**
     * The ids that end a text: {@code eos_token_id}, one or a list, of config.json and of
     * generation_config.json. Checkpoints for dialogues often name the end of a turn in the latter
     * only.
     */
    static Set<Long> stops(ModelOptions options) {
        Set<Long> stops = new HashSet<>();
        for (String name : List.of(CONFIGURATION, "generation_config.json")) {
            JsonNode end = field(options, name, "eos_token_id");
            if (!end.isArray()) {
                id(end, name, "eos_token_id").ifPresent(stops::add);
            }
            end.forEach(one -> stops.add(id(one, name, "eos_token_id")
                    .orElseThrow(() -> noId(one, name, "eos_token_id"))));
        }
        return stops;
    }

    /**
     * Warns of a text that is longer than those that the model was made for, if the configuration
     * says how long these are: what is computed behind that may make no sense.
     *
     * @return whether it is longer
     */
    static boolean warnOfPositions(ModelOptions options, long tokens) {
        JsonNode most = options.files().configuration().field(POSITIONS)
                .orElse(MissingNode.getInstance());
        if (!most.canConvertToExactIntegral() || tokens <= most.asLong()) {
            return false;
        }
        options.warning("the text has " + tokens + " tokens, and the model was made for at most "
                + most.asLong() + " (" + POSITIONS + " in config.json)"
                + "\nhelp: give a shorter prompt, or fewer --max-tokens");
        return true;
    }

    static Tokenizer tokenizer(ModelOptions options) {
        return options.files().weights()
                .flatMap(Tokenizer::open)
                .orElseThrow(() -> new UserException(
                        "there is no tokenizer.json beside the weights"
                                + "\nhelp: give token ids with --prompt-ids"));
    }

    /** A text's ids, behind the configuration's first token if it has one. */
    static List<Long> ids(Tokenizer tokenizer, ModelOptions options, String text) {
        List<Long> ids = new ArrayList<>(first(options).stream().toList());
        for (long id : tokenizer.encode(text)) {
            ids.add(id);
        }
        return ids;
    }

    /** The id before a text, if the configuration has one. */
    static Optional<Long> first(ModelOptions options) {
        JsonNode first = field(options, CONFIGURATION, "bos_token_id");
        return id(first, CONFIGURATION, "bos_token_id").map(id -> {
            if (id < 0) {
                throw noId(first, CONFIGURATION, "bos_token_id");
            }
            return id;
        });
    }

    /**
     * Says of a fault whether a token caused it that the model does not know. A model may read
     * more tokens than it gives, so that the fault has to come first.
     *
     * @param vocabulary how many tokens the model gives, where that is known
     * @param first the id among them that the configuration gave
     */
    static RuntimeException explained(
            Fault fault, List<Long> ids, Optional<Long> vocabulary, Optional<Long> first) {
        Optional<Long> unknown = ids.stream()
                .filter(id -> id < 0 || vocabulary.filter(size -> id >= size).isPresent())
                .findFirst();
        if (unknown.isEmpty()) {
            return fault;
        }
        boolean isFirst = unknown.equals(first);
        return new UserException("the token id " + unknown.get()
                + (isFirst ? ", which config.json gives as bos_token_id," : "")
                + " is outside of the vocabulary"
                + vocabulary.map(size -> ", whose ids go from 0 to " + (size - 1)).orElse("")
                + ": " + fault.getMessage()
                + (isFirst ? "\nhelp: mend bos_token_id, or make it null for none" : ""));
    }

    /** A field of a JSON file beside the weights; missing or null without one. */
    private static JsonNode field(ModelOptions options, String file, String name) {
        return options.files().checkpoint()
                .flatMap(folder -> folder.json(file))
                .orElseGet(Json.MAPPER::createObjectNode)
                .path(name);
    }

    private static Optional<Long> id(JsonNode node, String file, String name) {
        if (node.isMissingNode() || node.isNull()) {
            return Optional.empty();
        }
        if (!node.isIntegralNumber() || !node.canConvertToLong()) {
            throw noId(node, file, name);
        }
        return Optional.of(node.longValue());
    }

    private static UserException noId(JsonNode node, String file, String name) {
        return new UserException("`" + name + "` in " + file + " is " + node
                + ", expected a token id, which is a whole number from 0"
                + (name.startsWith("eos") ? ", or a list of them" : "") + ", or null");
    }
}
