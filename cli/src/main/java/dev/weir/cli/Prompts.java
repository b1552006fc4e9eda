package dev.weir.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.runtime.tokenize.Tokenizer;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** How a user's text becomes token ids. */
final class Prompts {
    private Prompts() {}

    /** The checkpoint's config.json; empty without one. */
    static JsonNode configuration(ModelOptions options) {
        return options.files().weights()
                .map(w -> w.resolve("config.json"))
                .filter(Files::exists)
                .map(ModelFiles::json)
                .orElseGet(Json.MAPPER::createObjectNode);
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
