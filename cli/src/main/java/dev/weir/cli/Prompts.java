package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.runtime.tokenize.Tokenizer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** How a user's text becomes token ids. */
final class Prompts {
    private Prompts() {}

    /** The checkpoint's config.json; empty without one. */
    static JsonNode configuration(ModelOptions options) {
        return file(options, "config.json");
    }

    /** A JSON file beside the weights; empty without one. */
    private static JsonNode file(ModelOptions options, String name) {
        return options.files().weights()
                .map(w -> w.resolve(name))
                .filter(Files::exists)
                .map(ModelFiles::json)
                .orElseGet(Json.MAPPER::createObjectNode);
    }

    /**
     * The ids that end a text: {@code eos_token_id}, one or a list, of config.json and of
     * generation_config.json. Checkpoints for dialogues often name the end of a turn in the latter
     * only.
     */
    static Set<Long> stops(ModelOptions options) {
        Set<Long> stops = new HashSet<>();
        for (String name : List.of("config.json", "generation_config.json")) {
            JsonNode end = file(options, name).path("eos_token_id");
            Stream.concat(Stream.of(end), end.valueStream())
                    .filter(id -> id.isIntegralNumber() && id.canConvertToLong())
                    .forEach(id -> stops.add(id.longValue()));
        }
        return stops;
    }

    static Tokenizer tokenizer(ModelOptions options) {
        return options.files().weights()
                .flatMap(Tokenizer::open)
                .orElseThrow(() -> new UserException(
                        "there is no tokenizer.json beside the weights"
                                + "\nhelp: give token ids with --prompt-ids"));
    }

    /** A text's ids, behind the configuration's first token if it has one. */
    static List<Long> ids(Tokenizer tokenizer, JsonNode configuration, String text) {
        List<Long> ids = new ArrayList<>();
        if (configuration.path("bos_token_id").canConvertToLong()) {
            ids.add(configuration.path("bos_token_id").longValue());
        }
        for (long id : tokenizer.encode(text)) {
            ids.add(id);
        }
        return ids;
    }
}
